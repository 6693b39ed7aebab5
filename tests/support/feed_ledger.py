"""Rows of the feed for tests, and a small ledger that offers them: snapshots, changes and lookups, all in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from support.builders import (
    CUSTOMER_ID,
    FAMILY_GROUP_ID,
    NOW,
    a_customer,
    a_family_group,
    a_program,
    a_wallet,
    an_organisation,
)

from pos_app.domain.facts import Customer, FamilyGroup, Organisation, Program, Wallet
from pos_app.domain.feed import (
    CardTold,
    ChangesPage,
    CustomerRows,
    FeedItem,
    OperatorTold,
    OrganisationTold,
    Scope,
    SnapshotPage,
    WalletTold,
)
from pos_app.domain.leases import Owner, OwnerKind
from pos_app.domain.points import Points
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.domain.trouble import SyncRefusedError, Trouble
from pos_app.wire import feed_rows

ORDER = ("organisation", "program", "operator", "customer", "wallet", "family_group")
WALLET_ID = 900_001


def customer_item(customer: Customer | None = None, cards: tuple[CardTold, ...] | None = None) -> FeedItem:
    """The row of a customer; her cards are in use unless given."""
    her = customer or a_customer()
    if cards is None:
        cards = tuple(CardTold(number=number) for number in her.cards)
    return FeedItem("customer", her.customer_id, feed_rows.customer_row(her, cards))


def wallet_item(
    wallet: Wallet | None = None,
    *,
    wallet_id: int = WALLET_ID,
    owner: int = CUSTOMER_ID,
    kind: OwnerKind = OwnerKind.CUSTOMER,
    version: int = 1,
    held: int = 0,
) -> FeedItem:
    """The row of a wallet."""
    told = wallet or a_wallet()
    lots = tuple(replace(lot, lot_id=lot.lot_id or 7000 + place) for place, lot in enumerate(told.lots))
    row = WalletTold(
        owner=Owner(kind, owner),
        version=version,
        wallet=replace(told, lots=lots),
        held_offline=Points.of(held),
        months=(("2026-10", told.balance),),
    )
    return FeedItem("wallet", wallet_id, feed_rows.wallet_row(row))


def family_item(group: FamilyGroup | None = None) -> FeedItem:
    """The row of a family group."""
    told = group or a_family_group()
    return FeedItem("family_group", told.group_id, feed_rows.family_group_row(told))


def program_item(program: Program | None = None) -> FeedItem:
    """The row of a program."""
    told = program or a_program()
    return FeedItem("program", told.program_id, feed_rows.program_row(told))


def organisation_item(organisation: Organisation | None = None) -> FeedItem:
    """The row of the organisation."""
    told = organisation or an_organisation()
    row = feed_rows.organisation_row(OrganisationTold(organisation=told))
    return FeedItem("organisation", told.organisation_id, row)


def operator_item(operator_id: int = 12) -> FeedItem:
    """The row of an operator."""
    told = OperatorTold(operator_id=operator_id, name="R. Mehta", role="supervisor", badge="B-1", stores=("014",))
    return FeedItem("operator", operator_id, feed_rows.operator_row(told))


def gone(kind: str, number: int) -> FeedItem:
    """What is no more."""
    return FeedItem(kind, number, None)


def many_items(count: int, first: int = 1) -> list[FeedItem]:
    """So many customers, each with a mobile, an e-mail, an external id and one wallet."""
    items = []
    for number in range(first, first + count):
        her = a_customer(
            number, mobile=f"9190000{number:05}", email=f"c{number}@example.org", external_id=f"X-{number:05}"
        )
        items += [customer_item(her), wallet_item(owner=number, wallet_id=number)]
    return items


A_SHOP = (
    organisation_item(),
    program_item(),
    operator_item(),
    customer_item(a_customer(default_family_group_id=FAMILY_GROUP_ID)),
    wallet_item(),
    family_item(),
)
"""One of each kind: Ada with 500 points, in a family group of hers."""


class FeedLedger:
    """The feed's half of `services.sync_port.SyncLedger`. Rows are put and dropped by the test."""

    def __init__(self, items: Iterable[FeedItem] = A_SHOP) -> None:
        self.epoch = 3
        self.schema = 1
        self.rows: dict[tuple[str, int], Mapping[str, Any]] = {}
        self.log: list[FeedItem] = []
        self.asked: list[str] = []
        self.trouble: list[Trouble] = []
        """Raised by the next calls, one each."""
        self.before_answer: Callable[[str], None] = lambda _call: None
        self.oldest = 0
        self.takes_old_cursors = False
        """Whether changes are told across a restore, with the new epoch."""
        self.put(*items)

    def put(self, *items: FeedItem) -> None:
        """Change rows (None: they go)."""
        for item in items:
            if item.row is None:
                self.rows.pop((item.type, item.id), None)
            else:
                self.rows[item.type, item.id] = item.row
            self.log.append(item)

    def restore(self) -> None:
        """The ledger was restored from a backup: another epoch, and old cursors mean nothing."""
        self.epoch += 1

    def snapshot(self, scope: Scope, page: str | None = None, limit: int = 1000) -> SnapshotPage:
        """A page of all rows; the token names the epoch, the feed's place and how many rows were given."""
        self._answer("snapshot" if page is None else "snapshot page")
        epoch, as_of, start = (self.epoch, len(self.log), 0) if page is None else map(int, page.split("."))
        if epoch != self.epoch:
            raise SyncRefusedError("page_expired")
        ordered = sorted(self.rows, key=lambda name: (ORDER.index(name[0]) if name[0] in ORDER else 9, name[1]))
        given = ordered[start : start + limit]
        more = start + limit < len(ordered)
        return SnapshotPage(
            epoch=self.epoch,
            schema=self.schema,
            scope=scope,
            as_of=f"{epoch}.{as_of}.{scope}",
            server_time=NOW,
            counts={"customers": sum(kind == "customer" for kind, _ in ordered), "wallets": 0, "family_groups": 0},
            items=[FeedItem(kind, number, self.rows[kind, number]) for kind, number in given],
            next_page=f"{epoch}.{as_of}.{start + limit}" if more else None,
        )

    def changes(self, cursor: str, limit: int = 500) -> ChangesPage:
        """What was put after a cursor."""
        self._answer("changes")
        epoch, seq, scope = cursor.split(".")
        if int(epoch) != self.epoch and not self.takes_old_cursors:
            raise SyncRefusedError("epoch_changed")
        if int(seq) < self.oldest:
            raise SyncRefusedError("cursor_too_old")
        items = self.log[int(seq) : int(seq) + limit]
        reached = int(seq) + len(items)
        return ChangesPage(
            epoch=self.epoch,
            schema=self.schema,
            server_time=NOW,
            items=items,
            next_cursor=f"{epoch}.{reached}.{scope}",
            has_more=reached < len(self.log),
        )

    def customer_rows(self, customer: CustomerRef) -> CustomerRows | None:
        """The rows of one customer, found by her id, mobile or card."""
        self._answer("customer")
        for (kind, number), row in self.rows.items():
            if kind == "customer" and self._is_named(number, row, customer):
                owned = [
                    FeedItem(*name, each)
                    for name, each in self.rows.items()
                    if name[0] == "wallet" and each["owner"] == {"kind": "customer", "id": number}
                ]
                groups = [
                    FeedItem(*name, each)
                    for name, each in self.rows.items()
                    if name[0] == "family_group" and any(m["customer_id"] == number for m in each["members"])
                ]
                return CustomerRows(
                    epoch=self.epoch, server_time=NOW, items=[FeedItem(kind, number, row), *owned, *groups]
                )
        return None

    def _answer(self, call: str) -> None:
        self.asked.append(call)
        self.before_answer(call)
        if self.trouble:
            raise self.trouble.pop(0)

    @staticmethod
    def _is_named(number: int, row: Mapping[str, Any], customer: CustomerRef) -> bool:
        match customer.kind:
            case IdentifierKind.ID:
                return str(number) == customer.value
            case IdentifierKind.CARD_NUMBER:
                return any(card["number"] == customer.value for card in row["cards"])
            case _:
                return bool(row["mobile"] == customer.value)


def snapshot_pages(items: Iterable[FeedItem], limit: int = 1000, scope: Scope = Scope.STORE) -> list[SnapshotPage]:
    """A whole snapshot of these rows, as a ledger gives it."""
    ledger = FeedLedger(items)
    pages = [ledger.snapshot(scope, None, limit)]
    while pages[-1].next_page is not None:
        pages.append(ledger.snapshot(scope, pages[-1].next_page, limit))
    return pages


def changes_page(*items: FeedItem, cursor: str = "3.99.store", has_more: bool = False) -> ChangesPage:
    """One page of changes."""
    return ChangesPage(epoch=3, schema=1, server_time=NOW, items=list(items), next_cursor=cursor, has_more=has_more)
