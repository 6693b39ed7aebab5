"""Watches how the till itself is, and says it under the header; asks for regulars at the start of a shift (4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QWidget

from pos_app.domain.answers import Capabilities
from pos_app.services.enrolment import CODE_NEEDED
from pos_app.services.results import LineState
from pos_app.services.till import TillServices
from pos_app.ui.announce import Announcer
from pos_app.ui.background import Background
from pos_app.ui.notice_bar import NoticeBar
from pos_app.ui.people_words import refusal_text
from pos_app.ui.status_words import Health, notices_of

if TYPE_CHECKING:
    from pos_app.ui.enrol_dialog import EnrolDialog

LANE: Final = "status"
ENROL_LANE: Final = "enrol"


class StatusPresenter(QObject):
    """Joins the notice bar and the header's sync to the till's services. The timer starts anew when its work ended.

    Signals:
        synced: how far the sync is. arg: a `SyncView`.
    """

    synced = Signal(object)

    def __init__(
        self,
        window: QWidget,
        bar: NoticeBar,
        announcer: Announcer,
        background: Background,
        services: TillServices,
        *,
        every_s: float,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._bar = bar
        self._announcer = announcer
        self._background = background
        self._services = services
        self._dialog: EnrolDialog | None = None
        self._was_asked = False
        self._has_regulars = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(round(every_s * 1000))
        self._timer.timeout.connect(self.look)
        bar.way_asked.connect(self.open_enrolment)

    def begin(self) -> None:
        """Watch from now on; a window in a test may have nothing to watch."""
        if self._is_whole:
            self._timer.start()

    def stop(self) -> None:
        """The window closes."""
        self._timer.stop()

    @property
    def _is_whole(self) -> bool:
        """Say whether this till has all its services."""
        return self._services.enrolment is not None

    # --- How it is ---------------------------------------------------------------------------------------------------

    @Slot()
    def look(self) -> None:
        """Look how the till is, now."""
        if self._is_whole:
            self._background.run(self._read, on_done=self._show, on_error=self._not_read, lane=LANE)

    def _read(self) -> Health:
        services = self._services
        told = services.service.told
        return Health(
            journal=services.journal.health().state,
            must_enrol_again=services.enrolment.must_enrol_again,
            enrolment_refused=services.enrolment.refused,
            till_state="" if told is None or told.till is None else told.till.state,
            has_lost_extension=services.service.has_lost_extension,
            distrust=services.trust.distrust(),
            cache=services.cache_status().state,
            troubles=tuple(services.rounds.troubles.values()),
            sync=None if services.sync is None else services.sync.view(),
        )

    def _show(self, health: Health) -> None:
        notices = notices_of(health)
        if self._bar.show_notices(notices) and notices:
            self._announcer.say(notices[0].text)
        if health.sync is not None:
            self.synced.emit(health.sync)
        if health.enrolment_refused == CODE_NEEDED and not self._was_asked:
            self.open_enrolment()
        if not self._has_regulars and self._can_lease:
            self.ask_regulars()
        self._timer.start()

    def _not_read(self, _error: Exception) -> None:
        """Logged at the door; what was said stays."""
        self._timer.start()

    # --- The start of a shift ----------------------------------------------------------------------------------------

    @property
    def _can_lease(self) -> bool:
        services = self._services
        return services.service.can_sync and services.line.view.state is LineState.ONLINE

    @Slot()
    def ask_regulars(self) -> None:
        """Somebody begins to work: have points of the store's regulars set aside, where there is a line."""
        if self._is_whole and self._can_lease:
            self._has_regulars = True
            self._background.run(
                self._ask_regulars, on_done=lambda _nothing: None, on_error=self._no_regulars, lane="regulars"
            )

    def _ask_regulars(self) -> None:
        if self._services.enrolment.till_epoch > 0:
            self._services.ask_for_regulars()

    def _no_regulars(self, _error: Exception) -> None:
        self._has_regulars = False  # With the next look that finds a line.

    # --- Enrolling ---------------------------------------------------------------------------------------------------

    @Slot()
    def open_enrolment(self) -> None:
        """Ask for the code head office gave (sync-api 4.1)."""
        if self._dialog is not None:
            return
        from pos_app.ui.enrol_dialog import EnrolDialog  # Slow to load: no till waits for it when it starts.

        self._was_asked = True
        dialog = EnrolDialog(self._window)
        dialog.asked.connect(self._enrol)
        dialog.finished.connect(self._closed)
        self._dialog = dialog
        dialog.open()

    @Slot(str)
    def _enrol(self, code: str) -> None:
        enrolment = self._services.enrolment
        self._background.run(
            lambda: enrolment.enrol(code or None), on_done=self._enrolled, on_error=self._not_enrolled, lane=ENROL_LANE
        )

    def _enrolled(self, _told: Capabilities) -> None:
        if self._dialog is not None:
            self._dialog.accept()
        self._announcer.say(self.tr("This till is enrolled."))
        self.look()

    def _not_enrolled(self, error: Exception) -> None:
        if self._dialog is not None:
            self._dialog.show_refused(refusal_text(error))

    @Slot()
    def _closed(self) -> None:
        dialog, self._dialog = self._dialog, None
        if dialog is not None:
            dialog.deleteLater()
            self._window.activateWindow()  # Keys go nowhere after a dialog where there is no window manager.
