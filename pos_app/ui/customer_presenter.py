"""Finds the customer, keeps her card fresh, and shows her identifiers for ten seconds (ux B.2)."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final, NamedTuple

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from pos_app.domain.leases import Owner, OwnerKind
from pos_app.domain.masking import mask
from pos_app.domain.points import Points
from pos_app.domain.redemption import Redemption
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import CustomerRef
from pos_app.services.allowances import Allowance, Allowances
from pos_app.services.line import Line
from pos_app.services.lookup import LookupService
from pos_app.services.ports import Clock
from pos_app.services.results import Found, Source
from pos_app.ui.background import Background
from pos_app.ui.board import Board
from pos_app.ui.card_place import CardPlace
from pos_app.ui.card_words import age_words, card_view
from pos_app.ui.entry_column import EntryColumn
from pos_app.ui.panel import PanelView
from pos_app.ui.proofs import is_pass
from pos_app.ui.question import customer_of
from pos_app.ui.serving import Serving
from pos_app.ui.verdict_words import idle_view, trouble_view, view_of_words
from pos_app.ui.wording import WordingFacts, for_refusal, kind_words

_audit = logging.getLogger("pos_app.audit")

LANE: Final = "lookup"
REVEAL_S: Final = 10
AGE_TICK_MS: Final = 30_000


class Known(NamedTuple):
    """A customer as she was found, and what is set aside here for her, by program."""

    found: Found | None
    held: dict[int, Allowance]


class CustomerPresenter(QObject):
    """Joins the customer form and the card to the lookup service.

    Signals:
        found: a customer was found or refreshed.
        pass_typed: a pass stands in the field of the customer. arg: its text.
        settled: a lookup ended, whatever came of it (the header looks at the line then).
    """

    found = Signal()
    pass_typed = Signal(str)
    settled = Signal()

    def __init__(
        self,
        *,
        entry: EntryColumn,
        place: CardPlace,
        board: Board,
        background: Background,
        lookup: LookupService,
        line: Line,
        clock: Clock,
        serving: Serving,
        operator: str,
        allowances: Allowances | None = None,
    ) -> None:
        """`allowances` tells what is set aside here: without a line the card shows that instead of the balance."""
        super().__init__(entry)
        self._entry = entry
        self._place = place
        self._board = board
        self._background = background
        self._lookup = lookup
        self._line = line
        self._clock = clock
        self._serving = serving
        self._operator = operator
        self._allowances = allowances
        self._held: dict[int, Allowance] = {}
        self._reveal_left_s = 0
        self._is_answer_wanted = False
        self._said: PanelView | None = None
        self._reveal_timer = QTimer(self)
        self._reveal_timer.setInterval(1000)
        self._reveal_timer.timeout.connect(self._tick_reveal)
        self._age_timer = QTimer(self)
        self._age_timer.setInterval(AGE_TICK_MS)
        self._age_timer.timeout.connect(self._tick_age)
        entry.customer.find_asked.connect(self.find)
        entry.changed.connect(self._follow_inputs)
        place.reveal_asked.connect(self.toggle_reveal)

    @Slot()
    def find(self) -> None:
        """Look up who was typed, and go on to the points: the cashier types on while the answer is on its way."""
        self._find(is_online_wanted=False)

    def find_online(self) -> None:
        """The same, and find out first whether the line is back (Try online)."""
        self._find(is_online_wanted=True)

    def _find(self, *, is_online_wanted: bool) -> None:
        customer = customer_of(self._entry)
        if customer is None:
            self._entry.customer.show_note(self.tr("Scan or type the customer first."))
            self._entry.customer.go()
            return
        if is_pass(customer.value):
            self._entry.customer.clear()  # It is no identifier, and a secret of hers: it is asked about nowhere.
            self.pass_typed.emit(customer.value)
            return
        self._entry.points.go()
        self._ask(customer, is_answer_wanted=True, is_online_wanted=is_online_wanted)

    def find_quietly(self, customer: CustomerRef) -> None:
        """Look somebody up because a check asks about her: the check itself says when nobody has this identifier."""
        if self._serving.found_for(customer) is None:
            self._ask(customer, is_answer_wanted=False)

    def refresh(self, row: Redemption) -> None:
        """After a redemption: what the ledger said is left, and her whole card anew."""
        if row.customer != self._serving.asked or self._serving.found is None:
            return
        if row.balance_after is not None and row.family_group is None and not row.program_group:
            self._serving.found = _with_balance(self._serving.found, row.program_id, row.balance_after)
            self._show(self._serving.found)
        else:
            self._ask(row.customer, is_answer_wanted=False)

    @Slot()
    def ask_here(self) -> None:
        """The line went down: the card shows what may be used without one."""
        asked, found = self._serving.asked, self._serving.found
        if asked is not None and found is not None and found.source is Source.LEDGER:
            self._ask(asked, is_answer_wanted=False)

    @Slot()
    def ask_ledger(self) -> None:
        """The line is back: a card from the cache gets the ledger's figures, behind what is shown."""
        asked, found = self._serving.asked, self._serving.found
        if asked is not None and found is not None and found.source is Source.CACHE:
            self._ask(asked, is_answer_wanted=False)

    def show_again(self) -> None:
        """Programs or the organisation became known: the card may say more."""
        if self._serving.found is not None:
            self._show(self._serving.found)

    def forget(self) -> None:
        """A new customer: nothing of the last one stays."""
        self._background.drop(LANE)
        self._stop_reveal()
        self._age_timer.stop()
        self._serving.asked = None
        self._serving.found = None
        self._place.show_nobody()

    @Slot()
    def toggle_reveal(self) -> None:
        """Show the identifiers for ten seconds, or hide them again; showing is audited, without the value."""
        if self._serving.found is None:
            return
        if self._reveal_left_s:
            self._stop_reveal()
            return
        _audit.info(
            "identifiers of customer %d shown by %s",
            self._serving.found.record.customer.customer_id,
            self._operator or "the cashier",
        )
        self._reveal_left_s = REVEAL_S
        self._place.show_reveal(REVEAL_S)
        self._reveal_timer.start()

    def stop(self) -> None:
        """The window closes."""
        self._reveal_timer.stop()
        self._age_timer.stop()

    # Answers

    def _ask(self, customer: CustomerRef, *, is_answer_wanted: bool, is_online_wanted: bool = False) -> None:
        if customer != self._serving.asked:
            self.forget()
        self._serving.asked = customer
        self._is_answer_wanted = is_answer_wanted
        self._place_waiting()

        def work() -> Known:
            if is_online_wanted:
                self._line.probe()  # Else the till, which believes it down, answers by itself at once.
            found = self._lookup.find(customer)
            return Known(found, self._held_for(found))

        self._background.run(work, on_done=self._show_found, on_error=self._show_trouble, lane=LANE)

    def _held_for(self, found: Found | None) -> dict[int, Allowance]:
        """What is set aside here for her own wallets, by program. Slow, and for another thread."""
        if found is None or self._allowances is None or found.source is not Source.CACHE:
            return {}
        customer_id = found.record.customer.customer_id
        held = [
            (wallet.program_id, self._allowances.of(Owner(OwnerKind.CUSTOMER, customer_id), wallet.program_id))
            for wallet in found.record.wallets
        ]
        return {program_id: each for program_id, each in held if each is not None}

    def _place_waiting(self) -> None:
        if self._serving.found is None:
            self._place.show_nobody(self.tr("Looking up"))

    def _show_found(self, known: Known) -> None:
        found, self._held = known
        self.settled.emit()
        if found is None:
            self._show_unknown()
            return
        self._serving.found = found
        customer = self._serving.asked
        if customer is not None and customer == customer_of(self._entry):
            self._entry.customer.hide_value(mask(customer.kind, customer.value))
        self._show(found)
        self._age_timer.start()
        self._take_back()
        self.found.emit()

    def _show_unknown(self) -> None:
        self._serving.found = None
        self._place.show_nobody()
        customer = self._serving.asked
        if self._is_answer_wanted and customer is not None:
            facts = WordingFacts(kind=kind_words(customer.kind.value))
            self._say(view_of_words(for_refusal(Refusal.CUSTOMER_UNKNOWN, facts), facts))

    def _show_trouble(self, error: Exception) -> None:
        self.settled.emit()
        self._place.show_nobody()
        if self._is_answer_wanted:
            self._say(trouble_view(error))

    def _say(self, view: PanelView) -> None:
        self._said = view
        self._board.show(view)

    def _take_back(self) -> None:
        """What was said of a lookup is over; what a check said stays."""
        if self._said is not None and self._board.view is self._said:
            self._board.show(idle_view(len(self._serving.unanswered)), is_quiet=True)
        self._said = None

    def _show(self, found: Found) -> None:
        self._place.show_customer(
            card_view(
                found,
                self._serving.programs,
                self._chosen_program_id(),
                self._serving.organisation,
                self._clock.wall(),
                self._held,
            )
        )
        if self._reveal_left_s:
            self._place.show_reveal(self._reveal_left_s)

    def _chosen_program_id(self) -> int | None:
        program = self._serving.program(self._entry.programs.program_id)
        return program.program_id if program is not None else None

    # Time

    @Slot()
    def _tick_reveal(self) -> None:
        self._reveal_left_s -= 1
        self._place.show_reveal(self._reveal_left_s)
        if self._reveal_left_s <= 0:
            self._stop_reveal()

    def _stop_reveal(self) -> None:
        self._reveal_timer.stop()
        self._reveal_left_s = 0
        self._place.show_reveal(0)

    @Slot()
    def _tick_age(self) -> None:
        asked = self._serving.asked
        if self._held and asked is not None:
            self._ask(asked, is_answer_wanted=False)  # What is set aside has an end of its own.
        elif self._serving.found is not None:
            age, is_ageing, is_hidden = age_words(self._serving.found, self._clock.wall())
            if is_hidden:
                self._show(self._serving.found)
            self._place.show_age(age, is_ageing=is_ageing)

    @Slot()
    def _follow_inputs(self) -> None:
        """Another identifier is being typed: the card of the last one would be a lie."""
        if self._serving.asked is not None and customer_of(self._entry) != self._serving.asked:
            self.forget()
            self._take_back()


def _with_balance(found: Found, program_id: int | None, balance: Points) -> Found:
    wallets = tuple(
        replace(each, balance=balance, available=balance, lots=()) if each.program_id == program_id else each
        for each in found.record.wallets
    )
    return replace(found, record=replace(found.record, wallets=wallets))
