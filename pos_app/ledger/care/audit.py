"""What administrators and operators changed: rows chained by their hashes (reliability 4.7, sync-api 13).

`hash` = SHA-256 over the previous row's hash and the canonical JSON of the line, as with entries. `meta.audit` counts
the rows: whoever records holds that row's lock until his transaction ends, so that two processes never chain behind
the same row; and a chain whose end was cut no longer has as many rows as were counted.

`detail` holds ids, counts and words of our own. People's data, secrets and codes are never recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from pos_app.ledger import schema
from pos_app.ledger.databases.database import LostRaceError
from pos_app.ledger.entries import FIRST_HASH, chain_hash
from pos_app.ledger.rulebook import to_ms
from pos_app.wire.canonical import canonical_json

COMMAND_LINE: Final = "command line"
ADMIN: Final = "admin"

_COUNTER: Final = "audit"
_LINE: Final = ("at", "org", "act", "who", "target", "detail")
_META: Final = schema.meta
_AUDIT: Final = schema.audit
_COUNT_ONE: Final = update(_META).where(_META.c.name == _COUNTER).values(number=_META.c.number + 1)
_READ_COUNT: Final = select(_META.c.number).where(_META.c.name == _COUNTER)
_READ_HEAD: Final = select(_AUDIT.c.hash).order_by(_AUDIT.c.id.desc()).limit(1)
_READ_ALL: Final = select(_AUDIT).order_by(_AUDIT.c.id)
_BATCH: Final = 2000


def operator(operator_id: int) -> str:
    """`who` for an operator who signed in."""
    return f"operator {operator_id}"


def record(
    connection: Connection,
    *,
    at: datetime,
    org: int | None,
    act: str,
    who: str,
    target: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    """Write one row, in the transaction of the change itself: both are kept or neither.

    It is the last thing the transaction locks (`locks`): call it after everything else was held.

    Args:
        connection: the transaction of the change.
        at: the ledger's clock.
        org: the organisation it is about; None: the whole ledger.
        act: what was done, such as `till.disable`.
        who: `COMMAND_LINE`, `ADMIN` or `operator(id)`.
        target: what it was done to: a till's login, an id.
        detail: ids, counts, words of our own.

    Raises:
        LostRaceError: the very first row was written by somebody else at the same moment; run the work again.
    """
    if connection.execute(_COUNT_ONE).rowcount != 1:
        try:
            connection.execute(_META.insert(), {"name": _COUNTER, "number": 1})
        except IntegrityError as error:
            raise LostRaceError from error
    line: dict[str, object] = {
        "at": to_ms(at),
        "org": org,
        "act": act,
        "who": who,
        "target": target,
        "detail": canonical_json(dict(detail or {})),
    }
    head = connection.execute(_READ_HEAD).scalar_one_or_none() or FIRST_HASH
    connection.execute(_AUDIT.insert(), {**line, "prev_hash": head, "hash": chain_hash(head, line)})


def faults(connection: Connection) -> Iterator[tuple[str, str]]:
    """What is wrong with the chain: which row, and a sentence; nothing when it is whole."""
    head, count = FIRST_HASH, 0
    for row in connection.execute(_READ_ALL, execution_options={"yield_per": _BATCH}):
        if row.prev_hash != head or row.hash != chain_hash(head, {name: row._mapping[name] for name in _LINE}):
            yield f"audit row {row.id}", "it is not what was written"
        head, count = row.hash, count + 1
    counted = connection.execute(_READ_COUNT).scalar_one_or_none() or 0
    if counted != count:
        yield "audit", f"{counted} rows were written, {count} are there"
