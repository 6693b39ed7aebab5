"""Opens the window first and wires it afterwards: what is slow to load is loaded behind a painted screen."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QEvent, QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication

from pos_app.domain.trouble import Trouble
from pos_app.services.till import TillServices, TillView
from pos_app.ui.background import Background
from pos_app.ui.main_window import MainWindow
from pos_app.ui.theme import apply_theme

if TYPE_CHECKING:
    from pos_app.ui.first_run import FirstRunDialog

Report = Callable[[str, bool, str], None]


class Wiring(NamedTuple):
    """What bootstrap lends the start: each of these may be slow and runs in the background, except `is_set_up`.

    `connect` gives the services. `try_connection` goes through the steps of the first run and reports
    each (step, ok, sentence); `keep_connection` saves address, login and password. Sentences of failures are for the
    person in front of the till.
    """

    is_set_up: bool
    connect: Callable[[], TillServices]
    try_connection: Callable[[str, str, str, Report], None]
    keep_connection: Callable[[str, str, str], None]


def application() -> QApplication:
    """The one QApplication of this process."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    made = QApplication(sys.argv[:1])
    made.setApplicationName("pos-app")
    made.setApplicationDisplayName("Points Desk")
    made.setDesktopFileName("pos-app")
    return made


def dress(app: QApplication, view: TillView) -> None:
    """Give the application the colours and text size of the till's settings."""
    apply_theme(app, view.theme, view.base_px)


def run(view: TillView, wiring: Wiring, on_start: Callable[[], object] | None) -> int:
    """Show the window, wire it once it is painted, and stay until it is closed."""
    app = application()
    window = MainWindow(view, dresses_itself=False)
    dress(app, view)  # Once everything has its place: under a style sheet each layout would work out every style again.
    starter = Starter(window, wiring)
    window.show()
    if on_start is not None:
        on_start()
    code = app.exec()
    starter.stop()
    return int(code)


def begin_collecting() -> None:
    """The start is over: collect from now on, but never look again at what the start has made; it stays to the end."""
    gc.freeze()
    gc.enable()


class Starter(QObject):
    """Wires a shown window: at once where the till is set up, after the first page where it is not."""

    step_tried = Signal(str, bool, str)

    def __init__(self, window: MainWindow, wiring: Wiring) -> None:
        super().__init__(window)
        self._window = window
        self._wiring = wiring
        self._background = Background(self)
        self._first_run: FirstRunDialog | None = None
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Begin once the window has been painted: what is loaded then holds up no picture."""
        if event.type() == QEvent.Type.Paint:
            self._window.removeEventFilter(self)
            QTimer.singleShot(0, self.begin)
        return super().eventFilter(watched, event)

    @Slot()
    def begin(self) -> None:
        """Connect, or ask for what is missing."""
        if self._wiring.is_set_up:
            self._connect()
        else:
            self._ask()

    def stop(self) -> None:
        """Wait a bounded time for what is still under way."""
        self._background.stop()

    def _connect(self) -> None:
        self._background.run(self._wiring.connect, on_done=self._attach, on_error=self._show_failure)

    def _attach(self, services: TillServices) -> None:
        self._window.attach(services)
        begin_collecting()

    def _show_failure(self, error: Exception) -> None:
        begin_collecting()
        self._window.show_cannot_start(self._sentence(error))

    def _show_in_dialog(self, error: Exception) -> None:
        if self._first_run is not None:
            self._first_run.show_trouble(self._sentence(error))

    def _show_not_kept(self, error: Exception) -> None:
        """The dialog closed when it was accepted: it has to come back, or its sentence would be said to nobody."""
        if self._first_run is not None:
            self._first_run.open()
        self._show_in_dialog(error)

    @Slot()
    def _put_off(self) -> None:
        self._window.show_cannot_start(
            self.tr("It has no ledger yet. Close this window, and start it again to set it up.")
        )

    def _sentence(self, error: Exception) -> str:
        return str(error) if isinstance(error, Trouble) else self.tr("Points Desk could not start. See its log.")

    def _ask(self) -> None:
        begin_collecting()
        from pos_app.ui.first_run import FirstRunDialog

        dialog = FirstRunDialog(self._window)
        dialog.test_asked.connect(self._test)
        dialog.accepted_with.connect(self._keep)
        dialog.rejected.connect(self._put_off)
        self.step_tried.connect(dialog.show_step)
        self._first_run = dialog
        dialog.open()

    @Slot(str, str, str)
    def _test(self, address: str, login: str, password: str) -> None:
        report = self.step_tried.emit
        self._background.run(
            lambda: self._wiring.try_connection(address, login, password, report),
            on_done=self._tested,
            on_error=self._show_in_dialog,
        )

    def _tested(self, _nothing: object) -> None:
        if self._first_run is not None:
            self._first_run.set_busy(False)

    @Slot(str, str, str)
    def _keep(self, address: str, login: str, password: str) -> None:
        self._background.run(
            lambda: self._wiring.keep_connection(address, login, password),
            on_done=self._kept,
            on_error=self._show_not_kept,
        )

    def _kept(self, _nothing: object) -> None:
        self._connect()
