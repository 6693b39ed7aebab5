"""Starts what has a window: the till itself and trainer mode. `bootstrap` wires what they show."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pos_app.bootstrap import Report, http_ledger, live_till, take_password_file, training_till, view_of
from pos_app.domain.trouble import StorageError, Trouble
from pos_app.settings import Place, Settings, TillError

if TYPE_CHECKING:
    from pos_app.bootstrap import Wired
    from pos_app.services.rounds import Roundsman
    from pos_app.services.till import TillServices


ENROL_S: Final = 5.0
"""How soon a new till tries again to enrol where the line failed."""


SETTLE_IN_S: Final = 1.0
"""The window shows what the journal holds before anything is done about it."""


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


def run_headless(place: Place) -> int:
    """A till driven by JSON lines (reliability 5.2); returns the exit code."""
    import logging

    from pos_app.files.clock import SystemClock
    from pos_app.files.failpoints import BadFailpointError, arm_from
    from pos_app.files.lock import DataFolderInUseError, DataFolderLock
    from pos_app.files.logs import set_up_logging
    from pos_app.headless.heard import HeardLedger, heard_by
    from pos_app.headless.process import Parts, own_output, run

    output = own_output()
    try:
        arm_from(os.environ)
        settings = place.settings()
        with DataFolderLock(place.folder):
            set_up_logging(place.folder / "logs", logging.getLevelName(settings.log_level))
            kept = place.secrets()
            take_password_file(settings, kept)
            wired = live_till(settings, place.folder, kept, SystemClock(), kind=HeardLedger)
            heard = heard_by(wired.ledger)
            login = settings.ledger_login
            parts = Parts(services=wired.services, plug=wired.plug, heard=heard, login=login, close=wired.close)
            return run(parts, output)
    except (TillError, DataFolderInUseError, BadFailpointError, Trouble) as error:
        sys.stderr.write(f"{error}\n")
        return 2


class LiveStart:
    """What the window's start borrows to become a live till: its wiring, and the first run's questions."""

    def __init__(self, place: Place, settings: Settings) -> None:
        self._place = place
        self._settings = settings
        self._wired: Wired | None = None
        self._roundsman: Roundsman | None = None

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
            if self._roundsman is not None:
                self._roundsman.stop()
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
        from pos_app.services.rounds import Duty, Roundsman

        set_up_logging(self._place.folder / "logs", logging.getLevelName(self._settings.log_level))
        kept = self._place.secrets()
        take_password_file(self._settings, kept)
        clock = SystemClock()
        self._wired = live_till(self._settings, self._place.folder, kept, clock)
        services = self._wired.services
        services.settling.resume()
        # The window probes and drains by itself: it shows at once what came of it.
        services.rounds.leave("probe", "drain")
        services.rounds.also(Duty("enrol", ENROL_S, lambda _: services.enrolment.enrol_new()))
        self._roundsman = Roundsman(services.rounds, clock, begins_after_s=SETTLE_IN_S)
        self._roundsman.start()
        return services

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
