"""Wires a live till, a training till or a ledger. The only file that knows every room.

Each function imports what it wires, so that training never loads `gateway` and the window is painted before
SQLAlchemy and requests are read from disk.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pos_app import __version__
from pos_app.domain.trouble import LineDownError, StorageError
from pos_app.files.resources import RESOURCES
from pos_app.services.till import TillServices, TillView
from pos_app.settings import Place, Settings, TillError

if TYPE_CHECKING:
    from pos_app.files.secrets import TillSecrets
    from pos_app.ledger.book import Book
    from pos_app.ledger.commands import LedgerPlace
    from pos_app.services.ports import Cache, Clock, Journal, Ledger, Waits
    from pos_app.services.validation import ValidationService
    from pos_app.training.start import Stage

Report = Callable[[str, bool, str], None]


def waits_of(settings: Settings) -> Waits:
    """The waiting times as the services take them."""
    from pos_app.services.ports import Waits

    return Waits(
        connect_s=settings.retry_connect_s,
        read_s=settings.retry_read_s,
        foreground_s=settings.retry_foreground_s,
        base_s=settings.retry_base_s,
        cap_s=settings.retry_cap_s,
    )


def view_of(settings: Settings, *, is_training: bool = False) -> TillView:
    """What the window shows of the till before anything was looked up."""
    return TillView(
        store=settings.till_store,
        till=settings.till_name or settings.ledger_login,
        is_training=is_training,
        bill=settings.sale_bill,
        ask_before_code=settings.code_ask_first,
        resend_waits_s=settings.code_resend_waits_s,
        code_validity_s=int(settings.code_validity_minutes * 60),
        whole_values_only=settings.entry_whole_values,
        theme=settings.look_theme,
        base_px=int(settings.look_text_px),
    )


def join_services(
    ledger: Ledger,
    journal: Journal,
    cache: Cache,
    clock: Clock,
    waits: Waits,
    *,
    key_prefix: str = "",
    has_idempotent_redeem: bool = False,
    has_secrets_file: bool = False,
) -> TillServices:
    """Join the services of one till over whatever ledger, journal and cache it has."""
    import secrets

    from pos_app.services.line import Line
    from pos_app.services.lookup import LookupService
    from pos_app.services.redemption import RedemptionService
    from pos_app.services.validation import ValidationService

    line = Line(ledger, clock)
    return TillServices(
        clock=clock,
        line=line,
        lookup=LookupService(ledger, cache, line, clock),
        validation=ValidationService(ledger, cache, line, clock),
        redemptions=RedemptionService(
            ledger=ledger,
            journal=journal,
            cache=cache,
            line=line,
            clock=clock,
            random_bytes=secrets.token_bytes,
            waits=waits,
            key_prefix=key_prefix,
            has_idempotent_redeem=has_idempotent_redeem,
        ),
        has_secrets_file=has_secrets_file,
    )


class Wired(NamedTuple):
    """A till's services, and how to close what is under them."""

    services: TillServices
    close: Callable[[], None]


def http_ledger(settings: Settings, digest: str, clock: Clock) -> Ledger:
    """The ledger at the address of the settings.

    Raises:
        NotSafeError: plain HTTP to another machine.
    """
    from pos_app.gateway import HttpLedger

    return HttpLedger(
        settings.ledger_url,
        settings.ledger_login,
        digest,
        waits=waits_of(settings),
        ca_file=settings.ledger_ca_file,
        proxy=settings.ledger_proxy or None,
        clock=clock,
        software=__version__,
    )


def live_till(settings: Settings, folder: Path, kept: TillSecrets, clock: Clock) -> Wired:
    """Wire a live till over its own files and the ledger of its settings."""
    from pos_app.cache import SqlCache
    from pos_app.journal import SqlJournal

    ledger = http_ledger(settings, kept.get("password_digest") or "", clock)
    key = kept.database_key()
    with ExitStack() as opened:
        journal = opened.enter_context(closing(SqlJournal.open(folder / "journal.db", key, clock)))
        cache = opened.enter_context(closing(SqlCache.open(folder / "cache.db", key, clock)))
        services = join_services(
            ledger,
            journal,
            cache,
            clock,
            waits_of(settings),
            has_idempotent_redeem=settings.service_idempotent_redeem,
            has_secrets_file=kept.is_in_file,
        )
        close = opened.pop_all().close  # Until here a failure closes what was opened before it.
    return Wired(services, close)


class Practice(NamedTuple):
    """A training till: what the training room plays on, its ledger, and how to throw everything away."""

    stage: Stage
    book: Book
    close: Callable[[], None]


def training_till() -> Practice:
    """Wire a till over a practice ledger in this process. No network object exists in this wiring (house 2)."""
    import secrets
    import shutil
    import tempfile

    from pos_app.cache import SqlCache
    from pos_app.files.clock import SystemClock
    from pos_app.journal import SqlJournal
    from pos_app.ledger.call_reports import report
    from pos_app.ledger.local import LocalLedger
    from pos_app.services.ports import Waits
    from pos_app.training.line import SwitchedLine
    from pos_app.training.phone import SimulatedPhone
    from pos_app.training.start import Stage
    from pos_app.wire.telephony import ReportedCall

    folder = Path(tempfile.mkdtemp(prefix="points-desk-training-"))
    clock = SystemClock()
    phone = SimulatedPhone()
    book = central_ledger(Place(data_dir=folder), None, None).open(phone)
    login = import_demo(book)
    line = SwitchedLine(LocalLedger(book, login))
    key = secrets.token_hex(32)
    journal = SqlJournal.open(folder / "journal.db", key, clock)
    cache = SqlCache.open(folder / "cache.db", key, clock)
    services = join_services(line, journal, cache, clock, Waits(), key_prefix="TR-")

    def close() -> None:
        journal.close()
        cache.close()
        book.close()
        shutil.rmtree(folder, ignore_errors=True)

    def ring(mobile: str) -> None:
        till = book.find_till(login)
        if till is not None:
            report(book.tools, till.organisation_id, ReportedCall(mobile))

    return Practice(Stage(services, phone, line, ring), book, close)


def central_ledger(place: Place, db: str | None, secrets_folder: Path | None) -> LedgerPlace:
    """A central ledger on this machine; `ledger.db` in the data folder when no database was named."""
    from pos_app.ledger.commands import LedgerPlace

    return LedgerPlace(db or f"sqlite:///{place.folder / 'ledger.db'}", secrets_folder, place.folder)


def import_demo(book: Book) -> str:
    """Load the demo organisation; returns the login of its first till."""
    import json

    from pos_app.ledger.loading.importer import import_file

    file = RESOURCES / "demo" / "organisation.jsonl"
    with file.open("rb") as lines:
        import_file(book, lines, file_name=file.name, keep_good=False, progress=None)
    with file.open("rb") as lines:
        return next(str(row["login"]) for row in map(json.loads, lines) if row["kind"] == "till")


@contextmanager
def checking_till(
    place: Place, *, url: str | None, login: str | None, password_file: Path | None, cached: bool
) -> Iterator[ValidationService]:
    """The validation service for one check on the command line.

    With `url` the machine need be no till and nothing is kept. Without, it is this till's own ledger and cache; the
    cache is opened read-only, since a window may be using it.

    Raises:
        TillError: nothing is set up here, or a file that was named cannot be read.
    """
    from pos_app.cache import SqlCache
    from pos_app.cache.none import NoCache
    from pos_app.files.clock import SystemClock
    from pos_app.gateway import digest_of

    clock = SystemClock()
    settings = place.settings()
    if url is not None:
        if login is None or password_file is None:
            raise TillError("--ledger needs --login and --password-file.")
        try:
            digest = digest_of(password_file.read_text(encoding="utf-8").strip())
        except OSError as error:
            raise TillError(f"--password-file: {password_file} cannot be read ({error.strerror}).") from error
        settings = replace(settings, ledger_url=url, ledger_login=login)
        yield _reading_service(http_ledger(settings, digest, clock), NoCache(), clock)
        return
    if not settings.ledger_url:
        raise TillError(
            "This machine is no till yet: start `pos-app` once, or name --ledger, --login and --password-file."
        )
    kept = place.secrets()
    file = place.folder / "cache.db"
    cache = SqlCache.open(file, kept.database_key(), clock, read_only=True) if file.exists() else NoCache()
    ledger = http_ledger(settings, kept.get("password_digest") or "", clock)
    yield _reading_service(ledger, cache, clock, is_offline=cached)


def _reading_service(ledger: Ledger, cache: Cache, clock: Clock, *, is_offline: bool = False) -> ValidationService:
    from pos_app.services.line import Line
    from pos_app.services.validation import ValidationService

    line = Line(ledger, clock)
    if is_offline:
        line.met(LineDownError("the cache alone was asked for"))
    return ValidationService(ledger, cache, line, clock)


def run_window(place: Place | None = None, on_start: Callable[[], object] | None = None) -> int:
    """Open the till's window and stay until it is closed; returns the exit code.

    `on_start` is called when the window is shown, before its services are wired.
    """
    from pos_app.files.lock import DataFolderInUseError, DataFolderLock

    place = place or Place()
    try:
        settings = place.settings()
        with DataFolderLock(place.folder):
            return LiveStart(place, settings).run(on_start)
    except (TillError, DataFolderInUseError, StorageError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


class LiveStart:
    """What the window's start borrows to become a live till: its wiring, and the first run's questions."""

    def __init__(self, place: Place, settings: Settings) -> None:
        self._place = place
        self._settings = settings
        self._wired: Wired | None = None

    def run(self, on_start: Callable[[], object] | None) -> int:
        """Show the window, wire it behind its first painting, and close everything at the end."""
        # A start makes much and throws little away: collecting would walk over all of it, a tenth of the time until
        # the till is ready. `ui.start` begins to collect when there is work.
        gc.disable()
        from pos_app.ui.start import Wiring, run

        wiring = Wiring(
            is_set_up=bool(self._settings.ledger_url),
            connect=self.connect,
            try_connection=self.try_connection,
            keep_connection=self.keep_connection,
        )
        try:
            return run(view_of(self._settings), wiring, on_start)
        finally:
            gc.enable()
            if self._wired is not None:
                self._wired.close()

    def connect(self) -> TillServices:
        """Open the till's files and join its services. Slow.

        Raises:
            StorageError, NotSafeError: with a sentence for the person in front of the till.
        """
        import logging

        from pos_app.files.clock import SystemClock
        from pos_app.files.logs import set_up_logging

        set_up_logging(self._place.folder / "logs", logging.getLevelName(self._settings.log_level))
        kept = self._place.secrets()
        self._take_password_file(kept)
        self._wired = live_till(self._settings, self._place.folder, kept, SystemClock())
        return self._wired.services

    def _take_password_file(self, kept: TillSecrets) -> None:
        """The password named by the settings moves into the secrets at the first start (reliability 5.2)."""
        file = self._settings.ledger_password_file
        if file is None or kept.get("password_digest") is not None:
            return
        from pos_app.gateway import digest_of

        try:
            kept.put("password_digest", digest_of(file.read_text(encoding="utf-8").strip()))
        except OSError as error:
            raise StorageError(f"ledger.password_file: {file} cannot be read ({error.strerror}).") from error

    def try_connection(self, address: str, login: str, password: str, report: Report) -> None:
        """Go through the steps of the first run and report each. Slow; never raises `Trouble`."""
        from pos_app.files.clock import SystemClock
        from pos_app.gateway import digest_of
        from pos_app.services.first_run import try_connection

        changed = replace(self._settings, ledger_url=address, ledger_login=login)
        try_connection(lambda: http_ledger(changed, digest_of(password), SystemClock()), report)

    def keep_connection(self, address: str, login: str, password: str) -> None:
        """Save address and login in the settings, the password's digest in the secrets.

        Raises:
            StorageError: they cannot be kept.
        """
        from pos_app.gateway import digest_of
        from pos_app.settings import keep

        self._place.secrets().put("password_digest", digest_of(password))
        keep(self._place.user_file, {"ledger.url": address, "ledger.login": login})
        self._settings = self._place.settings()


def run_demo(tour_folder: Path | None, say: Callable[[str], None]) -> int:
    """Trainer mode: the same window over a practice ledger. With `tour_folder` the tour is played without a display."""
    if tour_folder is not None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        # That platform tells of sizes it cannot propagate; between the steps it would only be noise.
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")
    from pos_app.training.start import run_training

    practice = training_till()
    try:
        return run_training(
            practice.stage,
            view_of(Settings(till_store="014", till_name="Practice till"), is_training=True),
            tour_folder,
            say,
        )
    finally:
        practice.close()
