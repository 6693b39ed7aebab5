"""What the buttons of the verdict panel do: each way on leads to exactly one deed (ux B.12)."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QGuiApplication

from pos_app.ui.announce import Announcer
from pos_app.ui.board import Board
from pos_app.ui.confirm_form import CALL
from pos_app.ui.counter_presenter import CounterPresenter
from pos_app.ui.customer_presenter import CustomerPresenter
from pos_app.ui.entry_column import EntryColumn
from pos_app.ui.proof_presenter import ProofPresenter
from pos_app.ui.redeem_presenter import RedeemPresenter
from pos_app.ui.wording import Note, Way, note


class WaysPresenter(QObject):
    """Carries out the way a cashier chose.

    Signals:
        group_asked: the family group picker is wanted.
        new_customer_asked: start afresh.
    """

    group_asked = Signal()
    new_customer_asked = Signal()

    def __init__(
        self,
        *,
        entry: EntryColumn,
        board: Board,
        announcer: Announcer,
        counter: CounterPresenter,
        customer: CustomerPresenter,
        redeem: RedeemPresenter,
        proofs: ProofPresenter,
    ) -> None:
        super().__init__(entry)
        self._entry = entry
        self._board = board
        self._announcer = announcer
        self._counter = counter
        self._customer = customer
        self._deeds: dict[Way, Callable[[], object]] = {
            Way.CHANGE_PROGRAM: entry.programs.open_list,
            Way.BACK_TO_POINTS: entry.points.go,
            Way.TRY_AGAIN: self._try_again,
            Way.TRY_ONLINE: self._try_online,
            Way.CHOOSE_GROUP: self.group_asked.emit,
            Way.OWN_POINTS: self._use_own_points,
            Way.CHANGE_CUSTOMER: entry.customer.go,
            Way.MISSED_CALL: self._use_missed_call,
            Way.CHECK_CALL: counter.check,
            Way.SCAN_PASS: proofs.scan,
            Way.SUPERVISOR: counter.ask_supervisor,
            Way.ENTER_POINTS: self._enter_points,
            Way.OTHER_PROGRAMS_ON: self._use_all_programs,
            Way.COPY_FOR_SUPPORT: self._copy,
            Way.NEW_CUSTOMER: self.new_customer_asked.emit,
            Way.FIND_OUT: redeem.find_out,
            Way.CANCEL_REDEMPTION: redeem.cancel,
            Way.CANCEL_CHECK: counter.stop,
            Way.SEND_CODE: counter.confirm,
            Way.ENTER_CODE: counter.confirm,
            Way.REDEEM: counter.redeem,
        }

    @Slot(str, str)
    def go(self, way: str, value: str) -> None:
        """Carry out `way`; the two that name an amount fill it in and check it."""
        chosen = Way(way)
        if chosen in (Way.USE_NEAREST, Way.USE_FITTING):
            self._counter.fill_points(value)
        else:
            self._deeds[chosen]()

    def _try_again(self) -> None:
        """Check again; while no amount was typed it was the lookup that failed."""
        if self._entry.points.text:
            self._counter.check()
        else:
            self._customer.find()

    def _try_online(self) -> None:
        if self._entry.points.text:
            self._counter.check_online()
        else:
            self._customer.find_online()

    def _use_own_points(self) -> None:
        self._entry.programs.use_own_points()
        self._counter.check()

    def _use_missed_call(self) -> None:
        self._entry.confirm.choose(CALL)
        self._counter.check()

    def _enter_points(self) -> None:
        self._entry.points.fill_points("")
        self._entry.points.go()

    def _use_all_programs(self) -> None:
        self._entry.programs.use_other_programs()
        self._counter.check()

    def _copy(self) -> None:
        """Headline, code and reference: nothing that names the customer."""
        view = self._board.view
        QGuiApplication.clipboard().setText(f"{view.title}\n{view.meta}".strip())
        self._announcer.say(note(Note.COPIED))
