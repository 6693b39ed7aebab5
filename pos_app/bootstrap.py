"""Wires a live till, a training till or a ledger. The only file that knows every room.

Each function imports what it wires, so that training never loads `gateway` and the window is painted before
SQLAlchemy and requests are read from disk.
"""

from __future__ import annotations

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
    from pos_app.cache import SqlCache
    from pos_app.files.secrets import Secrets, TillSecrets
    from pos_app.gateway import HttpLedger
    from pos_app.gateway.carrier import Carrier
    from pos_app.gateway.plug import Plug
    from pos_app.ledger.book import Book
    from pos_app.ledger.commands import LedgerPlace
    from pos_app.services.clock_trust import BootClock
    from pos_app.services.joining import Choices
    from pos_app.services.offline_port import TillJournal
    from pos_app.services.ports import Cache, Clock, Ledger, Waits
    from pos_app.services.sync_port import SyncingLedger
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


def choices_of(settings: Settings, *, has_secrets_file: bool = False) -> Choices:
    """The settings as the services take them."""
    from pos_app.domain.feed import Scope
    from pos_app.services.joining import Choices

    return Choices(
        waits=waits_of(settings),
        address=address_of(settings),
        version=__version__,
        platform=sys.platform,
        has_idempotent_redeem=settings.service_idempotent_redeem,
        has_secrets_file=has_secrets_file,
        asks_per_lookup=settings.lease_per_lookup,
        is_risk_off=settings.risk_off,
        scope=Scope(settings.sync_scope),
    )


def address_of(settings: Settings) -> str:
    """The service's address in one spelling: what it could do is kept with it."""
    return settings.ledger_url.strip().rstrip("/").lower()


def join_services(
    ledger: SyncingLedger,
    journal: TillJournal,
    cache: SqlCache,
    clock: BootClock,
    choices: Choices,
    *,
    kept: Secrets,
    login: str,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> TillServices:
    """Join the services of one till over whatever ledger, journal, cache and secrets it has.

    Raises:
        StorageError: its secrets cannot be read or kept.
    """
    from pos_app.cache import rules
    from pos_app.domain.feed import RiskLimits
    from pos_app.files.pins import ArgonPins
    from pos_app.files.till_keys import TillKeys
    from pos_app.services.joining import Ports, join
    from pos_app.services.till import CacheStatus

    def limits() -> RiskLimits:
        told = cache.organisation_told()
        return RiskLimits() if told is None else told.risk

    def cache_status() -> CacheStatus:
        feed = cache.feed_state()
        return CacheStatus(cache.state.value, None if feed is None else feed.cursor)

    keys = TillKeys(kept, journal_epoch=journal.chain_head().till_epoch)
    ports = Ports(
        ledger=ledger,
        sync=ledger.sync,
        journal=journal,
        cache=cache,
        feed=cache,
        search=cache,
        clock=clock,
        seals=keys.seals,
        keys=keys,
        pins=ArgonPins(),
        texts=rules,
        random_bytes=random_bytes,
        login=login,
    )
    return join(ports, replace(choices, limits=limits, cache_status=cache_status, operators=cache.operators))


class Wired(NamedTuple):
    """A till's services, its ledger, the plug in its line, and how to close what is under them."""

    services: TillServices
    ledger: HttpLedger
    plug: Plug
    close: Callable[[], None]


def http_ledger(
    settings: Settings,
    digest: str,
    clock: Clock,
    *,
    carrier: Carrier | None = None,
    had_extension: bool = False,
    kind: type[HttpLedger] | None = None,
) -> HttpLedger:
    """The ledger at the address of the settings; `had_extension`: it had the extension when it was met before.

    `kind` is another class of ledger than the plain one.

    Raises:
        NotSafeError: plain HTTP to another machine.
        WrongAddressError: the address is none.
    """
    from pos_app.gateway import HttpLedger
    from pos_app.gateway.known import KnownService

    return (kind or HttpLedger)(
        settings.ledger_url,
        settings.ledger_login,
        digest,
        waits=waits_of(settings),
        ca_file=settings.ledger_ca_file,
        proxy=settings.ledger_proxy or None,
        clock=clock,
        software=__version__,
        carrier=carrier,
        service=KnownService(had_extension=had_extension),
    )


def plugged(settings: Settings, clock: Clock) -> Plug:
    """The line to the ledger, with a plug in it.

    Raises:
        NotSafeError, WrongAddressError: as `http_ledger`.
    """
    from pos_app.gateway.address import Address
    from pos_app.gateway.plug import Plug
    from pos_app.gateway.transport import Transport

    return Plug(
        Transport(
            Address.read(settings.ledger_url),
            waits=waits_of(settings),
            ca_file=settings.ledger_ca_file,
            proxy=settings.ledger_proxy or None,
            clock=clock,
            software=__version__,
        )
    )


def live_till(
    settings: Settings, folder: Path, kept: TillSecrets, clock: BootClock, *, kind: type[HttpLedger] | None = None
) -> Wired:
    """Wire a live till over its own files and the ledger of its settings; `kind` as in `http_ledger`.

    Raises:
        StorageError: its files or secrets cannot be opened.
        NotSafeError, WrongAddressError: as `http_ledger`.
    """
    from pos_app.cache import SqlCache
    from pos_app.files.till_keys import key_epoch
    from pos_app.journal import SqlJournal
    from pos_app.services.service import had_extension

    plug = plugged(settings, clock)
    key = kept.database_key()
    with ExitStack() as opened:
        opened.callback(plug.close)
        was_here = key_epoch(kept) > 0
        journal = opened.enter_context(closing(SqlJournal.open(folder / "journal.db", key, clock, was_here=was_here)))
        cache = opened.enter_context(closing(SqlCache.open(folder / "cache.db", key, clock)))
        ledger = http_ledger(
            settings,
            kept.get("password_digest") or "",
            clock,
            carrier=plug,
            had_extension=had_extension(journal, address_of(settings)),
            kind=kind,
        )
        choices = choices_of(settings, has_secrets_file=kept.is_in_file)
        services = join_services(ledger, journal, cache, clock, choices, kept=kept, login=settings.ledger_login)
        ledger.names_cashier(lambda: services.operators.cashier)
        close = opened.pop_all().close  # Until here a failure closes what was opened before it.
    return Wired(services, ledger, plug, close)


def take_password_file(settings: Settings, kept: TillSecrets) -> None:
    """The password in the file of the settings goes into the secrets, once (reliability 5.2).

    The file itself stays: it may be a secret that the machine's administration puts there for several tills.

    Raises:
        StorageError: the file cannot be read, or the secret not be kept.
    """
    file = settings.ledger_password_file
    if file is None or kept.get("password_digest") is not None:
        return
    from pos_app.gateway import digest_of

    try:
        kept.put("password_digest", digest_of(file.read_text(encoding="utf-8").strip()))
    except OSError as error:
        raise StorageError(f"ledger.password_file: {file} cannot be read ({error.strerror}).") from error


class Practice(NamedTuple):
    """A training till: what the training room plays on, its ledger, and how to throw everything away."""

    stage: Stage
    book: Book
    close: Callable[[], None]


def training_till() -> Practice:
    """Wire a till over a practice ledger in this process. No network object exists in this wiring (house 2)."""
    import shutil
    import tempfile

    from pos_app.cache import SqlCache
    from pos_app.files.clock import SystemClock
    from pos_app.files.secrets import TillSecrets
    from pos_app.journal import SqlJournal
    from pos_app.ledger.call_reports import report
    from pos_app.ledger.local import LocalLedger
    from pos_app.services.joining import Choices
    from pos_app.training.line import SwitchedLine
    from pos_app.training.phone import SimulatedPhone
    from pos_app.training.start import Stage
    from pos_app.wire.telephony import ReportedCall

    folder = Path(tempfile.mkdtemp(prefix="points-desk-training-"))
    clock = SystemClock()
    phone = SimulatedPhone()
    book = central_ledger(Place(data_dir=folder), None, None).open(phone)
    login = import_demo(book)
    ledger = LocalLedger(book, login)
    line = SwitchedLine(ledger, ledger.sync)
    kept = TillSecrets.open(folder, service="", use_keyring=False)
    key = kept.database_key()
    journal = SqlJournal.open(folder / "journal.db", key, clock)
    cache = SqlCache.open(folder / "cache.db", key, clock)
    choices = Choices(version=__version__, platform=sys.platform, key_prefix="TR-")
    services = join_services(line, journal, cache, clock, choices, kept=kept, login=login)
    services.enrolment.enrol()

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
