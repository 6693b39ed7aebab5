"""The part of `verify` about redemptions: each, its shares, entries, reversals, losses and key tell the same (I5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, or_, select

from pos_app.ledger import schema
from pos_app.ledger.entries import EntryKind
from pos_app.ledger.idempotency import HISTORY, REDEEMED, REVERSED

Found = tuple[str, str, str]
"""An invariant, what it is about, and what differs."""

_ENTRY: Final = schema.entry
_WALLET: Final = schema.wallet
_REDEMPTION: Final = schema.redemption
_SHARE: Final = schema.share
_REVERSAL: Final = schema.reversal
_IDEM: Final = schema.idem
_LOSS: Final = schema.loss
_SLICE: Final = 500
_BATCH: Final = 2000

_SLICES: Final = (
    select(
        _REDEMPTION.c.id,
        _REDEMPTION.c.org,
        _REDEMPTION.c.redemption_id,
        _REDEMPTION.c.points,
        _REDEMPTION.c.reversed,
        _REDEMPTION.c.key,
        _REDEMPTION.c.is_history,
    )
    .where(_REDEMPTION.c.id > bindparam("after"))
    .order_by(_REDEMPTION.c.id)
    .limit(bindparam("most"))
)
_SHARES: Final = (
    select(_SHARE.c.redemption, func.sum(_SHARE.c.points), func.sum(_SHARE.c.reversed))
    .where(_SHARE.c.redemption.between(bindparam("first"), bindparam("last")))
    .group_by(_SHARE.c.redemption)
)
_REVERSALS: Final = (
    select(_REVERSAL.c.redemption, func.sum(_REVERSAL.c.points), func.sum(_REVERSAL.c.expired))
    .where(_REVERSAL.c.redemption.between(bindparam("first"), bindparam("last")))
    .group_by(_REVERSAL.c.redemption)
)
_ENTRIES: Final = (
    select(_WALLET.c.org, _ENTRY.c.redemption_id, _ENTRY.c.kind, func.sum(_ENTRY.c.delta))
    .join_from(_ENTRY, _WALLET, _ENTRY.c.wallet_id == _WALLET.c.id)
    .where(_ENTRY.c.redemption_id.in_(bindparam("ids", expanding=True)))
    .group_by(_WALLET.c.org, _ENTRY.c.redemption_id, _ENTRY.c.kind)
)
_KEYS: Final = select(_IDEM.c.org, _IDEM.c.key, _IDEM.c.state, _IDEM.c.redemption).where(
    _IDEM.c.org == bindparam("o"), _IDEM.c.key.in_(bindparam("keys", expanding=True))
)
_LOST: Final = (
    select(_LOSS.c.org, _LOSS.c.key, func.sum(_LOSS.c.points))
    .where(_LOSS.c.key.in_(bindparam("keys", expanding=True)))
    .group_by(_LOSS.c.org, _LOSS.c.key)
)
_ENTRIES_OF_NONE: Final = (
    select(_ENTRY.c.id, _ENTRY.c.redemption_id)
    .join_from(_ENTRY, _WALLET, _ENTRY.c.wallet_id == _WALLET.c.id)
    .where(
        _ENTRY.c.redemption_id.is_not(None),
        ~select(_REDEMPTION.c.id)
        .where(_REDEMPTION.c.org == _WALLET.c.org, _REDEMPTION.c.redemption_id == _ENTRY.c.redemption_id)
        .exists(),
    )
    .order_by(_ENTRY.c.id)
)
_ACTED: Final = (REDEEMED, REVERSED, HISTORY)
_KEYS_OF_NONE: Final = (
    select(_IDEM.c.org, _IDEM.c.key)
    .join_from(_IDEM, _REDEMPTION, _REDEMPTION.c.id == _IDEM.c.redemption, isouter=True)
    .where(
        _IDEM.c.state.in_(_ACTED),
        or_(_REDEMPTION.c.id.is_(None), _REDEMPTION.c.org != _IDEM.c.org, _REDEMPTION.c.key != _IDEM.c.key),
    )
    .order_by(_IDEM.c.org, _IDEM.c.key)
)


def check_redemptions(connection: Connection, rest: Callable[[], None]) -> Iterator[Found]:
    """Each redemption against everything that tells of it."""
    after = 0
    while rows := connection.execute(_SLICES, {"after": after, "most": _SLICE}).all():
        after = rows[-1].id
        told = _Told(connection, rows)
        for row in rows:
            about = f"redemption {row.redemption_id}"
            for detail in told.differences_of(row):
                yield "I5", about, detail
        rest()


def check_strays(connection: Connection, rest: Callable[[], None]) -> Iterator[Found]:
    """Entries and keys that name a redemption there is not."""
    options = {"yield_per": _BATCH}
    for entry_id, redemption_id in connection.execute(_ENTRIES_OF_NONE, execution_options=options):
        yield "I5", f"entry {entry_id}", f"is about redemption {redemption_id}, which is not there"
    rest()
    for org, key in connection.execute(_KEYS_OF_NONE, execution_options=options):
        yield "I5", f"key {key}", f"says redeemed in organisation {org}, but there is no redemption"
    rest()


class _Told:
    """What shares, entries, reversals, losses and keys tell of one slice of redemptions."""

    def __init__(self, connection: Connection, rows: Sequence[Any]) -> None:
        bounds = {"first": rows[0].id, "last": rows[-1].id}
        self._shares = _pairs(connection.execute(_SHARES, bounds))
        self._reversals = _pairs(connection.execute(_REVERSALS, bounds))
        self._moved: dict[tuple[int, str, str], int] = {}
        ids = [row.redemption_id for row in rows]
        for org, redemption_id, kind, delta in connection.execute(_ENTRIES, {"ids": ids}):
            self._moved[org, redemption_id, kind] = int(delta)
        keys: dict[int, list[str]] = defaultdict(list)
        for row in rows:
            if row.key:
                keys[row.org].append(row.key)
        self._keys: dict[tuple[int, str], Any] = {}
        self._lost: dict[tuple[int, str], int] = {}
        for org, named in keys.items():
            self._keys |= {(org, each.key): each for each in connection.execute(_KEYS, {"o": org, "keys": named})}
        if every := [key for named in keys.values() for key in named]:
            self._lost = {(org, key): int(lost) for org, key, lost in connection.execute(_LOST, {"keys": every})}

    def differences_of(self, row: Any) -> Iterator[str]:
        """Sentences about one redemption; none when all agree."""
        moved = {kind: self._moved.get((row.org, row.redemption_id, kind), 0) for kind in EntryKind}
        taken, given = -moved[EntryKind.REDEEM], moved[EntryKind.REVERSAL]
        given_back, expired = self._reversals.get(row.id, (0, 0))
        lost = self._lost.get((row.org, row.key), 0)
        shared = self._shares.get(row.id, (0, 0))
        if row.is_history:
            # It moved nothing here, and part of it may have been given back before it came.
            if taken or given > row.reversed:
                yield f"came with the history, entries say {taken} taken and {given} returned of {row.reversed}"
        elif (row.points, row.reversed) != (taken + lost, given):
            yield (
                f"says {row.points} taken and {row.reversed} returned, entries say {taken} and {given},"
                f" with a loss of {lost}"
            )
        if (given_back, -expired) != (given, moved[EntryKind.EXPIRE]):
            yield (
                f"its reversals add up to {given_back} returned and {expired} expired,"
                f" entries say {given} and {-moved[EntryKind.EXPIRE]}"
            )
        if (row.points - lost, row.reversed) != shared:
            yield f"its shares add up to {shared[0]} taken and {shared[1]} returned"
        if row.key:
            kept = self._keys.get((row.org, row.key))
            if kept is None or kept.state not in _ACTED or kept.redemption != row.id:
                yield "its key does not say so"


def _pairs(rows: Iterable[Any]) -> dict[int, tuple[int, int]]:
    return {number: (int(one), int(other)) for number, one, other in rows}


REDEMPTION_STEPS: Final = (check_redemptions, check_strays)
"""Each yields what differs in the transaction it is given."""
