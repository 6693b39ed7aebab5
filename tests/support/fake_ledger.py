"""Ledgers for the services' tests: a small true one, one that answers by script, and one behind a bad line."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar

from support.builders import CUSTOMER_ID, a_program, a_record, points

from pos_app.domain.answers import (
    CancelAnswer,
    CancelOutcome,
    Capabilities,
    CheckAnswer,
    CodeAnswer,
    Extension,
    Identity,
    RedeemAnswer,
    ReversalRefusal,
    ReverseAnswer,
    WalletView,
)
from pos_app.domain.commands import Cancel, Redeem, Reverse, SendCode
from pos_app.domain.facts import CustomerRecord, Organisation, Program
from pos_app.domain.points import ZERO, Points
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import AskedPoints, CustomerRef, RedemptionRequest
from pos_app.domain.trouble import LineDownError, UnclearAnswerError
from pos_app.services.ports import Ledger

Answer = TypeVar("Answer")
OUR_LEDGER = Capabilities(
    service="pos-app-ledger", has_extension=True, idempotent_redeem=True, features=frozenset({"cancel"})
)
A_MOMENT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def a_check_answer(count: int | str = 100, **changes: Any) -> CheckAnswer:
    """A yes to so many points, worth one unit each; `refusal` makes it a no."""
    asked = points(count)
    plain = CheckAnswer(
        identity=Identity(),
        points=asked,
        worth=asked.decimal,
        local_worth=asked.decimal,
        by_value=False,
        ratio=Decimal(1),
        refusal=None,
        code=800 if "refusal" not in changes else 818,
        message="",
    )
    return replace(plain, **changes)


def a_redeem_answer(count: int | str = 100, balance: int | str = 400, **changes: Any) -> RedeemAnswer:
    """A yes: so many points were redeemed; `refusal` makes it a no."""
    asked = points(count)
    is_no = changes.get("refusal") is not None
    plain = RedeemAnswer(
        identity=Identity(),
        customer_id=None if is_no else CUSTOMER_ID,
        redemption_id=None if is_no else "k4Wq7Z",
        points=asked,
        worth=asked.decimal,
        local_worth=asked.decimal,
        balance=points(balance),
        refusal=None,
        code=800,
        message="",
    )
    return replace(plain, **changes)


def an_extension(**changes: Any) -> Extension:
    """What our ledger says beside an answer."""
    return replace(Extension(epoch=1, server_time=A_MOMENT), **changes)


def a_wallet_view(balance: int | str, available: int | str | None = None) -> WalletView:
    """What the paying wallet holds now."""
    free = points(balance if available is None else available)
    return WalletView(wallet_id=8801, version=1, balance=points(balance), available=free)


class ScriptedLedger:
    """Answers each call with the next of its script: a value, an exception to raise, or a function to call.

    `asked` holds (name, argument) of every call. A call without a script is a fault of the test.
    """

    def __init__(self, **script: Iterable[Any]) -> None:
        self.asked: list[tuple[str, Any]] = []
        self._script = {name: deque(answers) for name, answers in script.items()}
        self._script.setdefault("capabilities", deque([OUR_LEDGER] * 1000))

    def says(self, name: str, *answers: Any) -> None:
        """Add answers to the script of one call."""
        self._script.setdefault(name, deque()).extend(answers)

    def calls(self, name: str) -> list[Any]:
        """The arguments of all calls of that name."""
        return [argument for called, argument in self.asked if called == name]

    def is_up(self) -> bool:
        return bool(self._next("is_up", None))

    def capabilities(self) -> Capabilities:
        return self._next("capabilities", None)  # type: ignore[no-any-return]

    def find_customer(self, customer: CustomerRef) -> CustomerRecord | None:
        return self._next("find_customer", customer)  # type: ignore[no-any-return]

    def program(self, program_id: int) -> Program | None:
        return self._next("program", program_id)  # type: ignore[no-any-return]

    def organisation(self) -> Organisation | None:
        return self._next("organisation", None)  # type: ignore[no-any-return]

    def check(self, request: RedemptionRequest) -> CheckAnswer:
        return self._next("check", request)  # type: ignore[no-any-return]

    def send_code(self, command: SendCode) -> CodeAnswer:
        return self._next("send_code", command)  # type: ignore[no-any-return]

    def redeem(self, command: Redeem) -> RedeemAnswer:
        return self._next("redeem", command)  # type: ignore[no-any-return]

    def cancel(self, command: Cancel) -> CancelAnswer | None:
        return self._next("cancel", command)  # type: ignore[no-any-return]

    def reverse(self, command: Reverse) -> ReverseAnswer:
        return self._next("reverse", command)  # type: ignore[no-any-return]

    def _next(self, name: str, argument: Any) -> Any:
        self.asked.append((name, argument))
        script = self._script.get(name)
        assert script, f"nobody said what {name} answers"
        answer = script.popleft()
        if isinstance(answer, BaseException):
            raise answer
        return answer(argument) if callable(answer) else answer


class SmallLedger:
    """A true, small ledger: one customer, one wallet, one right code; keys are remembered, cancels leave tombstones.

    `charges` maps each key to the points taken under it and not given back; `wants_code` is the organisation's wish.
    """

    def __init__(self, balance: int = 500, *, code: str | None = None) -> None:
        self.balance = points(balance)
        self.code = code
        self.charges: dict[str, Points] = {}
        self._outcomes: dict[str, RedeemAnswer] = {}
        self._lock = threading.Lock()

    def is_up(self) -> bool:
        return True

    def capabilities(self) -> Capabilities:
        return OUR_LEDGER

    def find_customer(self, customer: CustomerRef) -> CustomerRecord | None:
        record = a_record()
        (wallet,) = record.wallets
        return replace(record, wallets=(replace(wallet, balance=self.balance, available=self.balance),))

    def program(self, program_id: int) -> Program | None:
        return a_program(program_id)

    def organisation(self) -> Organisation | None:
        return Organisation(organisation_id=1, validation_required=self.code is not None)

    def check(self, request: RedemptionRequest) -> CheckAnswer:
        assert isinstance(request.amount, AskedPoints)
        asked = request.amount.points
        refusal = Refusal.BALANCE_TOO_LOW if asked > self.balance else None
        if refusal is not None:
            return a_check_answer(str(asked), refusal=refusal)
        return a_check_answer(str(asked))

    def send_code(self, command: SendCode) -> CodeAnswer:
        return CodeAnswer(identity=Identity(), points=ZERO, refusal=None, code=200, message="")

    def redeem(self, command: Redeem) -> RedeemAnswer:
        assert command.key is not None
        with self._lock:
            if command.key in self._outcomes:
                return self._outcomes[command.key]
            answer = self._decide(command)
            if answer.refusal is not Refusal.PROOF_MISSING:
                self._outcomes[command.key] = answer
            return answer

    def cancel(self, command: Cancel) -> CancelAnswer | None:
        with self._lock:
            known = self._outcomes.get(command.key)
            if known is None or known.refusal is Refusal.KEY_CANCELLED:
                self._outcomes[command.key] = a_redeem_answer(0, refusal=Refusal.KEY_CANCELLED, code=903)
                return CancelAnswer(key=command.key, outcome=CancelOutcome.CANCELLED)
            if known.refusal is not None:
                return CancelAnswer(key=command.key, outcome=CancelOutcome.REFUSED)
            self.balance = self.balance + self.charges.pop(command.key, ZERO)
            return CancelAnswer(key=command.key, outcome=CancelOutcome.REVERSED, redemption_id=known.redemption_id)

    def reverse(self, command: Reverse) -> ReverseAnswer:
        with self._lock:
            for key, answer in self._outcomes.items():
                if answer.redemption_id == command.redemption_id and key in self.charges:
                    given = self.charges.pop(key)
                    self.balance = self.balance + given
                    return ReverseAnswer(
                        redemption_id=command.redemption_id, asked=given, available=given, reversal_id="V1"
                    )
            return ReverseAnswer(redemption_id=command.redemption_id, refusal=ReversalRefusal.REDEMPTION_UNKNOWN)

    def _decide(self, command: Redeem) -> RedeemAnswer:
        assert isinstance(command.request.amount, AskedPoints)
        asked = command.request.amount.points
        if self.code is not None and command.request.validation_code != self.code:
            return a_redeem_answer(str(asked), refusal=Refusal.PROOF_MISSING, code=824)
        if asked > self.balance:
            return a_redeem_answer(str(asked), refusal=Refusal.BALANCE_TOO_LOW, code=818)
        self.balance = self.balance - asked
        self.charges[command.key or ""] = asked
        return a_redeem_answer(str(asked), str(self.balance), redemption_id=f"R{len(self.charges)}")


Loss = Literal["line", "request", "reply", "late"] | None
LOSSES: tuple[Loss, ...] = ("line", "request", "reply", "late", None)


class LossyLedger:
    """A ledger behind a bad line. Each redeem and each cancel takes the next loss of the script; then all is well.

    `line`: no connection, nothing arrives. `request`: it is lost on the way. `reply`: it arrives, the answer is lost.
    `late`: lost for now, but the copy arrives later, when `deliver_late` is called. None: all is well.
    Questions that move nothing always come through; `is_cut` makes everything a `line` loss.
    """

    def __init__(self, ledger: Ledger, losses: Iterable[Loss] = ()) -> None:
        self.ledger = ledger
        self.is_cut = False
        self.asked: list[str] = []
        self._losses = deque(losses)
        self._late: list[Callable[[], object]] = []

    def deliver_late(self) -> None:
        """Let the copies that were on the way arrive at last; nobody hears their answers."""
        late, self._late = self._late, []
        for arrive in late:
            arrive()

    def is_up(self) -> bool:
        return not self.is_cut and self.ledger.is_up()

    def capabilities(self) -> Capabilities:
        return self._ask(self.ledger.capabilities)

    def find_customer(self, customer: CustomerRef) -> CustomerRecord | None:
        return self._ask(lambda: self.ledger.find_customer(customer))

    def program(self, program_id: int) -> Program | None:
        return self._ask(lambda: self.ledger.program(program_id))

    def organisation(self) -> Organisation | None:
        return self._ask(self.ledger.organisation)

    def check(self, request: RedemptionRequest) -> CheckAnswer:
        return self._ask(lambda: self.ledger.check(request))

    def send_code(self, command: SendCode) -> CodeAnswer:
        return self._ask(lambda: self.ledger.send_code(command))

    def redeem(self, command: Redeem) -> RedeemAnswer:
        self.asked.append("redeem")
        return self._act(lambda: self.ledger.redeem(command))

    def cancel(self, command: Cancel) -> CancelAnswer | None:
        self.asked.append("cancel")
        return self._act(lambda: self.ledger.cancel(command))

    def reverse(self, command: Reverse) -> ReverseAnswer:
        self.asked.append("reverse")
        return self._act(lambda: self.ledger.reverse(command))

    def _ask(self, call: Callable[[], Answer]) -> Answer:
        if self.is_cut:
            raise LineDownError("the line is cut")
        return call()

    def _act(self, call: Callable[[], Answer]) -> Answer:
        loss = "line" if self.is_cut else self._losses.popleft() if self._losses else None
        if loss == "line":
            raise LineDownError("no connection")
        if loss == "request":
            raise UnclearAnswerError("lost on the way")
        if loss == "late":
            self._late.append(call)
            raise UnclearAnswerError("still on the way")
        answer = call()
        if loss == "reply":
            raise UnclearAnswerError("the answer is lost")
        return answer
