"""The ledger's side of a schedule: the product's Book and its WSGI face over one file, which may die and come back."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, cast

from simulate.shops import Shop, Shops
from simulate.virtual import Time, VirtualClock
from support.a_ledger import CollectingSender

from pos_app.domain.points import Points
from pos_app.files.database import connect_plain
from pos_app.gateway.replies import Reply
from pos_app.ledger.book import Book
from pos_app.ledger.care import jobs
from pos_app.ledger.care.backup import back_up
from pos_app.ledger.care.backup_file import BackupFile
from pos_app.ledger.care.practice_moves import Credit, earn
from pos_app.ledger.care.restore import restore
from pos_app.ledger.crediting import Owner
from pos_app.ledger.databases.database import Store
from pos_app.ledger.http.app import LedgerApp, make_app
from pos_app.ledger.store import open_book

_RESTORE_S = 90.0
"""Nobody brings a ledger back in less."""


class Face:
    """The WSGI application of one server process, made once: making it takes longer than twenty requests.

    It keeps nothing of what it answers, so it may stand before one book after the other.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._book: Book | None = None
        self._app: LedgerApp | None = None

    def before(self, book: Book) -> LedgerApp:
        """The application before this book."""
        self._book = book
        if self._app is None:
            self._app = make_app(cast(Book, self), clock=self._clock)
        return self._app

    def __getattr__(self, name: str) -> Any:
        return getattr(self._book, name)


class Central:
    """One ledger, and what a schedule may do to it. `is_down`: nobody answers."""

    def __init__(self, folder: Path, shops: Shops, shop: Shop, time: Time, faces: tuple[Face, Face]) -> None:
        self._shops = shops
        self._shop = shop
        self._faces = faces
        self.clock = VirtualClock(time)
        self.sender = CollectingSender()
        self.is_down = False
        self.serving = 0
        """How many requests it answers at this moment: what commits now is the ledger."""
        self.is_at_work = False
        """Whether somebody works on it beside the tills."""
        self.restores = 0
        self._folder = folder
        self._file = folder / "ledger.db"
        shutil.copyfile(shops.ledger(shop), self._file)
        self._copies: list[Path] = []
        self._second: Book | None = None
        self._open()

    # --- What it answers ---------------------------------------------------------------------------------------------

    def answer(self, environment: dict[str, Any], body: bytes) -> Reply:
        """Serve one request; LedgerKilledError goes through."""
        environment = {**environment, "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO()}
        started: list[tuple[str, list[tuple[str, str]]]] = []
        first, second = self._faces
        app = second.before(self._second_book()) if self.serving else first.before(self.book)
        self.serving += 1
        try:
            parts = b"".join(app(environment, lambda status, sent, *_: started.append((status, sent))))
        finally:
            self.serving -= 1
        status, headers = started[0][0], {name.lower(): value for name, value in started[0][1]}
        return Reply(
            status=int(status.split()[0]),
            body=parts,
            retry_after=headers.get("retry-after", ""),
            date=headers.get("date", ""),
            asks_for_login="www-authenticate" in headers,
        )

    # --- What happens to it ------------------------------------------------------------------------------------------

    def restart(self, *, is_killed: bool = False) -> None:
        """Its processes end and begin again over the same file; one that is killed writes nothing down before."""
        with self.at_work():
            self._stop(is_killed=is_killed)
            self._open()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Somebody works on the ledger itself."""
        self.is_at_work = True
        try:
            yield
        finally:
            self.is_at_work = False

    def copy(self) -> None:
        """Somebody makes a backup."""
        file = self._folder / f"backup-{len(self._copies)}"
        secrets = self._shops.folder / "secrets"
        with self.at_work():
            back_up(self.book.store, file, secrets=secrets, with_secrets=False, now=self.clock.wall())
        self._copies.append(file)

    def restore(self, number: int) -> None:
        """The file is lost, and a backup is brought back as `ledger restore` does."""
        with self.at_work():
            self._stop()
        self.clock.sleep(_RESTORE_S)
        self.restores += 1
        self._file = self._folder / f"restored-{self.restores}.db"
        shutil.copyfile(self._shops.empty, self._file)
        with self.at_work(), closing(BackupFile(self._copies[number])) as backup:
            with closing(Store(f"sqlite:///{self._file}", self.clock)) as store:
                restore(store, backup, now=self.clock.wall())
            self._open()

    @property
    def copies(self) -> int:
        """How many backups there are."""
        return len(self._copies)

    def run_jobs(self, *, at_once: bool = False) -> None:
        """Expiry, reclaim and whatever else the ledger does by itself, as far as it is due, or all of it."""
        with self.at_work():
            jobs.Jobs(self.book).run(at_once=at_once)

    def earn(self, customer_id: int, program_id: int, points: int, expires_on: date | None) -> None:
        """The customer gets points."""
        owner = Owner(organisation_id=1, customer_id=customer_id)
        credit = Credit(
            owner=owner, program_id=program_id, points=Points.of(points), expires_on=expires_on, awarded_on=None
        )
        with self.at_work():
            earn(self.book.tools, credit)

    def code_of(self, customer_id: int) -> str | None:
        """The newest code in the customer's messages."""
        return next((each.code for each in reversed(self.sender.messages) if each.customer_id == customer_id), None)

    def close(self) -> None:
        """End of the schedule."""
        self._stop()

    # --- What a test sees behind it ----------------------------------------------------------------------------------

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Read the file past the product."""
        found: list[tuple[Any, ...]] = self._watcher.execute(statement, parameters).fetchall()
        return found

    def version(self) -> int:
        """Changes whenever anybody has written to the file."""
        return int(self._watcher.execute("PRAGMA data_version").fetchone()[0])

    def _open(self) -> None:
        self.book: Book = self._new_book()
        self._watcher = connect_plain(self._file)

    def _second_book(self) -> Book:
        """The second server process over the same file, asked while the first one is in the middle of an answer."""
        if self._second is None:
            self._second = self._new_book()
        return self._second

    def _new_book(self) -> Book:
        return open_book(
            f"sqlite:///{self._file}",
            secrets=self._shops.secrets,
            clock=self.clock,
            sender=self.sender,
            lease_settings=self._shop.settings,
        )

    def _stop(self, *, is_killed: bool = True) -> None:
        self._watcher.close()
        for book in [self.book] + ([self._second] if self._second is not None else []):
            with suppress(Exception):
                (book.store if is_killed else book).close()
        self._second = None


def environment_of(
    method: str, path: str, query: str, headers: Mapping[str, str], body: bytes | None
) -> dict[str, Any]:
    """A request as a server hands it to the application, but for its body."""
    environment: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        plain = name.upper().replace("-", "_")
        environment[plain if plain == "CONTENT_TYPE" else f"HTTP_{plain}"] = value
    if body:
        environment["CONTENT_LENGTH"] = str(len(body))
    return environment
