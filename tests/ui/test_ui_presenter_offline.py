"""Without a line: answers worked out here, always with their age and never with F8 (ux B.4 offline, C12, C32)."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QAbstractButton, QLineEdit
from pytestqt.qtbot import QtBot
from support.fake_till import Cashier, CounterLedger, a_counter, a_view
from support.service_kit import Till

from pos_app.domain.trouble import (
    LineDownError,
    NotAcceptedError,
    NotSafeError,
    NotTheServiceError,
    ServiceTroubleError,
    SlowDownError,
    Trouble,
)


def test_offline_says_probably_yes_with_the_age_and_without_f8(qtbot: QtBot) -> None:
    cashier, ledger, till = _offline(qtbot)
    till.clock.advance(47 * 60)
    cashier.ask("250")
    cashier.wait_title("Probably yes (offline)")
    assert cashier.state == "offline"
    assert "47 min old" in cashier.text("verdictReason")
    assert not cashier.find("redeemButton", QAbstractButton).isVisible()
    cashier.key(Qt.Key.Key_F8)
    assert ledger.calls("redeem") == []
    assert cashier.text("statusConnection") == "Offline"


def test_offline_says_probably_no_with_the_reason(qtbot: QtBot) -> None:
    cashier, _, till = _offline(qtbot)
    till.clock.advance(600)
    cashier.ask("900")
    cashier.wait_title("Probably no (offline)")
    assert "You asked for 900" in cashier.text("verdictReason")
    assert "10 min old" in cashier.text("verdictReason")


def test_data_over_four_hours_old_give_no_probably_yes(qtbot: QtBot) -> None:
    cashier, _, till = _offline(qtbot)
    till.clock.advance(5 * 3600)
    cashier.ask("250")
    cashier.wait_title("Cannot say while offline")
    assert "5 h" in cashier.text("verdictReason")


def test_try_online_asks_the_ledger_again_and_gets_its_word(qtbot: QtBot) -> None:
    cashier, ledger, _ = _offline(qtbot)
    cashier.ask("250")
    cashier.wait_title("Probably yes (offline)")
    ledger.is_up_now = True
    cashier.click("verdictButton1")
    cashier.wait_title("250 points can be used")
    assert cashier.state == "redeemable"
    cashier.wait(lambda: cashier.text("statusConnection") == "Online")


def test_an_answer_worked_out_here_is_asked_again_behind_it_twice_and_never_with_a_code(qtbot: QtBot) -> None:
    cashier, ledger, _ = _offline(qtbot)
    cashier.ask("250")
    cashier.wait_title("Probably yes (offline)")
    timer = cashier.find_timer("askAgainTimer")
    checks = len(ledger.calls("check"))
    for _ in range(2):
        assert timer.isActive()
        assert timer.interval() == 5000
        _fire(timer)
        cashier.wait_quiet()
        assert cashier.title == "Probably yes (offline)"
    assert not timer.isActive()
    assert len(ledger.calls("check")) == checks
    cashier.key(Qt.Key.Key_F5)
    cashier.wait_quiet()
    ledger.is_up_now = True
    _fire(timer)
    cashier.wait_title("250 points can be used")
    assert cashier.state == "redeemable"
    assert ledger.calls("check")[-1].issue_otp is False
    assert ledger.codes_sent == 0
    assert cashier.dialog() is None
    assert not timer.isActive()
    cashier.wait(lambda: "live" in cashier.text("cardAge"))


def test_nothing_is_asked_again_for_inputs_that_were_changed_since(qtbot: QtBot) -> None:
    cashier, ledger, _ = _offline(qtbot)
    cashier.ask("250")
    cashier.wait_title("Probably yes (offline)")
    timer = cashier.find_timer("askAgainTimer")
    ledger.is_up_now = True
    cashier.find("amountField", QLineEdit).setText("260")
    checks = len(ledger.calls("check"))
    _fire(timer)
    cashier.wait_quiet()
    assert len(ledger.calls("check")) == checks
    cashier.key(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert not timer.isActive()


def test_a_busy_service_is_left_in_peace_as_long_as_it_asked(qtbot: QtBot) -> None:
    ledger = CounterLedger()
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    ledger.fail("check", SlowDownError(17))
    cashier.ask("250")
    cashier.wait_title("Probably yes (offline)")
    assert cashier.find_timer("askAgainTimer").interval() == 17_000
    assert "less than a minute old" in cashier.text("verdictReason")


def test_when_the_line_is_back_the_rules_are_fetched_and_the_card_gets_the_ledgers_figures(qtbot: QtBot) -> None:
    ledger = CounterLedger()
    cashier, _ = a_counter(qtbot, ledger, view=a_view(probe_s=0.02))
    cashier.look_up()
    ledger.is_up_now = False
    cashier.wait(lambda: cashier.name("statusConnection") == "Connection: offline")
    cashier.look_up()
    assert "less than a minute ago" in cashier.text("cardAge")
    rules, customers = len(ledger.calls("organisation")), len(ledger.calls("find_customer"))
    ledger.is_up_now = True
    cashier.wait(lambda: "live" in cashier.text("cardAge"))
    cashier.wait(lambda: len(ledger.calls("organisation")) > rules)
    assert len(ledger.calls("find_customer")) == customers + 1


def test_while_the_line_is_down_another_amount_is_answered_at_once_without_trying_it(qtbot: QtBot) -> None:
    cashier, ledger, _ = _offline(qtbot)
    cashier.ask("250")
    cashier.wait_title("Probably yes (offline)")
    ledger.is_up_now = True
    cashier.ask("900")
    cashier.wait_title("Probably no (offline)")
    cashier.key(Qt.Key.Key_F5)
    cashier.wait_title("Not enough points")
    assert cashier.state == "refused"


def test_a_customer_never_seen_cannot_be_looked_up_offline(qtbot: QtBot) -> None:
    cashier, ledger, _ = _offline(qtbot)
    cashier.key(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    cashier.key(Qt.Key.Key_F2)
    cashier.type("9800000001")
    cashier.key(Qt.Key.Key_Return)
    cashier.wait_title("Cannot look up while offline")
    assert cashier.state == "offline"
    ledger.is_up_now = True
    cashier.key(Qt.Key.Key_F2)
    cashier.type("ada@example.org")
    assert cashier.state == "idle"
    assert cashier.window.entry.customer.kind == "email"


def test_the_header_notices_that_the_line_is_gone_and_back(qtbot: QtBot) -> None:
    ledger = CounterLedger()
    cashier, _ = a_counter(qtbot, ledger, view=a_view(probe_s=0.02))
    assert cashier.name("statusConnection") == "Connection: online"
    ledger.is_up_now = False
    cashier.wait(lambda: cashier.name("statusConnection") == "Connection: offline")
    assert cashier.find("statusConnection").accessibleDescription().startswith("Since ")
    ledger.is_up_now = True
    cashier.wait(lambda: cashier.name("statusConnection") == "Connection: online")


@pytest.mark.parametrize(
    ("trouble", "title", "state"),
    [
        (NotAcceptedError("401"), "Sign-in for this till failed", "config"),
        (NotSafeError("certificate"), "Connection is not safe", "config"),
        (ServiceTroubleError("500"), "The service has a problem", "refused"),
        (NotTheServiceError("html"), "Wrong address or a sign-in page", "config"),
    ],
)
def test_each_trouble_has_its_words(qtbot: QtBot, trouble: Trouble, title: str, state: str) -> None:
    ledger = CounterLedger()
    cashier, _ = a_counter(qtbot, ledger)
    cashier.key(Qt.Key.Key_F2)
    cashier.type("9800000001")
    ledger.fail("check", trouble)
    ledger.fail("find_customer", trouble)
    cashier.ask("100")
    if isinstance(trouble, NotTheServiceError):
        cashier.wait_title("Cannot look up while offline")  # A sign-in page on the line is no line (sync-api 3).
    else:
        cashier.wait_title(title)
        assert cashier.state == state
    assert not cashier.window.panel.is_redeem_ready


def test_a_bug_is_told_as_attention_and_the_window_goes_on(qtbot: QtBot, caplog: pytest.LogCaptureFixture) -> None:
    ledger = CounterLedger()
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    ledger.fail("check", RuntimeError("a bug"))
    cashier.ask("100")
    cashier.wait_title("This till needs attention")
    assert "RuntimeError in check" in caplog.text
    cashier.ask("100")
    cashier.wait_title("100 points can be used")


def _fire(timer: QTimer) -> None:
    """The time has come: the timer is over, and says so."""
    timer.stop()
    timer.timeout.emit()


def _offline(qtbot: QtBot) -> tuple[Cashier, CounterLedger, Till]:
    """A till that has seen Ada and then lost its line."""
    ledger = CounterLedger()
    cashier, till = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.wait_quiet()
    ledger.is_up_now = False
    till.line.met(LineDownError("the cable is out"))
    return cashier, ledger, till
