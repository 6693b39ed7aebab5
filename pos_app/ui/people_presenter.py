"""Signs people in at the window, and gets a second person's word for one task (ux B.5, B.8; reliability 4.7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QDialog, QWidget

from pos_app.domain.commands import Approval, ApprovalPurpose
from pos_app.domain.feed import OperatorTold
from pos_app.domain.roles import Act
from pos_app.services.operators import Operator
from pos_app.services.till import TillServices
from pos_app.ui.background import Background
from pos_app.ui.header import Header
from pos_app.ui.people_words import people_list, refusal_text, role_text, task_text

if TYPE_CHECKING:
    from pos_app.ui.approval_dialog import ApprovalDialog
    from pos_app.ui.sign_in_dialog import SignInDialog

Approved = Callable[[Approval, int], None]
"""Hears the approval, and the number of who gave it."""

LANE = "people"


class PeoplePresenter(QObject):
    """Joins the dialogs about people to their service.

    Signals:
        changed: somebody else works here now, or nobody.
    """

    changed = Signal()

    def __init__(self, window: QWidget, header: Header, background: Background, services: TillServices) -> None:
        super().__init__(window)
        self._window = window
        self._header = header
        self._background = background
        self._services = services
        self._sign_in: SignInDialog | None = None
        self._approval: ApprovalDialog | None = None
        self._on_approved: Approved | None = None
        self._purpose = ApprovalPurpose.SKIP_VALIDATION
        self._asked: int = 0

    @property
    def current(self) -> Operator | None:
        """Who works here now."""
        return self._services.operators.current

    @property
    def can_ask(self) -> bool:
        """Say whether this till knows people at all: a window in a test may have none."""
        return self._services.operators is not None

    # --- Signing in ------------------------------------------------------------------------------------------------

    @Slot()
    def open_sign_in(self) -> None:
        """Ask who works here (F12)."""
        if self.can_ask and self._sign_in is None:
            self._with_people(self._show_sign_in)

    def _show_sign_in(self, people: Sequence[OperatorTold]) -> None:
        from pos_app.ui.sign_in_dialog import SignInDialog  # Slow to load: no till waits for it when it starts.

        if self._sign_in is not None:
            return
        dialog = SignInDialog(self._window, people_list(people), signed_in=self._named(self.current))
        dialog.asked.connect(self._prove)
        dialog.sign_out_asked.connect(self._sign_out)
        dialog.finished.connect(self._sign_in_closed)
        self._sign_in = dialog
        dialog.open()

    @Slot(int, str)
    def _prove(self, operator_id: int, pin: str) -> None:
        operators = self._services.operators
        self._background.run(
            lambda: operators.sign_in(operator_id, pin), on_done=self._signed_in, on_error=self._refused, lane=LANE
        )

    def _signed_in(self, _operator: Operator) -> None:
        self._show_current()
        if self._sign_in is not None:
            self._sign_in.accept()

    def _refused(self, error: Exception) -> None:
        if self._sign_in is not None:
            self._sign_in.show_refused(refusal_text(error))

    @Slot()
    def _sign_out(self) -> None:
        self._services.operators.sign_out()
        self._show_current()
        if self._sign_in is not None:
            self._sign_in.accept()

    def _show_current(self) -> None:
        current = self.current
        self._header.show_operator(
            current.name if current is not None else "", role_text(current.role) if current is not None else ""
        )
        self.changed.emit()

    @Slot()
    def _sign_in_closed(self) -> None:
        self._put_away(self._sign_in)
        self._sign_in = None

    # --- One task of somebody else ---------------------------------------------------------------------------------

    def approve(self, purpose: ApprovalPurpose, on_approved: Approved, task: str = "") -> None:
        """Ask a second person for her word on one task; nothing happens when she is not found or says no."""
        if not self.can_ask or self._approval is not None:
            return
        self._on_approved, self._purpose = on_approved, purpose
        self._with_people(lambda people: self._show_approval(people, task or task_text(purpose)))

    def _show_approval(self, people: Sequence[OperatorTold], task: str) -> None:
        from pos_app.ui.approval_dialog import ApprovalDialog  # Slow to load: no till waits for it when it starts.

        if self._approval is not None:
            return
        is_about_code = self._purpose is ApprovalPurpose.SKIP_VALIDATION
        dialog = ApprovalDialog(self._above, task, people_list(people, Act.APPROVE), is_about_code=is_about_code)
        dialog.asked.connect(self._ask_approval)
        dialog.finished.connect(self._approval_closed)
        self._approval = dialog
        dialog.open()

    @Slot(int, str)
    def _ask_approval(self, operator_id: int, pin: str) -> None:
        if self._approval is None:
            return
        operators, purpose = self._services.operators, self._purpose
        reason, note = self._approval.reason, self._approval.note
        self._asked = operator_id
        self._background.run(
            lambda: operators.approve(operator_id, pin, purpose, reason, note),
            on_done=self._approved,
            on_error=self._not_approved,
            lane=LANE,
        )

    def _approved(self, approval: Approval) -> None:
        heard, self._on_approved = self._on_approved, None
        if self._approval is not None:
            self._approval.accept()
        if heard is not None:
            heard(approval, self._asked)

    def _not_approved(self, error: Exception) -> None:
        if self._approval is not None:
            self._approval.show_refused(refusal_text(error))

    @Slot()
    def _approval_closed(self) -> None:
        self._background.drop(LANE)
        self._put_away(self._approval)
        self._approval = None

    # --- Small helpers ---------------------------------------------------------------------------------------------

    @property
    def _above(self) -> QWidget:
        """The dialog on top, which the next one stands on."""
        open_ones = [each for each in self._window.findChildren(QDialog) if each.isVisible()]
        return open_ones[-1] if open_ones else self._window

    def _with_people(self, show: Callable[[Sequence[OperatorTold]], None]) -> None:
        """Read who may be asked, which is slow, and show it."""
        self._background.run(
            lambda: tuple(self._services.colleagues()), on_done=show, on_error=lambda _error: show(()), lane=LANE
        )

    def _put_away(self, dialog: QDialog | None) -> None:
        if dialog is not None:
            dialog.deleteLater()
            self._window.activateWindow()  # Keys go nowhere after a dialog where there is no window manager.

    def _named(self, operator: Operator | None) -> str:
        if operator is None:
            return ""
        return self.tr("{name} ({role})").format(name=operator.name, role=role_text(operator.role))
