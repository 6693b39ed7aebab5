"""A small real `Book` in a folder, filled through the import, and what a test may look at beside its answers.

Lines are made by the builders of `support.ledger_server`; codes are collected instead of sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import func, select
from support.clock import FakeClock
from support.ledger_server import LOGIN

from pos_app.domain.commands import Redeem
from pos_app.domain.points import Points
from pos_app.domain.request import AskedPoints, CustomerRef, IdentifierKind, RedemptionRequest
from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.loading.importer import import_file
from pos_app.ledger.local import LocalLedger
from pos_app.ledger.secrets import LedgerSecrets
from pos_app.ledger.sending.senders import SMS_FIRST, CodeMessage, CodeSender, SenderFailedError
from pos_app.ledger.sending.settings import SenderSettings
from pos_app.ledger.store import open_book
from pos_app.services.ports import Ledger

Line = Mapping[str, Any]


class CollectingSender:
    """A `CodeSender` that keeps what it was given; while `is_broken` nothing leaves."""

    channels = SMS_FIRST

    def __init__(self) -> None:
        self.messages: list[CodeMessage] = []
        self.is_broken = False

    def send(self, message: CodeMessage) -> str:
        if self.is_broken:
            raise SenderFailedError
        self.messages.append(message)
        return message.channel

    @property
    def codes(self) -> list[str]:
        return [message.code for message in self.messages]


def encoded(lines: Iterable[Line]) -> list[bytes]:
    """Lines as a file holds them."""
    return [json.dumps(line).encode("utf-8") + b"\n" for line in lines]


@contextmanager
def a_book(
    folder: Path,
    lines: Iterable[Line] = (),
    *,
    url: str | None = None,
    clock: FakeClock | None = None,
    sender: CodeSender | str | None = None,
    sender_settings: SenderSettings | None = None,
    extension: bool = True,
) -> Iterator[Book]:
    """A ledger of its own, closed at the end; on SQLite in `folder` where no other `url` is given."""
    book = open_book(
        url or f"sqlite:///{folder / 'ledger.db'}",
        secrets=LedgerSecrets.open(folder / "secrets"),
        clock=clock or FakeClock(),
        sender=sender,
        sender_settings=sender_settings,
        extension=extension,
    )
    try:
        import_file(book, encoded(lines), file_name="lines")
        yield book
    finally:
        book.close()


def everything_kept(book: Book) -> str:
    """Every row of every table, to be searched for what must not be there."""
    with book.store.read() as connection:
        return "\n".join(
            str(tuple(row)) for table in schema.metadata.sorted_tables for row in connection.execute(select(table))
        )


class LedgerKit(Protocol):
    """What the contract's tests need: the port, and a view behind it."""

    ledger: Ledger

    @property
    def codes_sent(self) -> list[str]:
        """The codes customers were sent, oldest first."""
        ...

    def balance(self, customer_id: int, program_id: int) -> Points:
        """What the customer's lots hold."""
        ...

    def entry_count(self, key: str) -> int:
        """How many entries a key has left."""
        ...


@dataclass
class BookKit:
    """`LedgerKit` over a `Book`; also the view behind a ledger that is reached in another way."""

    book: Book
    sender: CollectingSender = field(default_factory=CollectingSender)
    login: str = LOGIN

    def __post_init__(self) -> None:
        self.ledger: Ledger = LocalLedger(self.book, self.login)

    @property
    def codes_sent(self) -> list[str]:
        return self.sender.codes

    def balance(self, customer_id: int, program_id: int) -> Points:
        wallet, lot = schema.wallet, schema.lot
        held = (
            select(func.coalesce(func.sum(lot.c.rem), 0))
            .join_from(lot, wallet)
            .where(wallet.c.customer_id == customer_id, wallet.c.program_id == program_id)
        )
        with self.book.store.read() as connection:
            return Points(connection.execute(held).scalar_one())

    def entry_count(self, key: str) -> int:
        count = select(func.count()).select_from(schema.entry).where(schema.entry.c.key == key)
        with self.book.store.read() as connection:
            return int(connection.execute(count).scalar_one())


@contextmanager
def a_kit(
    folder: Path,
    lines: Iterable[Line],
    *,
    url: str | None = None,
    clock: FakeClock | None = None,
    login: str = LOGIN,
    extension: bool = True,
) -> Iterator[BookKit]:
    """A `Book`, its port, and the codes it sent; on SQLite in `folder` where no other `url` is given."""
    sender = CollectingSender()
    with a_book(folder, lines, url=url, clock=clock, sender=sender, extension=extension) as book:
        yield BookKit(book, sender, login)


# --- Questions -----------------------------------------------------------------------------------------------------


def by_id(customer_id: int) -> CustomerRef:
    """A customer by her own id."""
    return CustomerRef(IdentifierKind.ID, str(customer_id))


def asking(customer_id: int, points: int | str, **changes: Any) -> RedemptionRequest:
    """May this customer redeem so many points?"""
    return RedemptionRequest(customer=by_id(customer_id), amount=AskedPoints(Points.of(points)), **changes)


def redeeming(customer_id: int, points: int | str, key: str | None = None, **changes: Any) -> Redeem:
    """Redeem so many points. Names of a request's fields may be given beside the command's own."""
    own = {name: changes.pop(name) for name in Redeem.__dataclass_fields__ if name in changes}
    return Redeem(request=asking(customer_id, points, **changes), key=key, **own)
