"""Opens the outbox and conflict desk, carries decisions out, and closes the day (ux B.6, reliability 4.2, 4.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from pos_app.domain.commands import Approval, ApprovalPurpose
from pos_app.domain.redemption import Redemption
from pos_app.domain.roles import Act
from pos_app.services.decisions import Conflict, Decision
from pos_app.services.till import TillServices
from pos_app.ui.background import Background
from pos_app.ui.day_presenter import DayPresenter
from pos_app.ui.desk_words import (
    age_of,
    decision_text,
    detail_text,
    state_text,
    summary_text,
    why_text,
)
from pos_app.ui.formats import isolated_words, points_text
from pos_app.ui.people_presenter import PeoplePresenter
from pos_app.ui.people_words import refusal_text
from pos_app.ui.serving import Serving

if TYPE_CHECKING:
    from pos_app.ui.desk_dialog import DeskDialog, DeskLine

LANE: Final = "desk"

PURPOSES: Final = {Decision.CANCEL: ApprovalPurpose.CANCEL, Decision.REVERSE: ApprovalPurpose.REVERSE}
"""What the ledger itself wants a second person for; the till's own decisions are approved as a risk of the shop."""


@dataclass(frozen=True, slots=True)
class Open:
    """What the desk shows: rows that are not final, what a supervisor must decide, and names of operators."""

    rows: tuple[Redemption, ...]
    conflicts: tuple[Conflict, ...]
    people: dict[int, str]


class DeskPresenter(QObject):
    """Joins the desk to the journal's rows and the decisions.

    Signals:
        moved: something was decided or sent; the outbox must be counted again.
    """

    moved = Signal()

    def __init__(
        self,
        window: QWidget,
        *,
        background: Background,
        services: TillServices,
        serving: Serving,
        people: PeoplePresenter,
        place: str,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._background = background
        self._services = services
        self._serving = serving
        self._people = people
        self._dialog: DeskDialog | None = None
        self._day = DayPresenter(window, background=background, services=services, people=people, place=place)

    @Slot()
    def open(self) -> None:
        """Open the desk (F9)."""
        if self._dialog is not None or self._services.decisions is None:
            return
        from pos_app.ui.desk_dialog import DeskDialog  # Slow to load: no till waits for it when it starts.

        dialog = DeskDialog(self._window)
        dialog.decided.connect(self._decide)
        dialog.send_asked.connect(self._send)
        dialog.day_asked.connect(self._day.open)
        dialog.finished.connect(self._closed)
        self._dialog = dialog
        self._read()
        dialog.open()

    # --- What is shown ---------------------------------------------------------------------------------------------

    @Slot()
    def refresh(self) -> None:
        """The outbox moved: show it anew where the desk is open."""
        if self._dialog is not None:
            self._read()

    def _read(self) -> None:
        self._background.run(self._open_rows, on_done=self._show, on_error=self._failed, lane=LANE)

    def _open_rows(self) -> Open:
        services = self._services
        return Open(
            tuple(services.redemptions.open_redemptions()),
            tuple(services.decisions.conflicts()),
            {each.operator_id: each.name for each in services.colleagues()},
        )

    def _show(self, found: Open) -> None:
        if self._dialog is None:
            return
        now = self._services.clock.wall()
        conflicts = {each.row.key: each for each in found.conflicts}
        waiting = [row for row in found.rows if row.key not in conflicts]
        rows = [each.row for each in found.conflicts] + waiting
        oldest = min((row.created_at for row in rows), default=None)
        self._dialog.show_lines(
            summary_text(len(waiting), len(conflicts), _age(rows, oldest, now)),
            [self._line(row, conflicts.get(row.key), found.people, now) for row in rows],
        )

    def _line(self, row: Redemption, conflict: Conflict | None, people: dict[int, str], now: datetime) -> DeskLine:
        from pos_app.ui.desk_dialog import DeskLine

        program = self._serving.program(row.program_id)
        operator = "–" if row.cashier is None else isolated_words(people.get(row.cashier, str(row.cashier)))
        return DeskLine(
            key=row.key,
            cells=(
                age_of(row, now),
                isolated_words(row.customer_label),
                points_text(row.points, program.decimals if program is not None else 0),
                state_text(row, needs_attention=conflict is not None),
                why_text(row, conflict),
                operator,
            ),
            detail=detail_text(row, conflict, program.name if program is not None else ""),
            choices=() if conflict is None else conflict.choices,
            needs_attention=conflict is not None,
        )

    # --- What is done ----------------------------------------------------------------------------------------------

    @Slot()
    def _send(self) -> None:
        self._busy()
        self._background.run(self._send_all, on_done=self._sent, on_error=self._failed)

    def _send_all(self) -> bool:
        """Everything that waits, without its waiting times; True: the line was there."""
        return self._services.rounds.run_all()

    def _sent(self, is_whole: bool) -> None:
        self._say(self.tr("Sent what could be sent.") if is_whole else self.tr("The line is down. It sends by itself."))
        self.moved.emit()
        self._read()

    @Slot(str, object, str)
    def _decide(self, key: str, decision: Decision, number: str) -> None:
        """Who may decide does so; else a supervisor is asked for this one decision."""
        current = self._people.current
        if current is not None and current.may(Act.DECIDE_OPEN_ROWS) and decision not in PURPOSES:
            self._carry_out(key, decision, number, None, current.operator_id)
            return
        purpose = PURPOSES.get(decision, ApprovalPurpose.RISK)
        task = self.tr("Decide about this redemption: {decision}").format(decision=decision_text(decision))
        self._people.approve(purpose, partial(self._carry_out, key, decision, number), task)

    def _carry_out(self, key: str, decision: Decision, number: str, approval: Approval | None, operator: int) -> None:
        self._busy()
        decisions = self._services.decisions
        self._background.run(
            lambda: decisions.decide(key, decision, operator=operator, redemption_id=number or None, approval=approval),
            on_done=self._decided,
            on_error=self._failed,
        )

    def _decided(self, row: Redemption) -> None:
        word = state_text(row, needs_attention=False)
        self._say(self.tr("Noted. The redemption is now: {state}").format(state=word))
        self.moved.emit()
        self._read()

    def _failed(self, error: Exception) -> None:
        if self._dialog is not None:
            self._dialog.show_message(refusal_text(error), "refused")
            self.moved.emit()

    def _busy(self) -> None:
        if self._dialog is not None:
            self._dialog.set_busy(True)

    def _say(self, text: str) -> None:
        if self._dialog is not None:
            self._dialog.show_message(text)

    @Slot()
    def _closed(self) -> None:
        dialog, self._dialog = self._dialog, None
        if dialog is not None:
            dialog.deleteLater()
            self._window.activateWindow()  # Keys go nowhere after a dialog where there is no window manager.


def _age(rows: Sequence[Redemption], oldest: datetime | None, now: datetime) -> str:
    return next((age_of(row, now) for row in rows if row.created_at == oldest), "")
