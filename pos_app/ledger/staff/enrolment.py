"""A till tells its key (sync-api 4.1).

The first key of a till needs its password alone. Another key may come from a thief who has the password, so it needs a
code that head office gives out; so does a till that was marked lost or frozen, whatever key it brings.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select, update

from pos_app.domain.commands import Enrol
from pos_app.ledger import schema
from pos_app.ledger.care import audit
from pos_app.ledger.code_rows import LETTERS_AND_DIGITS
from pos_app.ledger.databases.database import raise_rules_version
from pos_app.ledger.databases.locks import hold_setup
from pos_app.ledger.errors import EnrolmentRefusedError, TillStateError
from pos_app.ledger.rulebook import to_ms
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Tools

CODE_LENGTH: Final = 12
CODE_LIFETIME: Final = timedelta(hours=72)
CODE_TRIES_MAX: Final = 10
"""Wrong tries of one code; then it is dead. 60 bits need no tighter bound, and a person may mistype a few times."""

_TILL: Final = schema.till
_READ: Final = select(_TILL).where(_TILL.c.login == bindparam("till_login"))
_CHANGE: Final = update(_TILL).where(_TILL.c.login == bindparam("till_login"))
_NO_CODE: Final = {"enrolment_code": None, "enrolment_code_until": None, "enrolment_tries": 0}


def new_code() -> str:
    """Make an enrolment code: 12 of the 32 characters that cannot be mistaken for each other."""
    return "".join(secrets.choice(LETTERS_AND_DIGITS) for _ in range(CODE_LENGTH))


def code_proof(login: str, code: str, pepper: bytes) -> str:
    """What the ledger keeps of a code. However it was typed: capitals, spaces and hyphens do not matter."""
    plain = code.replace(" ", "").replace("-", "").upper()
    return hmac.digest(pepper, f"enrolment:{login}:{plain}".encode("utf-8", "surrogatepass"), "sha256").hex()


def enrol(tools: Tools, till: Till, command: Enrol) -> Till:
    """Take a till's key; returns the till as it is now. The same key again changes nothing.

    Raises:
        EnrolmentRefusedError: another key without a code, or with a wrong one.
        TillStateError: it was disabled, and only head office can change that.
        LedgerBusyError: the database was not had in time; nothing was done.
    """
    refusal = tools.store.writing(lambda connection: _once(tools, connection, till, command))
    if refusal is not None:
        raise EnrolmentRefusedError(refusal)
    with tools.store.read() as connection:
        return tools.rulebook.at(connection).tills[till.login]


def _once(tools: Tools, connection: Connection, till: Till, command: Enrol) -> str | None:
    """The transaction; a text is a refusal whose wrong try must stay counted."""
    hold_setup(connection)
    now = tools.moment(connection, till).now
    row = connection.execute(_READ, {"till_login": till.login}).one()
    if row.state == "DISABLED":
        raise TillStateError("till_disabled")
    if row.public_key == command.public_key:
        return None
    is_first = row.public_key is None and row.state == "ACTIVE"
    if not is_first:
        refusal = _use_code(tools, connection, row, command.enrolment_code, now)
        if refusal is not None:
            return refusal
    _keep(connection, row, command, now)
    return None


def _use_code(tools: Tools, connection: Connection, row: Any, code: str | None, now: datetime) -> str | None:
    """Say why the code will not do; a wrong one is counted, and after ten of them it is dead."""
    if code is None:
        return "enrolment_code_needed"
    if row.enrolment_code is None or row.enrolment_code_until <= to_ms(now):
        return "enrolment_code_wrong"
    if hmac.compare_digest(row.enrolment_code, code_proof(row.login, code, tools.pepper)):
        return None
    tries = row.enrolment_tries + 1
    values: dict[str, Any] = _NO_CODE if tries >= CODE_TRIES_MAX else {"enrolment_tries": tries}
    connection.execute(_CHANGE.values(**values), {"till_login": row.login})
    return "enrolment_code_wrong"


def _keep(connection: Connection, row: Any, command: Enrol, now: datetime) -> None:
    """The new key and the next till epoch; the keys before it stay in `till_key`, and rows signed with them count."""
    epoch = row.till_epoch + 1
    values = {"public_key": command.public_key, "till_epoch": epoch, "state": "ACTIVE", **_NO_CODE}
    connection.execute(_CHANGE.values(**values), {"till_login": row.login})
    connection.execute(
        schema.till_key.insert(),
        {
            "login": row.login,
            "till_epoch": epoch,
            "public_key": command.public_key,
            "enrolled_at": to_ms(now),
            "software": command.software,
            "platform": command.platform,
        },
    )
    raise_rules_version(connection)
    audit.record(
        connection,
        at=now,
        org=row.org,
        act="till.enrol",
        who=f"till {row.login}",
        target=row.login,
        detail={"till_epoch": epoch, "state_before": row.state},
    )
