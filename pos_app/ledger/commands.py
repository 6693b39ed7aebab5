"""What an administrator does to a ledger from the command line; each ends with a sentence and an exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from pos_app.files.clock import SystemClock
from pos_app.ledger.book import Book
from pos_app.ledger.databases.backend import database_file
from pos_app.ledger.databases.database import Store
from pos_app.ledger.errors import BadDatabaseUrlError, LedgerBusyError
from pos_app.ledger.leases.settings import LeaseSettings
from pos_app.ledger.secrets import LedgerSecrets, SecretsDamagedError
from pos_app.ledger.sending.senders import CodeSender
from pos_app.ledger.sending.settings import SenderSettings
from pos_app.ledger.store import open_book
from pos_app.services.ports import Clock

Say = Callable[[str], None]
BUSY: Final = "The ledger's database is busy or does not answer; nothing was done. Try again."
BROKEN: Final = "The ledger's database cannot be used: it went away, or it is damaged. Look at the database first."
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
        file = database_file(make_url(self.url))
        return self.data_folder / "ledger-secrets" if file is None else file.with_name(f"{file.name}.secrets")

    def open(
        self,
        sender: CodeSender | str | None = None,
        *,
        sender_settings: SenderSettings | None = None,
        lease_settings: LeaseSettings | None = None,
        extension: bool = True,
        must_exist: bool = False,
        clock: Clock | None = None,
    ) -> Book:
        """Open the ledger; what is missing is made, unless it `must_exist`: an empty ledger has no differences.

        Raises:
            CannotOpenError: with a sentence for the administrator.
        """
        with self._opening(must_exist=must_exist):
            return open_book(
                self.url,
                secrets=LedgerSecrets.open(self.secrets),
                clock=clock or SystemClock(),
                sender=sender,
                sender_settings=sender_settings,
                lease_settings=lease_settings,
                extension=extension,
                must_exist=must_exist,
            )

    def open_store(self, *, must_exist: bool) -> Store:
        """Open only the database: secrets are neither read nor made.

        Raises:
            CannotOpenError: with a sentence for the administrator.
        """
        with self._opening(must_exist=must_exist):
            return Store(self.url, SystemClock(), must_exist=must_exist)

    @contextmanager
    def _opening(self, *, must_exist: bool) -> Iterator[None]:
        try:
            if (file := database_file(make_url(self.url))) is not None:
                if must_exist and not file.exists():
                    raise CannotOpenError(f"There is no ledger at {file}: check --db.")
                file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            yield
        except ArgumentError:
            raise CannotOpenError("--db: the database must be given as a URL, KIND:///FILE.") from None
        except (BadDatabaseUrlError, SecretsDamagedError, LedgerBusyError) as error:
            raise CannotOpenError(f"This ledger cannot be opened: {error}.") from error
        except OSError as error:
            raise CannotOpenError(f"This ledger cannot be opened: {error.strerror}.") from error


class CannotOpenError(Exception):
    """The ledger cannot be opened; the message is a sentence for the administrator."""
