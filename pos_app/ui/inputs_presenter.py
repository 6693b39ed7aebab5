"""What is typed, against what was checked: the verdict is dimmed as soon as they differ (ux B.4, C13)."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Slot

from pos_app.domain.facts import Program
from pos_app.domain.request import RedemptionRequest, ValidationType
from pos_app.ui.board import Board
from pos_app.ui.code_memory import CodeMemory
from pos_app.ui.entry_column import EntryColumn
from pos_app.ui.formats import points_text
from pos_app.ui.question import NotYet, customer_of, question_of
from pos_app.ui.rule_words import rule_line
from pos_app.ui.serving import Serving
from pos_app.ui.wording import Note, WordingFacts, note


class InputsPresenter(QObject):
    """Reads the entry column, remembers the question that was asked, and follows every change."""

    def __init__(
        self, entry: EntryColumn, board: Board, codes: CodeMemory, serving: Serving, *, whole_values_only: bool
    ) -> None:
        super().__init__(entry)
        self._entry = entry
        self._board = board
        self._codes = codes
        self._serving = serving
        self._whole_values_only = whole_values_only
        self._asked: RedemptionRequest | None = None
        self._is_waiting = False
        entry.changed.connect(self.follow)

    def question(self) -> RedemptionRequest | NotYet:
        """The question as it stands in the entry column."""
        return question_of(
            self._entry,
            currency=self._serving.organisation.currency,
            whole_values_only=self._whole_values_only,
        )

    @property
    def is_stale(self) -> bool:
        """Say whether the inputs are no longer those that were checked; while an answer is awaited they count so."""
        if self._asked is None or self._is_waiting:
            return self._asked is not None
        question = self.question()
        return isinstance(question, NotYet) or self._settled(question) != self._settled(self._asked)

    def is_waiting_for(self, question: RedemptionRequest) -> bool:
        """Say whether the answer to this very question is awaited."""
        return self._is_waiting and self._asked is not None and self._settled(question) == self._settled(self._asked)

    def begin(self, question: RedemptionRequest, *, is_waiting: bool) -> None:
        """This question is asked now; `is_waiting` for an answer from elsewhere."""
        self._asked = question
        self._is_waiting = is_waiting
        self._board.set_stale(is_waiting)

    def end(self, way: ValidationType | None = None) -> None:
        """The answer is there; `way` is how the customer was confirmed, when that changed on the way."""
        self._is_waiting = False
        if self._asked is not None and way is not None:
            self._asked = replace(self._asked, validation_type=way)

    def forget(self) -> None:
        """Nothing is asked."""
        self._asked = None
        self._is_waiting = False

    def show_missing(self, missing: NotYet) -> None:
        """Say what is missing beside its field, and put the cursor there."""
        if missing.place == "customer":
            self._entry.customer.show_note(missing.sentence)
            self._entry.customer.go()
        else:
            self._entry.points.show_trouble(missing.sentence)
            self._entry.points.go()

    @Slot()
    def follow(self) -> None:
        """Dim the verdict or make it bright again, and say what the amount is worth."""
        question = self.question()
        self._board.set_stale(self.is_stale, self._code_note(question))
        amount = None if isinstance(question, NotYet) else question.amount
        customer = customer_of(self._entry)
        found = self._serving.found_for(customer) if customer is not None else None
        tier = found.record.customer.tier if found is not None else None
        currency = self._serving.organisation.currency
        self._entry.points.show_rule(rule_line(self._program(), amount, currency=currency, tier=tier))

    def _code_note(self, question: RedemptionRequest | NotYet) -> str:
        """More points than the code was sent for need a new one: say so before the check does (B.5)."""
        sent = self._codes.sent
        if sent is None or isinstance(question, NotYet) or self._codes.is_out_for(question):
            return ""
        if question.customer != sent.question.customer:
            return ""
        program = self._program()
        points = points_text(sent.points, program.decimals if program is not None else 0)
        return note(Note.CODE_COVERS, WordingFacts(points=points))

    def _settled(self, question: RedemptionRequest) -> RedemptionRequest:
        return self._serving.settled(question)

    def _program(self) -> Program | None:
        return self._serving.program(self._entry.programs.program_id)
