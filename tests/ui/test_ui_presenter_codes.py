"""Codes at the counter: when one is sent, for what it counts, and what a wrong one leads to (ux B.4, B.5, C22, C23)."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit
from pytestqt.qtbot import QtBot
from support.builders import NOW, an_organisation
from support.dialogs import find
from support.fake_till import Cashier, CounterLedger, a_counter, a_view

from pos_app.domain.points import Points
from pos_app.domain.redemption import State
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import ValidationType
from pos_app.domain.trouble import LineDownError
from pos_app.ui.formats import time_text


def test_the_check_sends_the_code_and_a_second_check_does_not_send_another(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    cashier.close_dialog()
    assert cashier.text("verdictNext") == "A code was sent to 91.....5678. Ask for it."
    for points in ("250", "200"):
        asked = len(ledger.calls("check"))
        cashier.ask(points)
        cashier.wait(lambda asked=asked: len(ledger.calls("check")) > asked)
        cashier.wait_title(f"{points} points can be used")
    assert [request.issue_otp for request in ledger.calls("check")] == [True, False, False]
    assert ledger.codes_sent == 1


def test_more_points_than_the_code_was_sent_for_need_a_new_one_and_are_told_so(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
    cashier.find("amountField", QLineEdit).setText("300")
    assert "The code is for 250 points. More points need a new code." in cashier.text("verdictStale")
    cashier.key(Qt.Key.Key_F5)
    cashier.wait_title("300 points can be used")
    assert ledger.codes_sent == 2
    assert not cashier.window.panel.is_redeem_ready


def test_fewer_points_than_the_code_was_sent_for_stay_confirmed(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
    cashier.ask("200")
    cashier.wait_title("200 points can be used")
    assert cashier.window.panel.is_redeem_ready
    assert ledger.codes_sent == 1


def test_asking_before_sending_makes_it_two_steps(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger, view=a_view(ask_before_code=True))
    cashier.look_up()
    cashier.ask("250")
    cashier.wait_title("250 points can be used")
    assert cashier.text("verdictNext") == "Confirm the customer first."
    assert cashier.dialog() is None
    assert ledger.codes_sent == 0
    cashier.key(Qt.Key.Key_F7)
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
    assert ledger.codes_sent == 1


def test_closing_keeps_the_code_and_f7_opens_the_dialog_again(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    cashier.close_dialog()
    cashier.key(Qt.Key.Key_F7)
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
    assert ledger.codes_sent == 1


def test_the_waits_between_sendings_go_on_while_the_dialog_is_closed(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, till = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    assert _resend(cashier).text() == "Send again (in 30 s)"
    cashier.close_dialog()
    till.clock.advance(12)
    cashier.key(Qt.Key.Key_F7)
    assert _resend(cashier).text() == "Send again (in 18 s)"
    for sent, told in ((2, "Send again (in 60 s)"), (3, "Send again (in 120 s)"), (4, "No more sendings")):
        cashier.close_dialog()
        till.clock.advance(120)
        cashier.key(Qt.Key.Key_F7)
        button = _resend(cashier)
        button.click()
        cashier.wait(lambda told=told, button=button: button.text() == told)
        assert ledger.codes_sent == sent
    cashier.close_dialog()
    cashier.key(Qt.Key.Key_F7)
    assert _resend(cashier).text() == "No more sendings"


def test_a_check_asked_for_twice_while_its_answer_is_awaited_sends_one_code(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    ledger.hold("check")
    cashier.ask("250")
    cashier.key(Qt.Key.Key_Return)
    cashier.key(Qt.Key.Key_F5)
    ledger.let_go("check")
    cashier.close_dialog()
    assert (ledger.codes_sent, len(ledger.calls("check"))) == (1, 1)


def test_f7_pressed_twice_sends_one_code_and_says_that_it_is_being_sent(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    ledger.can_send = False
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    cashier.wait_title("Points are fine. The code was not sent")
    ledger.can_send = True
    ledger.hold("check")
    cashier.click("sendCodeButton")
    cashier.key(Qt.Key.Key_F7)
    cashier.key(Qt.Key.Key_F7)
    assert cashier.text("sendCodeButton") == "Sending…  F7"
    ledger.let_go("check")
    cashier.close_dialog()
    cashier.wait_quiet()
    assert ledger.codes_sent == 1
    assert [request.issue_otp for request in ledger.calls("check")] == [True, True]


def test_after_a_redemption_an_enter_too_many_sends_no_code_and_a_second_one_has_a_new_key(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, till = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("200")
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
    cashier.find("redeemButton").setFocus()
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done. 200 points used")
    cashier.wait_quiet()
    assert QApplication.focusWidget() is cashier.find("amountField")
    cashier.key(Qt.Key.Key_F8)
    assert cashier.title == "Done. 200 points used"
    cashier.key(Qt.Key.Key_Return)
    cashier.wait_title("200 points can be used")
    assert cashier.text("verdictNext") == "Confirm the customer first."
    assert not cashier.window.panel.is_redeem_ready
    assert (ledger.codes_sent, cashier.dialog()) == (1, None)
    cashier.key(Qt.Key.Key_F7)
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done. 200 points used")
    first, second = till.journal.recent(10)
    assert first.key != second.key
    assert ledger.balance == Points.of(100)


def test_a_wrong_code_stays_in_the_dialog_with_the_tries_left(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    cashier.enter_code("AAAAAA")
    cashier.wait(lambda: cashier.text("codeMessage").endswith("That code did not match. 4 tries left."))
    assert cashier.dialog() is not None
    assert not cashier.window.panel.is_redeem_ready
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)


def test_a_code_without_a_line_is_told_and_may_be_tried_again(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    cashier.wait(lambda: cashier.dialog() is not None)
    ledger.fail("check", LineDownError("cut"))
    cashier.enter_code()
    cashier.wait(lambda: "No line" in cashier.text("codeMessage"))
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)


def test_876_is_amber_says_that_the_points_are_fine_and_offers_ways_on(qtbot: QtBot) -> None:
    ledger = CounterLedger(organisation=an_organisation(validation_required=True, missed_call_enabled=True))
    ledger.can_send = False
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    cashier.wait_title("Points are fine. The code was not sent")
    assert cashier.state == "otp_failed"
    assert cashier.find("verdictPanel").property("tone") == "caution"
    assert cashier.text("sendCodeButton") == "Try again  F7"
    assert cashier.text("verdictButton1") == "Missed call"
    assert cashier.said[-1][1] is True
    ledger.can_send = True
    cashier.key(Qt.Key.Key_F7)
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)


def test_a_missed_call_confirms_without_a_code(qtbot: QtBot) -> None:
    organisation = an_organisation(
        validation_required=True, missed_call_enabled=True, missed_call_number="1800 000 111"
    )
    ledger = CounterLedger(organisation=organisation)
    cashier, _ = a_counter(qtbot, ledger)
    cashier.wait(lambda: cashier.is_shown("confirmCall"))
    cashier.look_up()
    cashier.click("confirmCall")
    cashier.ask("250")
    cashier.wait_title("No call yet")
    cashier.wait(lambda: cashier.dialog() is not None)
    assert not cashier.find("codeField").isVisible()
    ledger.has_call = True
    cashier.click("callCheckButton")
    cashier.wait_closed()
    cashier.wait(lambda: cashier.text("verdictNext") == f"Confirmed by call at {time_text(NOW)}.")
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done. 250 points used")
    (command,) = ledger.calls("redeem")
    assert command.request.validation_type is ValidationType.MISSED_CALL
    assert command.request.validation_code is None
    assert ledger.codes_sent == 0


def test_a_code_that_was_refused_after_all_is_asked_for_again_under_the_same_key(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, till = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
    ledger.is_code_out = False  # It ran out between the check and the redemption.
    cashier.key(Qt.Key.Key_F8)
    cashier.wait(lambda: cashier.dialog() is not None)
    (row,) = till.journal.open_redemptions()
    assert (row.state, row.refusal) == (State.READY, Refusal.CODE_WRONG)
    ledger.is_code_out = True
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done. 250 points used")
    assert {command.key for command in ledger.calls("redeem")} == {row.key}
    assert [each.state for each in till.journal.recent(10)] == [State.CONFIRMED]


def test_a_proof_the_till_did_not_know_of_is_asked_for_under_the_same_key(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, till = a_counter(qtbot, ledger, view=a_view(ask_before_code=True))
    till.cache.keep_organisation(an_organisation(validation_required=False), till.clock.wall())
    cashier.look_up()
    cashier.ask("250")
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Confirm the customer first")
    (row,) = till.journal.open_redemptions()
    cashier.key(Qt.Key.Key_F7)
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done. 250 points used")
    assert {command.key for command in ledger.calls("redeem")} == {row.key}


def test_a_redemption_that_only_waits_for_a_proof_is_given_up_with_its_customer(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, till = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
    ledger.is_code_out = False
    cashier.key(Qt.Key.Key_F8)
    cashier.close_dialog()
    cashier.key(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    cashier.wait(lambda: till.journal.recent(1)[0].state is State.CANCELLED)
    cashier.wait(lambda: cashier.text("statusOutbox") == "Outbox 0")
    assert cashier.state == "idle"


def test_the_code_is_in_no_repr(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
    button = cashier.find("redeemButton", QAbstractButton)
    assert button.isEnabled()
    assert "NS3U05" not in repr(cashier.window.panel.view)


def _resend(cashier: Cashier) -> QAbstractButton:
    """The button of the dialog that is open now."""
    cashier.wait(lambda: cashier.dialog() is not None)
    dialog = cashier.dialog()
    assert dialog is not None
    return find(dialog, QAbstractButton, "resendButton")
