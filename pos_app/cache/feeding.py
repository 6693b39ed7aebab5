"""Writes rows into the cache inside a transaction of the caller: pages of the feed, and what was looked up.

Works on whatever connection `Run` wraps, with constant statements and rows as tuples. A page is written a table at a
time, whatever the order of its rows; of several rows of one thing the last one counts, of a wallet the newest version.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection

from pos_app.cache import entries, feed_rows, rules, statements
from pos_app.cache.entries import PLACES, Person, person_of
from pos_app.cache.rows import parsed
from pos_app.domain.facts import Organisation, Program
from pos_app.domain.feed import FeedItem
from pos_app.services.feed_port import Applied
from pos_app.wire.feed_reading import read_operator, read_organisation, read_program

Rows = Sequence[tuple[Any, ...]]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Page:
    """A page of the feed as tuples, by table. What could not be read, or is of an unknown kind, is only counted."""

    customers: dict[int, tuple[Any, ...] | None] = field(default_factory=dict)
    """None: gone."""
    wallets: dict[int, tuple[Any, ...] | None] = field(default_factory=dict)
    family_groups: dict[int, tuple[Any, ...] | None] = field(default_factory=dict)
    programs: dict[int, tuple[Program, str] | None] = field(default_factory=dict)
    operators: dict[int, str | None] = field(default_factory=dict)
    organisation: tuple[Organisation, str] | None = None
    skipped: int = 0

    @property
    def applied(self) -> Applied:
        """How many rows there are, and how many were left out."""
        people = len(self.customers) + len(self.wallets) + len(self.family_groups)
        rest = len(self.programs) + len(self.operators) + (self.organisation is not None)
        return Applied(people + rest + self.skipped, self.skipped)

    @property
    def tells_rules(self) -> bool:
        """Whether a program or the organisation is in it."""
        return bool(self.programs) or self.organisation is not None


def read_page(items: Iterable[FeedItem], seen_at: str | None = None) -> Page:
    """Sort the items of a page. `seen_at`: these rows were looked up then. Never raises for what is in a row."""
    page, bad = Page(), ""
    for item in items:
        take = _TAKERS.get(item.type)
        if take is None:
            page.skipped += 1
            continue
        try:
            take(page, item, seen_at)
        except feed_rows.BAD_ROW as error:
            page.skipped += 1
            bad = bad or f"{item.type} {item.id} ({type(error).__name__})"
    if bad:  # One line a page, whatever comes: its values are personal, and a bad ledger could send a million.
        _log.warning("rows of the feed could not be read and were left out, %s the first of them", bad)
    return page


def _take_customer(page: Page, item: FeedItem, seen_at: str | None) -> None:
    row = None if item.row is None else feed_rows.customer_tuple(item.id, item.row, seen_at)
    page.customers[item.id] = row


_VERSION: Final = 12
"""Where a wallet's version stands in its tuple."""


def _take_wallet(page: Page, item: FeedItem, _seen_at: str | None) -> None:
    if item.row is None:
        page.wallets[item.id] = None
        return
    row = feed_rows.wallet_tuple(item.id, item.row)
    other = page.wallets.get(item.id)
    if other is None or other[_VERSION] <= row[_VERSION]:
        page.wallets[item.id] = row


def _take_family_group(page: Page, item: FeedItem, _seen_at: str | None) -> None:
    page.family_groups[item.id] = None if item.row is None else feed_rows.family_group_tuple(item.id, item.row)


def _take_program(page: Page, item: FeedItem, _seen_at: str | None) -> None:
    row = item.row
    page.programs[item.id] = None if row is None else (read_program(item.id, dict(row)), feed_rows.told(row))


def _take_operator(page: Page, item: FeedItem, _seen_at: str | None) -> None:
    if item.row is not None:
        read_operator(item.id, dict(item.row))  # Only to be sure that it can be read.
    page.operators[item.id] = None if item.row is None else feed_rows.told(item.row)


def _take_organisation(page: Page, item: FeedItem, _seen_at: str | None) -> None:
    if item.row is not None:
        page.organisation = (read_organisation(item.id, dict(item.row)).organisation, feed_rows.told(item.row))


_TAKERS: Final[dict[str, Callable[[Page, FeedItem, str | None], None]]] = {
    "customer": _take_customer,
    "wallet": _take_wallet,
    "family_group": _take_family_group,
    "program": _take_program,
    "operator": _take_operator,
    "organisation": _take_organisation,
}


# --- Written -------------------------------------------------------------------------------------------------------


def run(connection: Connection, statement: str, rows: Rows) -> None:
    """Run a statement once for each of the rows; for none not at all."""
    if rows:
        connection.exec_driver_sql(statement, list(rows))


def _read(connection: Connection, statement: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Many rows, as the driver gives them: Core would wrap each."""
    driver: Any = connection.connection.driver_connection
    rows: list[tuple[Any, ...]] = driver.execute(statement, parameters).fetchall()
    return rows


def append_page(connection: Connection, page: Page) -> None:
    """Write a page of a snapshot: without what a search needs, which is made of all customers at the end."""
    run(connection, statements.FEED_CUSTOMER, [row for row in page.customers.values() if row is not None])
    _put_rest(connection, page)


def put_page(connection: Connection, page: Page, *, anew: bool = False) -> None:
    """Write a page of changes, or the rows of a customer who was looked up.

    `anew`: an identifier of theirs may stand with somebody else here, as after a snapshot that was not one moment.
    """
    here = [row for row in page.customers.values() if row is not None]
    known = known_people(connection, page.customers)
    run(connection, statements.FEED_CUSTOMER, here)
    run(connection, statements.SEEN, [(row[-1], row[0]) for row in here if row[-1] is not None])
    changes: list[tuple[Person | None, Person | None]] = []
    for customer_id, row in page.customers.items():
        before = known.get(customer_id)
        after = None if row is None else person_of(row, "" if before is None else before.named)
        if before is not None or after is not None:
            changes.append((before, after))
    change_people(connection, changes, anew=anew)
    looked_up = [(each.customer_id,) for each in known.values() if not each.is_fed]
    run(connection, statements.DROP_LOOKED_UP_WALLETS_OF, looked_up)
    gone = [(customer_id,) for customer_id, row in page.customers.items() if row is None]
    run(connection, statements.DROP_CUSTOMER, gone)
    run(connection, statements.DROP_WALLETS_OF, gone)
    _put_rest(connection, page)


def _put_rest(connection: Connection, page: Page) -> None:
    """Everything but customers."""
    run(connection, statements.DROP_WALLET, [(key,) for key, row in page.wallets.items() if row is None])
    run(connection, statements.FEED_WALLET, sorted(row for row in page.wallets.values() if row is not None))
    if page.family_groups:
        put_family_groups(connection, page.family_groups)
    programs = [(key, *_program_columns(each)) for key, each in page.programs.items() if each is not None]
    run(connection, statements.PUT_PROGRAM, programs)
    run(connection, statements.DROP_PROGRAM, [(key,) for key, each in page.programs.items() if each is None])
    run(connection, statements.PUT_OPERATOR, [(key, each) for key, each in page.operators.items() if each is not None])
    run(connection, statements.DROP_OPERATOR, [(key,) for key, each in page.operators.items() if each is None])
    if page.organisation is not None:
        organisation, told = page.organisation
        run(connection, statements.PUT_ORGANISATION, [(1, rules.organisation_text(organisation), told)])


def _program_columns(told: tuple[Program, str]) -> tuple[str, str]:
    return rules.program_text(told[0]), told[1]


def put_family_groups(connection: Connection, groups: dict[int, tuple[Any, ...] | None]) -> None:
    """Write family groups and who is in them; None: gone."""
    for group_id, row in groups.items():
        kept = connection.exec_driver_sql(statements.MEMBERS_OF, (group_id,)).scalar()
        before = {each[0] for each in parsed(kept or "")}
        members = [] if row is None else parsed(row[5])
        left = before - {each[0] for each in members}
        run(connection, statements.DROP_MEMBER, [(customer_id, group_id) for customer_id in left])
        run(
            connection,
            statements.PUT_MEMBER,
            [(customer_id, group_id, primary, active) for customer_id, primary, _may, active in members],
        )
    run(connection, statements.PUT_FAMILY_GROUP, [row for row in groups.values() if row is not None])
    gone = [group_id for group_id, row in groups.items() if row is None]
    run(connection, statements.DROP_FAMILY_GROUP, [(group_id,) for group_id in gone])
    run(connection, statements.DROP_WALLETS_OF, [(~group_id,) for group_id in gone])


def known_people(connection: Connection, customer_ids: Iterable[int]) -> dict[int, Person]:
    """Those of them that are kept, as a search knows them."""
    asked = list(customer_ids)
    if not asked:
        return {}
    return {row[0]: Person(*row) for row in _read(connection, statements.KNOWN_PEOPLE, (json.dumps(asked),))}


def change_people(
    connection: Connection, changes: Sequence[tuple[Person | None, Person | None]], *, anew: bool = False
) -> None:
    """Bring the tables of the search up to date for people as they were and as they are now; None: not there.

    Most changes change nothing in them. `anew`: write all identifiers, whatever stands there.
    """
    if not anew:
        changes = [each for each in changes if not _is_called_the_same(*each)]
    for place in PLACES if changes else ():
        dropped, put = entries.changed(place, changes, anew=anew)
        run(connection, place.drop, dropped)
        run(connection, place.put, put)


def _is_called_the_same(before: Person | None, after: Person | None) -> bool:
    return before is not None and after is not None and before[:-1] == after[:-1]


def drop_customers(connection: Connection, customer_ids: Sequence[int]) -> None:
    """Forget customers with everything that stands with them."""
    known = known_people(connection, customer_ids)
    change_people(connection, [(person, None) for person in known.values()])
    gone = [(customer_id,) for customer_id in customer_ids]
    run(connection, statements.DROP_CUSTOMER, gone)
    run(connection, statements.DROP_WALLETS_OF, gone)


def index_people(connection: Connection, place: int, after_id: int, limit: int) -> int | None:
    """Fill one table of the search for the next customers; returns the last one's id, None when there are no more."""
    found = _read(connection, statements.PEOPLE_FROM, (after_id, limit))
    if not found:
        return None
    people = [Person(*row) for row in found]
    run(connection, PLACES[place].put, entries.added(PLACES[place], people))
    return people[-1].customer_id
