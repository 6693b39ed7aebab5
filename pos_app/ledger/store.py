"""Opens a ledger."""

from __future__ import annotations

from pos_app.ledger.book import Book
from pos_app.ledger.database import Store
from pos_app.ledger.secrets import LedgerSecrets
from pos_app.ledger.senders import CodeSender
from pos_app.services.ports import Clock


def open_book(
    url: str,
    *,
    secrets: LedgerSecrets,
    clock: Clock,
    sender: CodeSender | None = None,
    extension: bool = True,
) -> Book:
    """Open the ledger at a database URL; its tables are made when they are missing.

    `sender` is where codes go unless an organisation says otherwise; without any, none can be sent (876, 860).
    `extension` False is a ledger that offers v1.1 only (sync-api 1).

    Raises:
        BadDatabaseUrlError: the URL cannot be used, or the database is of another version.
        LedgerBusyError: somebody else is making the same database.
    """
    return Book(Store(url, clock), secrets=secrets, clock=clock, sender=sender, has_extension=extension)
