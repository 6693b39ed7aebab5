"""A till's window over the real services and a small true ledger, and the hands and eyes of a cashier."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot
from support.builders import MOBILE, NOW, TODAY, a_program, a_record, a_wallet, an_organisation
from support.fake_ledger import OUR_LEDGER, an_extension
from support.service_kit import Till

from pos_app.domain.answers import (
    CAN_BE_REDEEMED,
    CODE_NOT_SENT_WARNING,
    CancelAnswer,
    CancelOutcome,
    Capabilities,
    CheckAnswer,
    CodeAnswer,
    CodeView,
    Extension,
    Identity,
    RedeemAnswer,
    WalletView,
)
from pos_app.domain.commands import Cancel, Redeem, SendCode
from pos_app.domain.facts import CustomerRecord, Facts, Organisation, Program, Proof
from pos_app.domain.points import Points
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import CustomerRef, RedemptionRequest, ValidationType
from pos_app.domain.rules import judge
from pos_app.domain.trouble import UnclearAnswerError
from pos_app.domain.verdict import Purpose
from pos_app.services.ports import Waits
from pos_app.services.till import TillServices, TillView
from pos_app.ui.background import Background
from pos_app.ui.main_window import MainWindow

W = TypeVar("W", bound=QWidget)
CODE = "NS3U05"
CODES = {
    Refusal.NOT_A_MULTIPLE: 807,
    Refusal.BALANCE_TOO_LOW: 818,
    Refusal.ABOVE_MOST: 819,
    Refusal.CODE_WRONG: 808,
    Refusal.PROOF_MISSING: 824,
    Refusal.NO_MISSED_CALL: 822,
    Refusal.CUSTOMER_UNKNOWN: 889,
}
NO_WAITING = Waits(connect_s=0.1, read_s=0.1, foreground_s=-1.0, base_s=0.01, cap_s=0.02)
"""One try in the foreground: what is lost then is for the outbox, or for "Find out now"."""


class CounterLedger:
    """One customer, one program, the domain's own rules, one code at a time, keys remembered. Counts what is asked.

    `hold(name)` makes calls of that name wait for `let_go`; `fails[name]` are exceptions raised first, one a call;
    `loses_replies` makes redeem act and then lose its answer so many times.
    """

    def __init__(
        self,
        *,
        balance: int = 500,
        wants_code: bool = False,
        organisation: Organisation | None = None,
        program: Program | None = None,
    ) -> None:
        self.balance = Points.of(balance)
        self.org = organisation or an_organisation(validation_required=wants_code)
        self.the_program = program or a_program(multiple_of=10)
        self.others: tuple[Program, ...] = ()
        self.asked: list[tuple[str, Any]] = []
        self.fails: dict[str, deque[Exception]] = {}
        self.loses_replies = 0
        self.can_send = True
        self.has_call = False
        self.codes_sent = 0
        self.tries_left = 5
        self.is_code_out = False
        self.is_up_now = True
        self.keys: dict[str, RedeemAnswer] = {}
        self._gates: dict[str, threading.Event] = {}

    # The test's side

    def hold(self, name: str) -> None:
        """Calls of this name wait from now on."""
        self._gates[name] = threading.Event()

    def let_go(self, name: str) -> None:
        """They go on."""
        self._gates.pop(name).set()

    def fail(self, name: str, *errors: Exception) -> None:
        """The next calls of this name fail so."""
        self.fails.setdefault(name, deque()).extend(errors)

    def calls(self, name: str) -> list[Any]:
        """What was asked under this name."""
        return [argument for called, argument in self.asked if called == name]

    # The port

    def is_up(self) -> bool:
        return self.is_up_now

    def capabilities(self) -> Capabilities:
        self._enter("capabilities", None)
        return OUR_LEDGER

    def find_customer(self, customer: CustomerRef) -> CustomerRecord | None:
        self._enter("find_customer", customer)
        if customer.value.lstrip("+") not in (MOBILE, MOBILE[2:], "ada@example.org"):
            return None
        return self._record()

    def program(self, program_id: int) -> Program | None:
        self._enter("program", program_id)
        return next((each for each in (self.the_program, *self.others) if each.program_id == program_id), None)

    def organisation(self) -> Organisation | None:
        self._enter("organisation", None)
        return self.org

    def check(self, request: RedemptionRequest) -> CheckAnswer:
        self._enter("check", request)
        verdict = judge(request, self._facts(request))
        refusal = verdict.refusals[0] if verdict.refusals else None
        code = CODES.get(refusal, 899) if refusal is not None else CAN_BE_REDEEMED
        if refusal is None and request.issue_otp and request.validation_code is None:
            code = self._send_code()
        return CheckAnswer(
            identity=Identity(),
            points=verdict.points,
            worth=(verdict.worth or Decimal(0)) if refusal is None else Decimal(0),
            local_worth=Decimal(0),
            by_value=False,
            ratio=self.the_program.ratio or Decimal(0),
            refusal=refusal,
            code=code,
            message="",
            extension=self._extension(nearest=verdict.nearest),
        )

    def send_code(self, command: SendCode) -> CodeAnswer:
        raise AssertionError("the window has codes sent by checks")

    def redeem(self, command: Redeem) -> RedeemAnswer:
        self._enter("redeem", command)
        assert command.key is not None
        answer = self.keys.get(command.key) or self._redeem(command, command.key)
        if self.loses_replies:
            self.loses_replies -= 1
            raise UnclearAnswerError("the answer is lost")
        return answer

    def cancel(self, command: Cancel) -> CancelAnswer | None:
        self._enter("cancel", command)
        known = self.keys.get(command.key)
        if known is not None and known.refusal is None:
            self.balance = self.balance + known.points
            return CancelAnswer(key=command.key, outcome=CancelOutcome.REVERSED, redemption_id=known.redemption_id)
        return CancelAnswer(key=command.key, outcome=CancelOutcome.CANCELLED)

    # Inside

    def _enter(self, name: str, argument: Any) -> None:
        self.asked.append((name, argument))
        gate = self._gates.get(name)
        if gate is not None:
            gate.wait(30)
        if self.fails.get(name):
            raise self.fails[name].popleft()

    def _record(self) -> CustomerRecord:
        wallet = replace(a_wallet(500, self.the_program.program_id), balance=self.balance, available=self.balance)
        return a_record(
            customer=replace(a_record().customer, cards=("1234567890124411",)),
            wallets=(wallet,),
            programs=(self.the_program, *self.others),
        )

    def _facts(self, request: RedemptionRequest) -> Facts:
        record = self._record()
        proof = Proof.NONE
        if request.validation_code is not None:
            is_right = request.validation_code == CODE and self.is_code_out
            proof = Proof.CODE_RIGHT if is_right else Proof.CODE_WRONG
            if not is_right:
                self.tries_left -= 1
        elif request.validation_type is ValidationType.MISSED_CALL:
            proof = Proof.CALL_SEEN if self.has_call else Proof.NO_CALL
        known = request.customer.value.lstrip("+") in (MOBILE, MOBILE[2:], "ada@example.org")
        return Facts(
            organisation=self.org,
            today=TODAY,
            customer=record.customer if known else None,
            program=self.the_program,
            default_program=self.the_program,
            wallet=record.wallets[0],
            proof=proof,
        )

    def _send_code(self) -> int:
        if not self.can_send:
            return CODE_NOT_SENT_WARNING
        self.codes_sent += 1
        self.is_code_out = True
        return CAN_BE_REDEEMED

    def _extension(self, **changes: Any) -> Extension:
        otp = None
        if self.is_code_out:
            otp = CodeView(
                otp_id=1,
                sent_at=NOW,
                expires_at=NOW + timedelta(minutes=10),
                channel="SMS",
                covers_points=None,
                tries_left=self.tries_left,
            )
        wallet = WalletView(wallet_id=1, version=1, balance=self.balance, available=self.balance)
        return an_extension(otp=otp, wallet=wallet, **changes)

    def _redeem(self, command: Redeem, key: str) -> RedeemAnswer:
        verdict = judge(command.request, self._facts(command.request), Purpose.REDEEM)
        refusal = verdict.refusals[0] if verdict.refusals else None
        if refusal is None:
            self.balance = self.balance - verdict.points
            self.is_code_out = False
        answer = RedeemAnswer(
            identity=Identity(),
            customer_id=50001,
            redemption_id=None if refusal is not None else "k4Wq7Z",
            points=verdict.points,
            worth=verdict.worth or Decimal(0),
            local_worth=Decimal(0),
            balance=self.balance,
            refusal=refusal,
            code=CODES.get(refusal, 899) if refusal is not None else CAN_BE_REDEEMED,
            message="",
            extension=self._extension(key=key),
        )
        if refusal is None:
            self.keys[key] = answer
        return answer


def services_of(till: Till) -> TillServices:
    """A test till's services as the window takes them."""
    return TillServices(
        clock=till.clock,
        line=till.line,
        lookup=till.lookup,
        validation=till.validation,
        redemptions=till.redemptions,
    )


class Cashier:
    """Looks at one window and presses its keys; everything is found by its handle, and waits have a condition."""

    def __init__(self, qtbot: QtBot, window: MainWindow) -> None:
        self.qtbot = qtbot
        self.window = window
        self.said: list[tuple[str, bool]] = []
        window.announcer.said.connect(lambda text, is_assertive: self.said.append((text, is_assertive)))

    def find(self, handle: str, kind: type[W] = QWidget) -> W:  # type: ignore[assignment]
        """The control with this handle."""
        for top in (self.window, *QApplication.topLevelWidgets()):
            found = top if top.objectName() == handle else top.findChild(QWidget, handle)
            if isinstance(found, kind):
                return found
        raise AssertionError(f"no {handle}")

    def find_timer(self, handle: str) -> QTimer:
        """A timer of the window: tests let its time come instead of waiting for it."""
        found = self.window.findChild(QTimer, handle)
        assert found is not None, handle
        return found

    def text(self, handle: str) -> str:
        """The words of a label, a button or a field."""
        widget = self.find(handle)
        assert isinstance(widget, QLabel | QAbstractButton | QLineEdit)
        return widget.text()

    def is_shown(self, handle: str) -> bool:
        """Whether a control is on screen."""
        return self.find(handle).isVisible()

    def name(self, handle: str) -> str:
        """What a screen reader calls it."""
        return self.find(handle).accessibleName()

    @property
    def title(self) -> str:
        """The headline."""
        return self.text("verdictTitle")

    @property
    def state(self) -> str:
        """The panel's state."""
        return str(self.find("verdictPanel").property("state"))

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key, wherever the cursor is."""
        QTest.keyClick(QApplication.focusWidget() or self.window, key, modifier)

    def type(self, text: str) -> None:
        """Type into whatever has the cursor."""
        target = QApplication.focusWidget()
        assert target is not None
        QTest.keyClicks(target, text)

    def click(self, handle: str) -> None:
        """Press a button that can be pressed."""
        button = self.find(handle, QAbstractButton)
        assert button.isVisible(), handle
        assert button.isEnabled(), handle
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def wait(self, condition: Callable[[], object], timeout_ms: int = 20_000) -> None:
        """Wait until something is so."""
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=timeout_ms)

    def wait_title(self, title: str) -> None:
        """Wait for a headline."""

        def told() -> None:
            assert self.title == title

        self.qtbot.waitUntil(told, timeout=20_000)

    def dialog(self) -> QDialog | None:
        """The dialog that is open."""
        return next((each for each in self.window.findChildren(QDialog) if each.isVisible()), None)

    def look_up(self, identifier: str = MOBILE) -> None:
        """F2, the identifier, Enter, and the card is there."""
        self.key(Qt.Key.Key_F2)
        self.type(identifier)
        self.key(Qt.Key.Key_Return)
        self.wait(lambda: self.window.findChild(QWidget, "customerCard") is not None)
        self.wait(lambda: self.find("customerCard").isVisible())

    def ask(self, points: str) -> None:
        """F3, the points, Enter."""
        self.key(Qt.Key.Key_F3)
        self.type(points)
        self.key(Qt.Key.Key_Return)

    def enter_code(self, code: str = CODE) -> None:
        """Type the code into the dialog and confirm it."""
        self.wait(lambda: self.dialog() is not None)
        field = self.find("codeField", QLineEdit)
        field.setText(code)
        self.click("codeConfirm")

    def confirm(self, code: str = CODE) -> None:
        """Type the right code; the dialog closes."""
        self.enter_code(code)
        self.wait_closed()

    def close_dialog(self) -> None:
        """Close the dialog that opens: where the organisation wants no proof, a code that went out is not asked for."""
        self.wait(lambda: self.dialog() is not None)
        dialog = self.dialog()
        assert dialog is not None
        dialog.reject()
        self.wait_closed()

    def wait_quiet(self) -> None:
        """Wait until nothing runs in the background any more, late work included."""
        wiring = self.window.findChild(Background)
        assert wiring is not None
        self.wait(lambda: wiring.is_quiet)

    def wait_closed(self) -> None:
        """Wait until no dialog is open and the window has the keyboard again."""
        self.wait(lambda: self.dialog() is None and QApplication.activeWindow() is self.window)


def a_view(**changes: Any) -> TillView:
    """A till's view with timers that never fire by themselves in a test."""
    plain = TillView(
        store="014", till="Till 3", operator="Priya S.", operator_role="cashier", probe_s=3600.0, drain_s=3600.0
    )
    return replace(plain, **changes)


def open_window(qtbot: QtBot, view: TillView) -> Cashier:
    """A painted window without services."""
    window = MainWindow(view)
    qtbot.addWidget(window, before_close_func=_leave)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    return Cashier(qtbot, window)


def a_counter(
    qtbot: QtBot, ledger: Any, *, till: Till | None = None, view: TillView | None = None
) -> tuple[Cashier, Till]:
    """A cashier at a window that is joined to a till over this ledger; the first sync has ended."""
    till = till or Till(ledger, waits=NO_WAITING)
    cashier = open_window(qtbot, view or a_view())
    cashier.window.attach(services_of(till))
    cashier.wait(lambda: cashier.text("statusConnection") in ("Online", "Offline"))
    if cashier.text("statusConnection") == "Online":
        cashier.wait(lambda: cashier.text("statusSync").startswith("Synced"))
    return cashier, till


def _leave(window: MainWindow) -> None:
    for dialog in window.findChildren(QDialog):
        dialog.reject()
