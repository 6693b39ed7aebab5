"""What an administrator does to a ledger from the command line; each ends with a sentence and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from pos_app.files.clock import SystemClock
from pos_app.ledger.book import Book
from pos_app.ledger.errors import BadDatabaseUrlError, LedgerBusyError
from pos_app.ledger.importer import ControlTotal, ImportRefusedError, import_file
from pos_app.ledger.new_till import TillRefusedError, add_till
from pos_app.ledger.secrets import LedgerSecrets, SecretsDamagedError
from pos_app.ledger.senders import CodeSender
from pos_app.ledger.store import open_book

Say = Callable[[str], None]
DONE: Final = 0
DIFFERS: Final = 1
TROUBLE: Final = 2


@dataclass(frozen=True, slots=True)
class LedgerPlace:
    """A ledger: its database address, and the folder of its secrets when another one was named (sync-api 14)."""

    url: str
    secrets_folder: Path | None
    data_folder: Path

    @property
    def secrets(self) -> Path:
        """Beside a database that is a file; in the user's data folder when it is a server."""
        if self.secrets_folder is not None:
            return self.secrets_folder
        parsed = make_url(self.url)
        if parsed.host is None and parsed.database:
            return Path(f"{parsed.database}.secrets")
        return self.data_folder / "ledger-secrets"

    def open(self, sender: CodeSender | None = None, *, extension: bool = True, must_exist: bool = False) -> Book:
        """Open the ledger; what is missing is made, unless it `must_exist`: an empty ledger has no differences.

        Raises:
            CannotOpenError: with a sentence for the administrator.
        """
        try:
            folder = self.secrets
            if not (parsed := make_url(self.url)).host and parsed.database:
                file = Path(parsed.database)
                if must_exist and not file.exists():
                    raise CannotOpenError(f"There is no ledger at {file}: check --db.")
                file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            kept = LedgerSecrets.open(folder)
            return open_book(self.url, secrets=kept, clock=SystemClock(), sender=sender, extension=extension)
        except ArgumentError:
            raise CannotOpenError("--db: the database must be given as a URL, KIND:///FILE.") from None
        except (BadDatabaseUrlError, SecretsDamagedError, LedgerBusyError) as error:
            raise CannotOpenError(f"This ledger cannot be opened: {error}.") from error
        except OSError as error:
            raise CannotOpenError(f"This ledger cannot be opened: {error.strerror}.") from error


class CannotOpenError(Exception):
    """The ledger cannot be opened; the message is a sentence for the administrator."""


def import_into(place: LedgerPlace, file: Path, *, keep_good: bool, say: Say) -> int:
    """Load a file in the import format. Exit 1 when lines were refused."""
    is_input = str(file) == "-"
    try:
        opened = sys.stdin.buffer if is_input else file.open("rb")
    except OSError as error:
        say(f"{file} cannot be read ({error.strerror}).")
        return TROUBLE
    with opened as lines:
        try:
            book = place.open()
        except CannotOpenError as error:
            say(str(error))
            return TROUBLE
        name = "standard input" if is_input else str(file)
        return _load(book, lines, name, keep_good=keep_good, say=say)


def _load(book: Book, lines: Iterable[bytes], name: str, *, keep_good: bool, say: Say) -> int:
    try:
        total = import_file(book, lines, file_name=name, keep_good=keep_good, progress=_progress())
    except ImportRefusedError as error:
        say(str(error))
        return DIFFERS
    finally:
        book.close()
    say(str(total))
    return DIFFERS if total.refused else DONE


def _progress() -> Callable[[ControlTotal], None] | None:
    """A line that is rewritten, on a terminal only."""
    if not sys.stderr.isatty():
        return None

    def show(total: ControlTotal) -> None:
        sys.stderr.write(f"\r{total}")
        sys.stderr.flush()

    return show


def verify_ledger(place: LedgerPlace, say: Say) -> int:
    """Recompute everything from the entries. Exit 1 on a difference."""
    try:
        book = place.open(must_exist=True)
    except CannotOpenError as error:
        say(str(error))
        return TROUBLE
    try:
        differences = book.verify()
    finally:
        book.close()
    for each in differences:
        say(str(each))
    say("The ledger is clean." if not differences else f"{len(differences)} differences.")
    return DIFFERS if differences else DONE


def add_ledger_till(
    place: LedgerPlace,
    say: Say,
    *,
    organisation: int,
    store: str,
    login: str,
    name: str,
    program_id: int | None,
) -> int:
    """Add a till. Its random password is printed once."""
    try:
        book = place.open()
    except CannotOpenError as error:
        say(str(error))
        return TROUBLE
    try:
        password = add_till(
            book, organisation_id=organisation, store=store, login=login, name=name, program_id=program_id
        )
    except TillRefusedError as error:
        say(str(error))
        return DIFFERS
    finally:
        book.close()
    say(f"Till {login} was added. Its password, shown this once: {password}")
    return DONE
