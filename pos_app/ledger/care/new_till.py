"""Adding a till to a ledger (sync-api 4.1, step 1)."""

from __future__ import annotations

import secrets

from sqlalchemy import insert, select

from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.care import audit
from pos_app.ledger.databases.database import raise_rules_version
from pos_app.ledger.databases.locks import hold_setup
from pos_app.ledger.errors import CareRefusedError
from pos_app.ledger.tills import digest_of, proof_of


class TillRefusedError(CareRefusedError):
    """This till cannot be added; the message is a sentence for the administrator."""


def add_till(
    book: Book, *, organisation_id: int, store: str, login: str, name: str = "", program_id: int | None = None
) -> str:
    """Add a till, and return its random password: shown once, kept nowhere.

    Raises:
        TillRefusedError: the login is taken or cannot be one, or organisation or program are not known.
        LedgerBusyError: the database was not had in time.
    """
    if not login.strip() or ":" in login or not login.isprintable():
        raise TillRefusedError("A login must not be empty and must not contain a colon or a control character.")
    password = new_password()
    with book.store.write() as connection:
        hold_setup(connection)
        rules = book.rules(connection).organisations.get(organisation_id)
        if rules is None:
            raise TillRefusedError(f"There is no organisation {organisation_id} in this ledger.")
        if program_id is not None and program_id not in rules.programs:
            raise TillRefusedError(f"Organisation {organisation_id} has no program {program_id}.")
        taken = connection.execute(select(schema.till.c.org).where(schema.till.c.login == login)).first()
        if taken is not None:
            raise TillRefusedError("This login is taken; choose another one.")
        connection.execute(
            insert(schema.till).values(
                login=login,
                org=organisation_id,
                proof=proof_of(digest_of(password), book.secrets.pepper),
                store=store,
                name=name,
                program_id=program_id,
                currency=rules.organisation.currency,
            )
        )
        raise_rules_version(connection)
        audit.record(
            connection,
            at=book.clock.wall(),
            org=organisation_id,
            act="till.add",
            who=audit.COMMAND_LINE,
            target=login,
            detail={"store": store, "program_id": program_id},
        )
    return password


def new_password() -> str:
    """A random password for a till: 24 characters that stand in any file and on any keyboard."""
    return secrets.token_urlsafe(18)
