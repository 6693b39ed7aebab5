"""Joins a painted window to the services of a till. It makes the presenters, connects them, and knows nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from pos_app.domain.redemption import Redemption, State
from pos_app.domain.request import CustomerRef
from pos_app.services.till import TillServices, TillView
from pos_app.ui.background import Background
from pos_app.ui.bill_presenter import BillPresenter
from pos_app.ui.board import Board
from pos_app.ui.code_presenter import CodePresenter
from pos_app.ui.counter_presenter import CounterPresenter
from pos_app.ui.customer_presenter import CustomerPresenter
from pos_app.ui.desk_presenter import DeskPresenter
from pos_app.ui.family_presenter import FamilyPresenter
from pos_app.ui.inputs_presenter import InputsPresenter
from pos_app.ui.pass_scanner import PassScanner
from pos_app.ui.people_presenter import PeoplePresenter
from pos_app.ui.proof_presenter import ProofPresenter
from pos_app.ui.redeem_presenter import RedeemPresenter
from pos_app.ui.search_presenter import SearchPresenter
from pos_app.ui.serving import Serving
from pos_app.ui.status_presenter import StatusPresenter
from pos_app.ui.till_presenter import TillPresenter
from pos_app.ui.verdict_words import idle_view
from pos_app.ui.ways_presenter import WaysPresenter

if TYPE_CHECKING:
    from pos_app.ui.main_window import MainWindow

_SHOWN_AT_START = frozenset({State.UNKNOWN, State.SENT})


class Wiring(QObject):
    """The presenters of one window, and the few events that concern several of them."""

    def __init__(self, window: MainWindow, services: TillServices, view: TillView) -> None:
        super().__init__(window)
        self._window = window
        self.background = Background(self)
        self._serving = Serving()
        self._board = Board(window.panel, window.announcer)
        self._till = TillPresenter(
            window.header, self.background, services, self._serving, probe_s=view.probe_s, drain_s=view.drain_s
        )
        self._redeem = RedeemPresenter(
            board=self._board,
            background=self.background,
            redemptions=services.redemptions,
            serving=self._serving,
            spending=services.spending,
            cashier=lambda: services.operators.cashier if services.operators is not None else None,
        )
        self._people = PeoplePresenter(window, window.header, self.background, services)
        self._proofs = ProofPresenter(
            window,
            board=self._board,
            background=self.background,
            services=services,
            serving=self._serving,
            people=self._people,
        )
        self._codes = CodePresenter(
            window,
            background=self.background,
            validation=services.validation,
            clock=services.clock,
            view=view,
            serving=self._serving,
            can_ask=self._people.can_ask,
        )
        self._bill = BillPresenter(window.panel.bill)
        self._inputs = InputsPresenter(
            window.entry,
            self._board,
            self._codes.memory,
            self._serving,
            whole_values_only=view.whole_values_only,
        )
        self._make_customer(services, view)
        self._make_counter(services, view)
        self._family = FamilyPresenter(window, window.entry.programs, window.announcer)
        self._ways = WaysPresenter(
            entry=window.entry,
            board=self._board,
            announcer=window.announcer,
            counter=self._counter,
            customer=self._customer,
            redeem=self._redeem,
            proofs=self._proofs,
        )
        self._desk = DeskPresenter(
            window,
            background=self.background,
            services=services,
            serving=self._serving,
            people=self._people,
            place=" ".join(part for part in (view.store, view.till) if part),
        )
        self._status = StatusPresenter(
            window, window.notices, window.announcer, self.background, services, every_s=view.status_s
        )
        self._search = SearchPresenter(
            window, window.entry.customer, window.announcer, self.background, services.search
        )
        self._scanner = PassScanner(window, services.clock)
        self._connect_keys()
        self._connect_presenters()

    def begin(self) -> None:
        """Everything is joined: begin to work, and answer what was asked while the window was starting."""
        self._board.show(idle_view(), is_quiet=True)
        self._till.begin()
        self._status.begin()
        asked = self._window.take_early_question()
        if asked == "find":
            self._customer.find()
        elif asked == "check":
            self._counter.check()

    def stop(self) -> None:
        """The window closes: stop the timers, wait a bounded time, leave the rest to the outbox."""
        self._till.stop()
        self._status.stop()
        self._customer.stop()
        self._counter.stop_timers()
        self.background.stop()

    def _make_customer(self, services: TillServices, view: TillView) -> None:
        self._customer = CustomerPresenter(
            entry=self._window.entry,
            place=self._window.card_place,
            board=self._board,
            background=self.background,
            lookup=services.lookup,
            line=services.line,
            clock=services.clock,
            serving=self._serving,
            operator=view.operator,
            allowances=services.allowances,
        )

    def _make_counter(self, services: TillServices, view: TillView) -> None:
        self._counter = CounterPresenter(
            entry=self._window.entry,
            board=self._board,
            inputs=self._inputs,
            bill=self._bill,
            codes=self._codes,
            proofs=self._proofs,
            redeem=self._redeem,
            background=self.background,
            validation=services.validation,
            clock=services.clock,
            line=services.line,
            view=view,
            serving=self._serving,
        )

    def _connect_keys(self) -> None:
        window = self._window
        window.panel.way_chosen.connect(self._ways.go)
        for signal, slot in (
            (window.panel.send_code_asked, self._counter.confirm),
            (window.panel.redeem_asked, self._counter.redeem),
            (window.confirm_asked, self._counter.confirm),
            (window.redeem_asked, self._counter.redeem),
            (window.supervisor_asked, self._counter.ask_supervisor),
            (window.stop_asked, self._counter.stop),
            (window.reveal_asked, self._customer.toggle_reveal),
            (window.find_out_asked, self._redeem.find_out),
            (window.outbox_asked, self._desk.open),
            (window.sign_in_asked, self._people.open_sign_in),
            (window.new_customer_asked, self._start_afresh),
        ):
            signal.connect(slot)

    def _connect_presenters(self) -> None:
        self._search.chosen.connect(self._find_chosen)
        self._status.synced.connect(self._till.show_feed)
        self._people.changed.connect(self._begin_shift)
        self._scanner.scanned.connect(self._proofs.take_pass)
        self._customer.pass_typed.connect(self._proofs.take_pass)
        self._proofs.customer_named.connect(self._find_by_number)
        self._ways.group_asked.connect(self._family.open)
        self._ways.new_customer_asked.connect(self._start_afresh)
        self._counter.customer_asked.connect(self._find_quietly)
        self._counter.settled.connect(self._till.refresh_line)
        self._customer.settled.connect(self._till.refresh_line)
        self._customer.found.connect(self._inputs.follow)
        self._customer.found.connect(self._till.read_known)
        self._redeem.settled.connect(self._till.refresh_line)
        self._redeem.settled.connect(self._till.count_outbox)
        self._desk.moved.connect(self._till.count_outbox)
        self._till.outbox_moved.connect(self._desk.refresh)
        self._redeem.confirmed.connect(self._refresh_card)
        self._till.came_back.connect(self._customer.ask_ledger)
        self._till.went_down.connect(self._customer.ask_here)
        self._till.knows.connect(self._show_programs)
        self._till.resumed.connect(self._show_unknown)
        self._till.outbox_moved.connect(self._redeem.rows_changed)

    @Slot(object)
    def _find_quietly(self, customer: CustomerRef) -> None:
        self._customer.find_quietly(customer)

    @Slot(int, str)
    def _find_chosen(self, customer_id: int, line: str) -> None:
        self._window.entry.customer.show_chosen(customer_id, line)
        self._customer.find()

    @Slot()
    def _begin_shift(self) -> None:
        if self._people.current is not None:
            self._status.ask_regulars()

    @Slot(int)
    def _find_by_number(self, customer_id: int) -> None:
        """A pass names her."""
        self._find_chosen(customer_id, self.tr("Customer {id}").format(id=customer_id))

    @Slot(object)
    def _refresh_card(self, row: Redemption) -> None:
        self._customer.refresh(row)

    @Slot()
    def _start_afresh(self) -> None:
        """Ctrl+N: nothing of the last customer stays."""
        self._counter.start_afresh()
        self._customer.forget()
        self._window.entry.clear()
        self._window.entry.customer.go()

    @Slot()
    def _show_programs(self) -> None:
        entry = self._window.entry
        entry.programs.show_programs(
            [(each.program_id, each.name) for each in self._serving.programs if each.is_active]
        )
        entry.confirm.offer_call(self._serving.organisation.missed_call_enabled)
        entry.confirm.offer_skip(self._serving.organisation.skip_validation_allowed and self._people.can_ask)
        self._customer.show_again()
        self._inputs.follow()

    @Slot(object)
    def _show_unknown(self, rows: tuple[Redemption, ...]) -> None:
        """At start: a redemption whose answer was lost is the first thing the cashier sees."""
        unsure = next((row for row in rows if row.state in _SHOWN_AT_START), None)
        if unsure is not None:
            self._redeem.show_row(unsure)
        elif self._serving.unanswered and self._board.view.state == "idle":
            self._board.show(idle_view(len(self._serving.unanswered)), is_quiet=True)
