"""Checks an installation and says what to do: window system, secrets, disk, clock, line to the ledger."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pos_app.domain.trouble import NotAcceptedError, NotSafeError, NotTheServiceError, Trouble

if TYPE_CHECKING:
    from pos_app.domain.answers import Capabilities
    from pos_app.settings import Place

DISK_FREE_LEAST: Final = 200 * 2**20
CLOCK_OFF_MOST_S: Final = 120
"""Beyond this offset an allowance would not be trusted either (reliability 4.3, "Clocks")."""

_QT_PROBE: Final = "from PySide6.QtWidgets import QApplication; app = QApplication([]); print(app.platformName())"


class Grade(StrEnum):
    """How a finding is to be taken."""

    GOOD = "ok"
    NOTICE = "note"
    BAD = "BAD"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `advice` says what to do when it is not good."""

    grade: Grade
    what: str
    advice: str = ""


def examine(place: Place) -> Iterator[Finding]:
    """Look at everything, the quick things first; each finding comes as soon as it is known."""
    yield _python()
    yield _qt()
    yield from _settings(place)
    yield _folder(place)
    yield from _secrets(place)
    yield from _line(place)


def _python() -> Finding:
    import sqlcipher3.dbapi2  # noqa: F401 - a broken wheel is what this looks for

    return Finding(Grade.GOOD, f"Python {sys.version.split()[0]}")


def _qt() -> Finding:
    """A broken window system ends the process that touches it, so another process tries it."""
    tried = subprocess.run(  # noqa: S603 - our own interpreter and our own words
        [sys.executable, "-c", _QT_PROBE], capture_output=True, text=True, timeout=30, check=False
    )
    if tried.returncode == 0:
        return Finding(Grade.GOOD, f"Qt starts, platform {tried.stdout.strip()}")
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        return Finding(
            Grade.NOTICE,
            "There is no display here.",
            "The window needs one; `pos-app check` and `pos-app demo --tour DIR` work without.",
        )
    return Finding(
        Grade.BAD,
        "Qt cannot open a window here.",
        "Install libxcb-cursor0 and the other packages of packaging/setup.sh.",
    )


def _settings(place: Place) -> Iterator[Finding]:
    from pos_app.settings import TillError

    try:
        settings = place.settings()
    except TillError as error:
        yield Finding(Grade.BAD, str(error), "Mend that file or option.")
        return
    if not settings.ledger_url:
        yield Finding(Grade.NOTICE, "No ledger is set up.", "Start `pos-app` and fill in the first page.")
    else:
        yield Finding(Grade.GOOD, f"Settings read, login {settings.ledger_login}")


def _folder(place: Place) -> Finding:
    folder = place.folder
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = folder / ".doctor"
        probe.write_bytes(b"x")
        probe.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding(Grade.BAD, f"{folder} cannot be written ({error.strerror}).", "Give this user that folder.")
    if free < DISK_FREE_LEAST:
        return Finding(
            Grade.BAD,
            f"Only {free // 2**20} MB are free at {folder}.",
            "Make room: nothing is redeemed on a full disk.",
        )
    return Finding(Grade.GOOD, f"{folder} can be written, {free // 2**20} MB free")


def _secrets(place: Place) -> Iterator[Finding]:
    try:
        kept = place.secrets()
    except OSError as error:
        yield Finding(Grade.BAD, f"The secrets cannot be read ({error.strerror}).", "Give this user that file.")
        return
    if kept.is_in_file:
        yield Finding(
            Grade.NOTICE,
            "Secrets lie in a file that only this user can read: there is no keyring here.",
            "Install a desktop keyring if other people administer this machine.",
        )
    else:
        yield Finding(Grade.GOOD, "Secrets lie in the keyring")


def _line(place: Place) -> Iterator[Finding]:
    from pos_app.bootstrap import http_ledger
    from pos_app.files.clock import SystemClock
    from pos_app.files.till_keys import key_epoch
    from pos_app.settings import TillError

    try:
        settings = place.settings()
    except TillError:
        return
    if not settings.ledger_url:
        return
    clock = SystemClock()
    try:
        kept = place.secrets()
        told = http_ledger(settings, kept.get("password_digest") or "", clock).capabilities()
        epoch = key_epoch(kept)
    except Trouble as trouble:
        yield Finding(Grade.BAD, *_advice(trouble))
        return
    yield Finding(Grade.GOOD, f"The ledger answers: {told.service or 'a service without the extension'} {told.version}")
    yield _enrolment(told, epoch)
    if told.server_time is not None:
        off = abs((told.server_time - clock.wall()).total_seconds())
        if off > CLOCK_OFF_MOST_S:
            yield Finding(
                Grade.BAD, f"This clock differs from the ledger's by {off:.0f} s.", "Set the clock of this machine."
            )
        else:
            yield Finding(Grade.GOOD, f"The clock agrees with the ledger's within {max(off, 1):.0f} s")


def _enrolment(told: Capabilities, epoch: int) -> Finding:
    """Whether the ledger knows this machine's key. `epoch`: the enrolment the key in the secrets is of, 0 for none."""
    till = told.till
    if till is None and epoch:
        return Finding(
            Grade.BAD,
            "The service had the sync extension and has none now.",
            "Ask whoever runs the ledger; until it is back this till works as without a line.",
        )
    if till is None:
        return Finding(Grade.NOTICE, "This service keeps no tills: without a line this till only gives advice.")
    if till.state != "ACTIVE":
        return Finding(
            Grade.BAD,
            f"The ledger has taken till {till.login} out of service ({till.state}).",
            "Ask head office for an enrolment code, then `pos-app enrol --code`.",
        )
    if not epoch:
        return Finding(
            Grade.NOTICE, "This till is not enrolled: nothing is redeemed here without a line.", "Run `pos-app enrol`."
        )
    if till.till_epoch != epoch:
        return Finding(
            Grade.BAD,
            f"This machine has enrolment {epoch} of till {till.login}, the ledger knows {till.till_epoch}.",
            "Ask head office for an enrolment code, then `pos-app enrol --code`.",
        )
    return Finding(Grade.GOOD, f"Enrolled as till {till.login} of store {till.store}, enrolment {epoch}")


def _advice(trouble: Trouble) -> tuple[str, str]:
    match trouble:
        case NotAcceptedError():
            return "The ledger does not accept this till's login.", "Ask whoever runs the ledger for a new password."
        case NotSafeError():
            return (
                "The connection to the ledger is not safe.",
                "Check the address and the certificates (ledger.ca_file).",
            )
        case NotTheServiceError():
            return "Something else answers at that address.", "Check the address, and the network's sign-in page."
        case _:
            return "The ledger does not answer.", "Check the address, the cable and the firewall."


def report(place: Place, say: Callable[[str], None]) -> bool:
    """Print every finding with its advice; True when nothing is bad."""
    is_good = True
    for finding in examine(place):
        say(f"[{finding.grade:>4}] {finding.what}")
        if finding.advice:
            say(f"       -> {finding.advice}")
        is_good = is_good and finding.grade is not Grade.BAD
    return is_good
