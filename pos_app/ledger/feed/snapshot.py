"""All rows a till keeps, page by page (sync-api 5).

Each page begins behind the last key of the one before, so that it costs the same however far on it is, and nothing is
remembered between pages but their token. A snapshot is not one moment: a row is as it is when its page is read, and
the changes since `as_of`, which is the feed's place before the first page, mend what moved meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from pos_app.domain.feed import FeedItem, Scope, SnapshotPage
from pos_app.domain.request import ID_MAX
from pos_app.ledger import schema
from pos_app.ledger.feed.places import Counts, PageToken, Reader, Seals, settled_place
from pos_app.ledger.feed.rows import Rows
from pos_app.ledger.feed.scope import count_rows, has_visitor
from pos_app.ledger.feed.telling import CUSTOMER, FAMILY_GROUP, OPERATOR, ORGANISATION, PROGRAM, WALLET
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Tools

FEED_SCHEMA: Final = 1
"""The version of the rows (sync-api 5)."""

_BEGIN: Final = (0, 0)
_OPERATOR: Final = schema.operator
_CUSTOMER: Final = schema.customer
_WALLET: Final = schema.wallet
_GROUP: Final = schema.family_group
_VISIT: Final = schema.visit


class _Keys(NamedTuple):
    """Ids of one page, the key to go on behind, and whether there may be more of this stage."""

    ids: list[int]
    last: tuple[int, int]
    has_more: bool


@dataclass(frozen=True, slots=True)
class _Stage:
    """One type of rows; wallets are two stages, those of customers and those of family groups."""

    type: str
    keys: Callable[[_Asking, tuple[int, int], int], _Keys]


@dataclass(frozen=True, slots=True)
class _Asking:
    """One page being read."""

    connection: Connection
    reader: Reader
    rows: Rows
    programs: list[int]

    @property
    def org(self) -> int:
        return self.reader.till.organisation_id

    @property
    def is_all(self) -> bool:
        return self.reader.scope is Scope.ALL


def read_snapshot(tools: Tools, seals: Seals, till: Till, scope: Scope, page: str | None, limit: int) -> SnapshotPage:
    """One page.

    Raises:
        GoneError: the token is too old, of another scope or epoch.
        LedgerBusyError: the database could not be read in time.
    """
    # On a connection of its own: a large page takes longer than those who answer tills may wait.
    with tools.store.read_aside() as connection:
        moment = tools.moment(connection, till)
        reader = Reader(till, scope, moment.epoch)
        if page is None:
            # The place first: what is committed after it comes again among the changes.
            as_of = settled_place(connection)
            token = PageToken(as_of, count_rows(connection, reader), 0, _BEGIN)
        else:
            token = seals.read_token(reader, page, moment.now)
        asking = _Asking(
            connection, reader, Rows(connection, moment, tools.lease_settings), sorted(moment.rules.programs)
        )
        items, rest = _read(asking, token, limit)
        return SnapshotPage(
            epoch=moment.epoch,
            schema=FEED_SCHEMA,
            scope=scope,
            as_of=seals.write_cursor(reader, token.as_of),
            server_time=moment.now,
            counts=_told(token.counts),
            items=items,
            next_page=None if rest is None else seals.write_token(reader, rest, moment.now),
        )


def _told(counts: Counts) -> dict[str, int]:
    return counts._asdict()


def _read(asking: _Asking, token: PageToken, limit: int) -> tuple[list[FeedItem], PageToken | None]:
    """Rows of this stage and, while there is room, of the next ones; and where the next page begins."""
    items: list[FeedItem] = []
    stage, last, room = token.stage, token.last, limit
    while stage < len(_STAGES):
        if room <= 0:
            return items, PageToken(token.as_of, token.counts, stage, last)
        found = _STAGES[stage].keys(asking, last, room)
        items += asking.rows.read(_STAGES[stage].type, found.ids)
        room -= len(found.ids)
        stage, last = (stage, found.last) if found.has_more else (stage + 1, _BEGIN)
        if found.has_more and not found.ids:
            room = 0  # People without any: a page of nothing is better than a long wait.
    return items, None


# --- Stages --------------------------------------------------------------------------------------------------------


def _organisation(asking: _Asking, _last: tuple[int, int], _room: int) -> _Keys:
    return _Keys([asking.org], _BEGIN, has_more=False)


def _programs(asking: _Asking, last: tuple[int, int], room: int) -> _Keys:
    rest = [each for each in asking.programs if each > last[0]]
    return _Keys(rest[:room], (rest[:room][-1] if rest else 0, 0), has_more=len(rest) > room)


def _operators(asking: _Asking, last: tuple[int, int], room: int) -> _Keys:
    ids = select(_OPERATOR.c.id).where(_OPERATOR.c.org == asking.org)
    return _by_id(asking, ids, _OPERATOR.c.id, last, room)


def _customers(asking: _Asking, last: tuple[int, int], room: int) -> _Keys:
    if asking.is_all:
        return _by_id(asking, select(_CUSTOMER.c.id).where(_CUSTOMER.c.org == asking.org), _CUSTOMER.c.id, last, room)
    return _visitors(asking, last, room)


def _visitors(asking: _Asking, last: tuple[int, int], room: int) -> _Keys:
    here = select(_VISIT.c.customer_id).where(_VISIT.c.org == asking.org, _VISIT.c.store == asking.reader.till.store)
    return _by_id(asking, here, _VISIT.c.customer_id, last, room)


def _own_wallets(asking: _Asking, last: tuple[int, int], room: int) -> _Keys:
    wallets = _wallets_by(asking, _WALLET.c.customer_id, last)
    if asking.is_all:
        return _wallet_keys(asking, wallets, room)
    # Her other wallets, then those of the next visitors: each page looks at no more people than it has room for.
    begin = last if last[1] in (0, ID_MAX) else (last[0] - 1, 0)
    visitors = _visitors(asking, begin, room)
    found = _wallet_keys(asking, wallets.where(_WALLET.c.customer_id.in_(visitors.ids)), room)
    if found.has_more:
        return found
    return _Keys(found.ids, (visitors.last[0], ID_MAX), visitors.has_more)


def _shared_wallets(asking: _Asking, last: tuple[int, int], room: int) -> _Keys:
    wallets = _wallets_by(asking, _WALLET.c.family_group_id, last)
    if not asking.is_all:
        wallets = wallets.where(has_visitor(asking.reader, _WALLET.c.family_group_id))
    return _wallet_keys(asking, wallets, room)


def _family_groups(asking: _Asking, last: tuple[int, int], room: int) -> _Keys:
    ids = select(_GROUP.c.id).where(_GROUP.c.org == asking.org)
    if not asking.is_all:
        ids = ids.where(has_visitor(asking.reader, _GROUP.c.id))
    return _by_id(asking, ids, _GROUP.c.id, last, room)


_STAGES: Final = (
    _Stage(ORGANISATION, _organisation),
    _Stage(PROGRAM, _programs),
    _Stage(OPERATOR, _operators),
    _Stage(CUSTOMER, _customers),
    _Stage(WALLET, _own_wallets),
    _Stage(WALLET, _shared_wallets),
    _Stage(FAMILY_GROUP, _family_groups),
)


def _by_id(asking: _Asking, ids: Select[Any], column: ColumnElement[Any], last: tuple[int, int], room: int) -> _Keys:
    found = list(asking.connection.execute(ids.where(column > last[0]).order_by(column).limit(room)).scalars())
    return _Keys(found, (found[-1], 0) if found else last, has_more=len(found) == room)


def _wallets_by(asking: _Asking, owner: ColumnElement[Any], last: tuple[int, int]) -> Select[Any]:
    """Wallets by owner and program: the order of the key that makes each wallet the only one of its kind."""
    program = _WALLET.c.program_id
    behind = or_(owner > last[0], and_(owner == last[0], program > last[1]))
    return (
        select(_WALLET.c.id, owner, program)
        .where(_WALLET.c.org == asking.org, owner >= last[0], behind)
        .order_by(owner, program)
    )


def _wallet_keys(asking: _Asking, wallets: Select[Any], room: int) -> _Keys:
    found = asking.connection.execute(wallets.limit(room)).all()
    last = (found[-1][1], found[-1][2]) if found else _BEGIN
    return _Keys([row[0] for row in found], last, has_more=len(found) == room)
