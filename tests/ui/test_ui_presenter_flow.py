"""A cashier at the counter: look up, check, confirm, redeem (ux C9 to C13, C26, C27)."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit
from pytestqt.qtbot import QtBot
from support.builders import MOBILE, NOW, a_program, an_organisation
from support.fake_till import CODE, NO_WAITING, CounterLedger, a_counter, a_view, open_window, services_of
from support.service_kit import Till

from pos_app.domain.points import Points
from pos_app.domain.request import AskedPoints, AskedValue
from pos_app.ui.formats import time_text


def test_five_key_steps_from_a_cold_screen_give_a_verdict(qtbot: QtBot) -> None:
    cashier, _ = a_counter(qtbot, CounterLedger())
    cashier.key(Qt.Key.Key_F2)
    cashier.type(MOBILE)
    cashier.key(Qt.Key.Key_Return)
    cashier.type("250")
    cashier.key(Qt.Key.Key_Return)
    cashier.wait_title("250 points can be used")
    assert cashier.state == "redeemable"
    assert cashier.text("verdictReason") == "Worth ₹250.00. 250 points stay."
    assert cashier.text("verdictMeta").startswith("Code 800, reference ")
    assert cashier.said[-1][0].startswith("250 points can be used. Worth ₹250.00. 250 points stay. ")
    assert cashier.said[-1][1] is False


def test_a_code_is_asked_for_confirmed_and_used_up_by_f8(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    cashier.wait_title("250 points can be used")
    assert not cashier.find("redeemButton", QAbstractButton).isEnabled()
    cashier.confirm()
    cashier.wait(lambda: cashier.text("verdictNext") == f"Confirmed by code at {time_text(NOW)}.")
    assert cashier.name("redeemButton") == "Redeem 250 points for Ada F."
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done. 250 points used")
    assert cashier.text("verdictReason") == "Redemption k4Wq7Z. 250 points left."
    assert [command.request.validation_code for command in ledger.calls("redeem")] == [CODE]
    assert ledger.codes_sent == 1
    assert ledger.balance == Points.of(250)
    cashier.wait(lambda: cashier.text("statusOutbox") == "Outbox 0")


def test_enter_in_the_points_field_never_redeems(qtbot: QtBot) -> None:
    ledger = CounterLedger()
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    cashier.close_dialog()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
    before = len(ledger.calls("check"))
    cashier.key(Qt.Key.Key_F3)
    cashier.key(Qt.Key.Key_Return)
    cashier.wait(lambda: len(ledger.calls("check")) > before and cashier.state == "redeemable")
    assert ledger.calls("redeem") == []


def test_f8_pressed_five_times_fast_redeems_once(qtbot: QtBot) -> None:
    ledger = CounterLedger()
    cashier, till = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    cashier.close_dialog()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
    for _ in range(5):
        cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done. 250 points used")
    cashier.key(Qt.Key.Key_F8)
    assert len(ledger.calls("redeem")) == 1
    assert len(till.journal.recent(10)) == 1


def test_f8_does_nothing_before_anything_was_checked_and_while_checking(qtbot: QtBot) -> None:
    ledger = CounterLedger()
    cashier, till = a_counter(qtbot, ledger)
    cashier.key(Qt.Key.Key_F8)
    cashier.look_up()
    ledger.hold("check")
    cashier.ask("250")
    cashier.wait_title("Checking")
    cashier.key(Qt.Key.Key_F8)
    ledger.let_go("check")
    cashier.wait_title("250 points can be used")
    assert list(till.journal.recent(10)) == []


def test_f8_does_nothing_on_a_refusal(qtbot: QtBot) -> None:
    ledger = CounterLedger()
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("900")
    cashier.wait_title("Not enough points")
    cashier.key(Qt.Key.Key_F8)
    cashier.key(Qt.Key.Key_F3)
    assert ledger.calls("redeem") == []


def test_a_changed_amount_dims_the_verdict_and_the_old_one_brings_it_back(qtbot: QtBot) -> None:
    ledger = CounterLedger()
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    cashier.close_dialog()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
    amount = cashier.find("amountField", QLineEdit)
    amount.setText("260")
    assert cashier.is_shown("verdictStale")
    assert cashier.text("verdictStale").startswith("Changed since this check")
    cashier.key(Qt.Key.Key_F8)
    assert ledger.calls("redeem") == []
    assert not cashier.find("redeemButton", QAbstractButton).isEnabled()
    amount.setText("250")
    assert not cashier.is_shown("verdictStale")
    assert cashier.window.panel.is_redeem_ready


def test_too_few_points_names_the_program_both_numbers_and_what_would_pass(qtbot: QtBot) -> None:
    ledger = CounterLedger(balance=185)
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    cashier.wait_title("Not enough points")
    assert cashier.text("verdictReason") == "Ada F. has 185 points in Gold Rewards. You asked for 250."
    assert cashier.text("verdictButton1") == "Use 180 points"
    assert cashier.said[-1][1] is True


def test_a_wrong_multiple_offers_two_amounts_and_one_press_fills_and_checks(qtbot: QtBot) -> None:
    ledger = CounterLedger()
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("245")
    cashier.wait_title("Use a multiple of 10")
    assert (cashier.text("verdictButton1"), cashier.text("verdictButton2")) == ("Use 240 points", "Use 250 points")
    cashier.click("verdictButton1")
    cashier.wait_title("240 points can be used")
    assert cashier.text("amountField") == "240"
    assert ledger.calls("check")[-1].amount == AskedPoints(Points.of(240))


def test_an_amount_that_is_no_number_is_refused_here(qtbot: QtBot) -> None:
    ledger = CounterLedger()
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("0")
    cashier.wait_title("Enter a number of points")
    cashier.ask("1.2345")
    cashier.wait_title("Too many decimals")
    assert cashier.text("amountField") == "1.2345"
    assert ledger.calls("check") == []


def test_a_check_without_a_customer_goes_to_the_customer(qtbot: QtBot) -> None:
    ledger = CounterLedger()
    cashier, _ = a_counter(qtbot, ledger)
    cashier.ask("100")
    assert QApplication.focusWidget() is cashier.find("customerField")
    assert cashier.name("customerNote") == "Scan or type the customer first."
    assert ledger.calls("check") == []


def test_value_mode_asks_by_value_and_shows_the_answers_points(qtbot: QtBot) -> None:
    ledger = CounterLedger(program=a_program(ratio="0.5"))
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.key(Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert cashier.name("amountField") == "Value to redeem"
    cashier.ask("120.50")
    cashier.wait_title("241 points can be used")
    assert "Worth ₹120.50" in cashier.text("verdictReason")
    asked = ledger.calls("check")[-1].amount
    assert isinstance(asked, AskedValue)
    assert str(asked.value) == "120.50"


def test_a_value_finer_than_the_currency_is_told_beside_the_field(qtbot: QtBot) -> None:
    ledger = CounterLedger()
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.key(Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    cashier.ask("1.005")
    assert cashier.text("amountRule") == "This currency has 2 decimals. Use no more."
    assert ledger.calls("check") == []
    assert cashier.find("amountField").property("state") == "refused"
    cashier.type("0")
    assert cashier.text("amountRule") != "This currency has 2 decimals. Use no more."
    assert not cashier.find("amountField").property("state")


def test_the_line_under_the_amount_says_what_it_is_worth_and_the_rules(qtbot: QtBot) -> None:
    ledger = CounterLedger(program=a_program(multiple_of=10, maximum=200))
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.key(Qt.Key.Key_F3)
    cashier.type("250")
    cashier.wait(lambda: cashier.text("amountRule") == "= ₹250.00. Multiples of 10, most 200.")
    assert cashier.find("amountField").accessibleDescription() == cashier.text("amountRule")


def test_escape_cancels_a_running_check_and_clears_nothing(qtbot: QtBot) -> None:
    ledger = CounterLedger()
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    ledger.hold("check")
    cashier.ask("250")
    cashier.wait_title("Checking")
    cashier.key(Qt.Key.Key_Escape)
    assert cashier.state == "idle"
    assert cashier.text("amountField") == "250"
    ledger.let_go("check")
    cashier.key(Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is cashier.find("customerField")
    cashier.wait_quiet()
    assert cashier.state == "idle"


def test_a_late_answer_for_an_earlier_customer_is_never_shown(qtbot: QtBot) -> None:
    ledger = CounterLedger()
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    ledger.hold("check")
    cashier.ask("250")
    cashier.wait(lambda: ledger.calls("check"))
    cashier.key(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert cashier.text("customerField") == ""
    ledger.let_go("check")
    cashier.wait_quiet()
    assert cashier.state == "idle"
    assert not cashier.window.panel.is_redeem_ready


def test_a_new_customer_clears_everything_and_drops_the_code(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.ask("250")
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
    cashier.key(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert cashier.state == "idle"
    assert (cashier.text("customerField"), cashier.text("amountField")) == ("", "")
    assert not cashier.is_shown("customerCard")
    assert QApplication.focusWidget() is cashier.find("customerField")
    cashier.look_up()
    cashier.ask("250")
    cashier.wait_title("250 points can be used")
    assert not cashier.window.panel.is_redeem_ready


def test_points_of_other_programs_and_a_family_group_exclude_each_other(qtbot: QtBot) -> None:
    ledger = CounterLedger()
    cashier, _ = a_counter(qtbot, ledger)
    cashier.key(Qt.Key.Key_F6)
    cashier.wait(lambda: cashier.dialog() is not None)
    cashier.click("groupDefault")
    cashier.click("groupUse")
    cashier.wait_closed()
    assert cashier.name("groupButton").startswith("Family or shared group: ")
    assert cashier.window.entry.programs.family_group is not None
    cashier.key(Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
    assert cashier.window.entry.programs.family_group is None
    assert "family group was switched off" in cashier.text("programNote")
    assert cashier.name("groupButton") == "Family or shared group: None"


def test_the_missed_call_is_offered_only_where_the_organisation_has_it(qtbot: QtBot) -> None:
    without, _ = a_counter(qtbot, CounterLedger())
    assert not without.is_shown("confirmCall")
    organisation = an_organisation(missed_call_enabled=True)
    cashier, _ = a_counter(qtbot, CounterLedger(organisation=organisation))
    cashier.wait(lambda: cashier.is_shown("confirmCall"))


def test_f1_lists_the_keys(qtbot: QtBot) -> None:
    cashier, _ = a_counter(qtbot, CounterLedger())
    cashier.key(Qt.Key.Key_F1)
    cashier.wait(lambda: cashier.dialog() is not None)


def test_what_was_asked_before_the_services_were_there_is_answered(qtbot: QtBot) -> None:
    cashier = open_window(qtbot, a_view())
    cashier.key(Qt.Key.Key_F2)
    cashier.type(MOBILE)
    cashier.key(Qt.Key.Key_Return)
    cashier.type("250")
    cashier.key(Qt.Key.Key_Return)
    assert cashier.title == "Starting"
    cashier.window.attach(services_of(Till(CounterLedger(), waits=NO_WAITING)))
    cashier.wait_title("250 points can be used")


def test_a_window_that_cannot_start_says_why(qtbot: QtBot) -> None:
    cashier = open_window(qtbot, a_view())
    cashier.window.show_cannot_start("The data folder is in use by another window.")
    assert (cashier.state, cashier.title) == ("config", "This till cannot start")
    assert cashier.text("verdictReason") == "The data folder is in use by another window."
    cashier.key(Qt.Key.Key_F8)
    cashier.key(Qt.Key.Key_F5)
    assert cashier.state == "config"
