"""`organization/get`: name, currencies and time zone of the organisation (contract section 8)."""

from __future__ import annotations

from collections.abc import Sequence

from pos_app.domain.facts import Organisation
from pos_app.wire.answers import status_tree, write_response
from pos_app.wire.formats import Format


def write_organisation(organisation: Organisation, currencies: Sequence[str], fmt: Format) -> bytes:
    """Write the answer; `currencies` are all that its tills count in, the base currency among them."""
    tree = {
        "id": str(organisation.organisation_id),
        "name": organisation.name,
        "base_currency": organisation.currency,
        "supported_currencies": {"currency": list(currencies)},
        "time_zone": organisation.time_zone,
    }
    return write_response({"status": status_tree(200), "organization": tree}, fmt)
