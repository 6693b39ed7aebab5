"""The administrator's login: `Authorization: Bearer` and the text of `admin.token` (sync-api 13 and 14)."""

from __future__ import annotations

import hmac

from pos_app.ledger.http.troubles import NotAdministratorError
from pos_app.ledger.secrets import LedgerSecrets


def let_administrator_in(secrets: LedgerSecrets, authorization: str | None) -> None:
    """Make sure that the caller has the administrator's token.

    Raises:
        NotAdministratorError: missing or wrong.
    """
    scheme, _, token = (authorization or "").partition(" ")
    is_right = hmac.compare_digest(token.strip().encode("latin-1", "replace"), secrets.admin_token.encode("ascii"))
    if scheme.lower() != "bearer" or not token.strip() or not is_right:
        raise NotAdministratorError
