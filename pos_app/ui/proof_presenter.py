"""Gets what stands for the customer's code: a scanned pass, or a supervisor's word (ux B.5, B.11; reliability 4.6)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from pos_app.domain.commands import Approval, ApprovalPurpose, ApprovalReason
from pos_app.domain.passes import NotAPassError
from pos_app.domain.request import CustomerRef, RedemptionRequest
from pos_app.services.covered import NoWay
from pos_app.services.results import Checked, LineState
from pos_app.services.till import TillServices
from pos_app.ui.background import Background
from pos_app.ui.board import Board
from pos_app.ui.formats import isolated_words
from pos_app.ui.people_presenter import PeoplePresenter
from pos_app.ui.proofs import ProofMemory, Proofs, seen_with
from pos_app.ui.serving import Serving
from pos_app.ui.verdict_words import view_of_words
from pos_app.ui.wording import WordingFacts, for_no_way

if TYPE_CHECKING:
    from pos_app.ui.pass_dialog import PassDialog

LANE: Final = "proof"


class ProofPresenter(QObject):
    """Joins the pass dialog, the scanner and the approval dialog to what may be redeemed.

    Signals:
        passed: there is a pass for the customer on screen; look again.
        approved: a second person agreed; look again.
        customer_named: a pass names somebody else than who is on screen. arg: her number at the ledger.
    """

    passed = Signal()
    approved = Signal()
    customer_named = Signal(int)

    def __init__(
        self,
        window: QWidget,
        *,
        board: Board,
        background: Background,
        services: TillServices,
        serving: Serving,
        people: PeoplePresenter,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._board = board
        self._background = background
        self._services = services
        self._serving = serving
        self._people = people
        self._dialog: PassDialog | None = None
        self.memory = ProofMemory(serving)

    def looking(self, question: RedemptionRequest) -> Callable[[Checked], Checked]:
        """How an answer made here is looked at with the proofs there are for it; slow, and for another thread."""
        spending, proofs = self._services.spending, self.memory.for_question(question)

        def look(checked: Checked) -> Checked:
            if spending is None or checked.offline is None or proofs.is_empty:
                return checked
            covered = spending.look(checked.request, pass_text=proofs.pass_text, approval=proofs.approval)
            return seen_with(checked, covered)

        return look

    @property
    def _can_spend(self) -> bool:
        """Say whether this till redeems without a line at all: a window in a test may not."""
        return self._services.spending is not None

    # --- A supervisor ------------------------------------------------------------------------------------------------

    def ask_supervisor(self, checked: Checked) -> None:
        """Ask a second person about this answer: for skipping the confirmation, or for the shop's risk."""
        covered = checked.offline
        is_risk = covered is not None and covered.reason is NoWay.RISK_APPROVAL_NEEDED
        purpose = ApprovalPurpose.RISK if is_risk else ApprovalPurpose.SKIP_VALIDATION
        self._people.approve(purpose, partial(self._take_approval, checked.request))

    def _take_approval(self, question: RedemptionRequest, approval: Approval, operator_id: int) -> None:
        colleagues = self._services.colleagues

        def name() -> str:
            return next((each.name for each in colleagues() if each.operator_id == operator_id), str(operator_id))

        done = partial(self._keep_approval, question, approval)
        self._background.run(name, on_done=done, on_error=lambda _error: done(str(operator_id)), lane=LANE)

    def _keep_approval(self, question: RedemptionRequest, approval: Approval, name: str) -> None:
        approved = Proofs(approval=approval, approver=isolated_words(name), why=_why(approval))
        self.memory.take_approval(question, approved)
        self.approved.emit()

    # --- A pass ------------------------------------------------------------------------------------------------------

    @Slot()
    def scan(self) -> None:
        """Ask for a pass in a dialog of its own."""
        if self._dialog is not None or not self._can_spend:
            return
        from pos_app.ui.pass_dialog import PassDialog  # Slow to load: no till waits for it when it starts.

        dialog = PassDialog(self._window)
        dialog.entered.connect(self._entered)
        dialog.finished.connect(self._closed)
        self._dialog = dialog
        dialog.open()

    @Slot(str)
    def _entered(self, text: str) -> None:
        if self._dialog is not None:
            self._dialog.accept()
        self.take_pass(text)

    @Slot(str)
    def take_pass(self, text: str) -> None:
        """A pass was scanned: without a line it confirms who is on screen or finds hers, with one it only finds."""
        if not self._can_spend:
            return
        spending = self._services.spending

        def owner() -> CustomerRef | None:
            try:
                return spending.customer_of_pass(text)
            except NotAPassError:
                return None

        self._background.run(owner, on_done=partial(self._use, text), on_error=lambda _error: None, lane=LANE)

    def _use(self, text: str, owner: CustomerRef | None) -> None:
        asked = self._serving.asked
        on_screen = self._serving.customer_id_of(asked) if asked is not None else None
        is_hers = asked is not None and (owner is None or on_screen in {None, int(owner.value)})
        if self._services.line.view.state is not LineState.OFFLINE:
            if owner is None:
                self._refuse()
            elif not is_hers:
                self.customer_named.emit(int(owner.value))
        elif asked is not None and is_hers:
            self.memory.take_pass(asked, text)
            self.passed.emit()
        elif owner is not None:
            self.memory.take_pass(owner, text)
            self.customer_named.emit(int(owner.value))
        else:
            self._refuse()

    def _refuse(self) -> None:
        facts = WordingFacts()
        self._board.show(view_of_words(for_no_way(NoWay.PASS_NOT_READ, facts), facts))

    @Slot()
    def _closed(self) -> None:
        dialog, self._dialog = self._dialog, None
        if dialog is not None:
            dialog.deleteLater()
            self._window.activateWindow()  # Keys go nowhere after a dialog where there is no window manager.


def _why(approval: Approval) -> str:
    """Her reason inside a sentence: her own words where she had to type them."""
    from pos_app.ui.approval_dialog import reason_text  # It was loaded to ask her.

    if approval.reason is ApprovalReason.OTHER and approval.note:
        return isolated_words(approval.note)
    reason = reason_text(approval.reason)
    return reason[:1].lower() + reason[1:]
