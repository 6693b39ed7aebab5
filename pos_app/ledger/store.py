"""Opens a ledger."""

from __future__ import annotations

from pos_app.ledger.book import Book
from pos_app.ledger.databases.database import Store
from pos_app.ledger.leases.settings import LeaseSettings
from pos_app.ledger.secrets import LedgerSecrets
from pos_app.ledger.sending.senders import CodeSender
from pos_app.ledger.sending.settings import SenderSettings
from pos_app.services.ports import Clock


def open_book(
    url: str,
    *,
    secrets: LedgerSecrets,
    clock: Clock,
    sender: CodeSender | str | None = None,
    sender_settings: SenderSettings | None = None,
    lease_settings: LeaseSettings | None = None,
    extension: bool = True,
    must_exist: bool = False,
) -> Book:
    """Open the ledger at a database URL; its tables are made when they are missing, unless they `must_exist`.

    `sender` is where codes go unless an organisation says otherwise, itself or as a setting names it; without any,
    none can be sent (876, 860). `sender_settings` say how; `lease_settings` how much tills may hold.
    `extension` False is a ledger that offers v1.1 only (sync-api 1).

    Raises:
        BadDatabaseUrlError: the URL cannot be used, or the database is of another version.
        LedgerBusyError: somebody else is making the same database.
        UnknownSenderError: the text names no sender.
    """
    return Book(
        Store(url, clock, must_exist=must_exist),
        secrets=secrets,
        clock=clock,
        sender=sender,
        sender_settings=sender_settings,
        lease_settings=lease_settings,
        has_extension=extension,
    )
