"""The tills of a ledger: who calls, and what her login fixes (contract 1.2)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from pos_app.ledger import schema
from pos_app.ledger.database import raise_rules_version

if TYPE_CHECKING:
    from pos_app.ledger.book import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class Till:
    """The till that calls. Its login fixes the organisation; its program is the default of its questions (2.3)."""

    login: str
    organisation_id: int
    store: str
    name: str = ""
    program_id: int | None = None
    currency: str = ""
    currency_rate: Decimal = Decimal(1)
    """From the base currency to the till's."""
    state: str = "ACTIVE"
    till_epoch: int = 0


def digest_of(password: str) -> str:
    """The lower-case hexadecimal MD5 digest that travels instead of the password (contract 1.2)."""
    return hashlib.md5(password.encode("utf-8"), usedforsecurity=False).hexdigest()


def proof_of(digest: str, pepper: bytes) -> str:
    """What the ledger stores of a digest: cheap to check on every request, useless without the pepper."""
    return hmac.new(pepper, digest.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


class TillRefusedError(ValueError):
    """This till cannot be added; the message is a sentence for the administrator."""


def add_till(
    book: Book, *, organisation_id: int, store: str, login: str, name: str = "", program_id: int | None = None
) -> str:
    """Add a till, and return its random password: shown once, kept nowhere.

    Raises:
        TillRefusedError: the login is taken or cannot be one, or organisation or program are not known.
        LedgerBusyError: the database was not had in time.
    """
    if not login.strip() or ":" in login:
        raise TillRefusedError("A login must not be empty and must not contain a colon.")
    password = secrets.token_urlsafe(18)
    with book.store.write() as connection:
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
    return password
