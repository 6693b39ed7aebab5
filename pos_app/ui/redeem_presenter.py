"""Redeems once: one row, one key, whatever is pressed how often; and finds out what became of it (reliability 4.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot

from pos_app.domain.commands import CancelReason
from pos_app.domain.redemption import OPEN, Redemption, State
from pos_app.domain.request import CustomerRef, ValidationType
from pos_app.services.covered import Spent
from pos_app.services.redemption import RedemptionService
from pos_app.services.results import Checked
from pos_app.services.spending import OfflineSpending
from pos_app.ui.background import Background
from pos_app.ui.board import Board
from pos_app.ui.proofs import Proofs
from pos_app.ui.redemption_words import done_view, redemption_view, refusal_of
from pos_app.ui.serving import MADE_HERE, Serving
from pos_app.ui.verdict_words import trouble_view

LANE: Final = "redeem"
_IN_DOUBT: Final = frozenset({State.UNKNOWN, State.SENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the cashier redeems: the yes she saw, for whom, on which bill, with which proof (memory only)."""

    checked: Checked
    customer_id: int | None
    customer_label: str = field(repr=False)
    bill_number: str | None = None
    code: str | None = field(default=None, repr=False)
    proofs: Proofs = field(default_factory=Proofs)


class RedeemPresenter(QObject):
    """Joins F8, Find out now and Cancel redemption to the redemption service.

    Signals:
        row_changed: a committed row. Emitted from whichever thread committed it; slots hear it on theirs.
        confirmed: the points were used. arg: the row.
        proof_failed: the ledger wants another proof under the same key. arg: the row.
        not_here: nothing was redeemed here without a line after all. arg: why, a `Covered`.
        settled: a redemption, a question after one or a cancel has come to an end for now.
    """

    row_changed = Signal(object)
    confirmed = Signal(object)
    proof_failed = Signal(object)
    not_here = Signal(object)
    settled = Signal()

    def __init__(
        self,
        *,
        board: Board,
        background: Background,
        redemptions: RedemptionService,
        serving: Serving,
        spending: OfflineSpending | None = None,
        cashier: Callable[[], int | None] = lambda: None,
    ) -> None:
        """`spending` redeems without a line; `cashier` is the number of who is signed in."""
        super().__init__(board)
        self._board = board
        self._background = background
        self._redemptions = redemptions
        self._spending = spending
        self._cashier = cashier
        self._serving = serving
        self._row: Redemption | None = None
        self._is_busy = False
        self.row_changed.connect(self._show_step)  # Qt queues what another thread emits.

    # What is known

    @property
    def is_busy(self) -> bool:
        """Say whether a request of the shown redemption is out: nothing may be asked twice."""
        return self._is_busy

    @property
    def owns_panel(self) -> bool:
        """Say whether the panel tells of a redemption that an answer to a check must not paint over."""
        return self._is_busy or (self._row is not None and self._row.state is not State.READY)

    @property
    def waiting_row(self) -> Redemption | None:
        """The shown redemption that can be sent once more under its key: it wants another proof, or never got out."""
        row = self._row
        return row if row is not None and row.state is State.READY and not self._is_busy else None

    def in_doubt_for(self, customer: CustomerRef, customer_id: int | None) -> Redemption | None:
        """A redemption of this customer whose result is not known: no other may be begun before it is (W13)."""
        for row in self._serving.open_rows:
            is_hers = row.customer == customer or (customer_id is not None and row.customer_id == customer_id)
            is_on_its_way = row.state is State.READY and row.next_try_at is not None
            if is_hers and (row.state in _IN_DOUBT or is_on_its_way):
                return row
        return None

    # What is asked

    def redeem(self, order: Order) -> None:
        """Begin a redemption, or send the one that waits for another proof. A second press is nothing."""
        if self._is_busy:
            return
        waiting = self.waiting_row
        key = waiting.key if waiting is not None else None
        cashier = self._cashier()
        self._is_busy = True
        approval = order.proofs.approval if order.proofs.skips else None
        checked = _as_skipped(order.checked) if approval is not None else order.checked

        def work() -> Redemption:
            row_key = key
            if waiting is not None and approval is not None and not waiting.skip_validation:
                self._redemptions.give_up(waiting.key, CancelReason.CUSTOMER_LEFT)  # It waits for a code.
                row_key = None
            if row_key is None:
                row = self._redemptions.start(
                    checked,
                    customer_id=order.customer_id,
                    customer_label=order.customer_label,
                    bill_number=order.bill_number,
                    cashier=cashier,
                )
                row_key = row.key
                self.row_changed.emit(row)
            return self._redemptions.submit(row_key, order.code, self.row_changed.emit, approval=approval)

        self._background.run(
            work, on_done=self._show_end, on_error=self._show_trouble, lane=LANE, on_late=self._end_late
        )

    def redeem_here(self, order: Order) -> None:
        """Redeem without a line, under what is set aside here: one commit, then the panel says so. Once."""
        spending = self._spending
        if self._is_busy or spending is None:
            return
        self._is_busy = True
        self._row = None
        cashier = self._cashier()

        def work() -> Spent:
            return spending.redeem(
                order.checked.request,
                customer_label=order.customer_label,
                bill_number=order.bill_number,
                cashier=cashier,
                pass_text=order.proofs.pass_text,
                approval=order.proofs.approval,
            )

        self._background.run(
            work, on_done=self._show_spent, on_error=self._show_trouble, lane=LANE, on_late=self._spent_late
        )

    @Slot()
    def find_out(self) -> None:
        """Ask again under the same key (Ctrl+Shift+U); without one on screen, for the oldest that is not known."""
        row = self._row if self._row is not None and self._row.state in OPEN else self._oldest_open()
        if row is None or self._is_busy or row.kind in MADE_HERE:
            return
        self.show_row(row)
        if row.state is State.PARKED:
            return
        self._is_busy = True
        key, state = row.key, row.state

        def work() -> Redemption:
            if state is State.CANCELLING:
                return self._redemptions.give_up(key, CancelReason.UNKNOWN_RESULT, self.row_changed.emit)
            return self._redemptions.submit(key, None, self.row_changed.emit)

        self._background.run(
            work, on_done=self._show_end, on_error=self._show_trouble, lane=LANE, on_late=self._end_late
        )

    @Slot()
    def cancel(self) -> None:
        """This redemption must not happen; its answer decides what the panel says."""
        row = self._row
        if row is None or row.state not in OPEN or self._is_busy:
            return
        self._is_busy = True
        self._give_up(row, CancelReason.UNKNOWN_RESULT, is_shown=True)

    def show_row(self, row: Redemption) -> None:
        """Put a redemption on the panel."""
        self._row = row
        self._board.show(redemption_view(row, self._serving))

    def put_away(self) -> None:
        """A new customer, or a new question: what was shown is no longer.

        A row that only waits to be sent once more is given up, since nobody will bring it; all else goes on by itself.
        """
        waiting = self.waiting_row
        if self._is_busy:
            self._background.drop(LANE)
            self._is_busy = False
        elif waiting is not None:
            self._give_up(waiting, CancelReason.CUSTOMER_LEFT, is_shown=False)
        self._row = None

    def rows_changed(self, rows: object) -> None:
        """The outbox moved on: show it where it is on the panel."""
        for row in rows if isinstance(rows, (tuple, list)) else ():
            if self._row is not None and row.key == self._row.key and not self._is_busy:
                self._show_end(row)

    # Answers

    @Slot(object)
    def _show_step(self, row: Redemption) -> None:
        """A committed state on the way; the end is told by `_show_end`."""
        if not self._is_busy or (self._row is not None and self._row.state in OPEN and self._row.key != row.key):
            return
        self._row = row
        if row.state in (State.READY, State.SENT) and row.refusal is None:
            self._board.show(redemption_view(row, self._serving))

    def _show_end(self, row: Redemption) -> None:
        self._is_busy = False
        self._row = row
        if row.state is State.READY and refusal_of(row) is not None:
            self.proof_failed.emit(row)
        else:
            self._board.show(redemption_view(row, self._serving))
        if row.state is State.CONFIRMED:
            self.confirmed.emit(row)
        self.settled.emit()

    def _show_spent(self, spent: Spent) -> None:
        """Redeemed here, as the committed row says; or not, and then the reason is the panel's to say."""
        self._is_busy = False
        self._row = spent.row
        if spent.row is None:
            self.not_here.emit(spent.covered)
        else:
            self._board.show(done_view(spent.row, spent.covered, self._serving))
            self.confirmed.emit(spent.row)
        self.settled.emit()

    def _spent_late(self, _spent: Spent) -> None:
        self.settled.emit()

    def _show_trouble(self, error: Exception) -> None:
        """Surely nothing was done, or the row says that it is not known: then the row is what counts."""
        self._is_busy = False
        row = self._row
        if row is not None and row.state in (State.READY, State.SENT, State.UNKNOWN):
            self._background.run(
                lambda: self._redemptions.get(row.key),
                on_done=lambda now: self._show_after_trouble(now, error),
                on_error=lambda _: self._board.show(trouble_view(error, is_redeem=True)),
            )
        else:
            self._board.show(trouble_view(error, is_redeem=row is not None))
        self.settled.emit()

    def _show_after_trouble(self, row: Redemption, error: Exception) -> None:
        self._row = row
        if row.state is State.READY:
            self._board.show(trouble_view(error))
        else:
            self._board.show(redemption_view(row, self._serving))

    def _end_late(self, _row: Redemption) -> None:
        self.settled.emit()

    def _give_up(self, row: Redemption, reason: CancelReason, *, is_shown: bool) -> None:
        key = row.key
        if is_shown:
            self._background.run(
                lambda: self._redemptions.give_up(key, reason, self.row_changed.emit),
                on_done=self._show_end,
                on_error=self._show_trouble,
                on_late=self._end_late,
                lane=LANE,
            )
        else:
            self._background.run(
                lambda: self._redemptions.give_up(key, reason), on_done=self._end_late, on_error=self._give_up_failed
            )

    def _give_up_failed(self, _error: Exception) -> None:
        self.settled.emit()

    def _oldest_open(self) -> Redemption | None:
        return next(iter(self._serving.unanswered), None)


def _as_skipped(checked: Checked) -> Checked:
    """The same, with the wish to skip the confirmation as the wire says it (ux B.5)."""
    request = replace(checked.request, skip_validation=True, validation_type=ValidationType.INVALID)
    return replace(checked, request=request)
