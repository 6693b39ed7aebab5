"""At the counter while the line is down: what is set aside here is redeemed, once, and the panel says so (ux B.4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QTableView
from pytestqt.qtbot import QtBot
from support.dialogs import cut_off, nameless
from support.fake_till import NO_WAITING, Cashier, a_view, open_window
from support.lease_kit import lease_lines
from support.ledger_server import CUSTOMER, LOGIN, MOBILE, ORGANISATION, PROGRAM
from support.offline_till import OfflineTill, Shop, an_offline_shop
from support.people_kit import an_operator

from pos_app.domain.points import Points
from pos_app.domain.redemption import Kind, Redemption, State
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.domain.settling import OfflineProofKind
from pos_app.ledger.leases.passes import PassWish, make_pass
from pos_app.services.till import TillView
from pos_app.ui.approval_dialog import ApprovalDialog
from pos_app.ui.pass_dialog import PassDialog
from pos_app.ui.wiring import Wiring

CASHIER, SUPERVISOR = 7, 12
PINS = {CASHIER: "1470", SUPERVISOR: "4821"}


def shop_lines(**organisation: Any) -> list[dict[str, Any]]:
    *others, customer = lease_lines(organisation=organisation)
    people = [
        an_operator(number, "cashier" if number == CASHIER else "supervisor", pin=pin) for number, pin in PINS.items()
    ]
    return [*others, *people, customer]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with an_offline_shop(tmp_path, shop_lines()) as made:
        yield made


@pytest.fixture
def careful_shop(tmp_path: Path) -> Iterator[Shop]:
    """Its organisation wants every customer confirmed; a supervisor may skip it."""
    lines = shop_lines(validation_required=True, skip_validation_allowed=True)
    with an_offline_shop(tmp_path, lines) as made:
        yield made


def at_the_window(qtbot: QtBot, till: OfflineTill, view: TillView | None = None) -> Cashier:
    cashier = open_window(qtbot, view or a_view(operator="", operator_role=""))
    cashier.window.attach(till.services)
    cashier.wait(lambda: cashier.text("statusConnection") in ("Online", "Offline"))
    cashier.wait_quiet()
    return cashier


def cut(cashier: Cashier, till: OfflineTill) -> None:
    """The cable is pulled, and the till has noticed."""
    till.cable.is_cut = True
    till.services.line.probe()


def rows(till: OfflineTill, kind: Kind = Kind.LEASE) -> list[Redemption]:
    return [row for row in till.journal.recent(100) if row.kind is kind]


def offline_with_a_lease(qtbot: QtBot, shop: Shop, view: TillView | None = None) -> tuple[Cashier, OfflineTill]:
    till = shop.till()
    till.look_up()
    cashier = at_the_window(qtbot, till, view)
    cut(cashier, till)
    cashier.look_up(MOBILE)
    cashier.wait_quiet()
    return cashier, till


def a_pass(shop: Shop, most: int = 300) -> str:
    wish = PassWish(
        organisation_id=ORGANISATION,
        customer_id=CUSTOMER,
        program_id=PROGRAM,
        till=LOGIN,
        max_points=Points.of(most),
        valid_s=3600,
    )
    return make_pass(shop.kit.book.tools, wish, who="test").text


def approve(cashier: Cashier, number: int = SUPERVISOR, note: str = "") -> None:
    cashier.wait(lambda: any(each.isVisible() for each in cashier.window.findChildren(ApprovalDialog)))
    chooser = cashier.find("approvalOperator", QComboBox)
    at = next(at for at in range(chooser.count()) if f"Operator {number}" in chooser.itemText(at))
    chooser.setCurrentIndex(at)
    cashier.find("approvalPin", QLineEdit).setText(PINS[number])
    cashier.find("approvalNote", QLineEdit).setText(note)
    cashier.click("approvalUse")


def test_under_a_lease_the_panel_says_a_plain_yes_and_f8_redeems_here(qtbot: QtBot, shop: Shop) -> None:
    cashier, till = offline_with_a_lease(qtbot, shop)
    cashier.ask("120")
    cashier.wait_title("Can be redeemed offline")
    assert cashier.state == "offline"
    assert cashier.text("verdictReason").startswith("Set aside for this till: 400 until ")
    assert cashier.text("redeemButton").startswith("Redeem 120 points")
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done offline. 120 points used")
    (row,) = rows(till)
    assert (row.state, row.points.decimal) == (State.LOCAL_DONE, 120)
    assert cashier.text("verdictReason") == f"Redemption {row.redemption_id}. 280 points of the allowance left."
    assert till.allowance == Points.of(280)


def test_f8_pressed_five_times_is_one_redemption(qtbot: QtBot, shop: Shop) -> None:
    cashier, till = offline_with_a_lease(qtbot, shop)
    cashier.ask("100")
    cashier.wait_title("Can be redeemed offline")
    for _ in range(5):
        cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done offline. 100 points used")
    cashier.wait_quiet()
    assert len(rows(till)) == 1


def test_more_than_is_set_aside_offers_the_amount_that_is(qtbot: QtBot, shop: Shop) -> None:
    cashier, till = offline_with_a_lease(qtbot, shop)
    cashier.ask("450")
    cashier.wait_title("Not enough set aside")
    assert "Set aside for this till: 400" in cashier.text("verdictReason")
    assert not cashier.find("redeemButton", QAbstractButton).isVisible()
    cashier.key(Qt.Key.Key_F8)
    assert cashier.text("verdictButton1") == "Use 400 points"
    cashier.click("verdictButton1")
    cashier.wait_title("Can be redeemed offline")
    assert rows(till) == []


def test_without_a_lease_it_stays_advice_with_the_exact_reason(qtbot: QtBot, shop: Shop) -> None:
    cashier, till = offline_with_a_lease(qtbot, shop)
    shop.clock.advance(9 * 3600)
    cashier.look_up(MOBILE)
    cashier.ask("100")
    cashier.wait(lambda: cashier.title in {"Cannot say while offline", "Probably yes (offline)"})
    assert "ended at" in cashier.text("verdictNext")
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_quiet()
    assert rows(till) == []


def test_a_bill_number_and_the_cashier_go_with_it(qtbot: QtBot, shop: Shop) -> None:
    till = shop.till()
    till.look_up()
    till.services.operators.sign_in(CASHIER, PINS[CASHIER])
    cashier = at_the_window(qtbot, till)
    cut(cashier, till)
    cashier.look_up(MOBILE)
    cashier.ask("100")
    cashier.wait_title("Can be redeemed offline")
    cashier.find("billField", QLineEdit).setText("B-77")
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done offline. 100 points used")
    (row,) = rows(till)
    assert (row.bill_number, row.cashier) == ("B-77", CASHIER)


def test_a_scanned_pass_confirms_the_customer(qtbot: QtBot, careful_shop: Shop) -> None:
    cashier, till = offline_with_a_lease(qtbot, careful_shop)
    text = a_pass(careful_shop)
    cashier.ask("120")
    cashier.wait_title("Confirm the customer first")
    assert not cashier.find("redeemButton", QAbstractButton).isVisible()
    cashier.click("verdictButton1")
    cashier.wait(lambda: cashier.dialog() is not None)
    cashier.find("passField", QLineEdit).setText(text)
    cashier.click("passUse")
    cashier.wait_title("Can be redeemed offline")
    assert "pass" in cashier.text("verdictNext")
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done offline. 120 points used")
    assert till.journal.sealed(rows(till)[0].key).proof.kind is OfflineProofKind.PASS


def test_a_pass_is_heard_whatever_has_the_focus_and_the_field_gets_its_text_back(
    qtbot: QtBot, careful_shop: Shop
) -> None:
    cashier, _ = offline_with_a_lease(qtbot, careful_shop)
    text = a_pass(careful_shop)
    cashier.ask("120")
    cashier.wait_title("Confirm the customer first")
    careful_shop.clock.advance(5)
    cashier.key(Qt.Key.Key_F3)
    cashier.type(text)
    cashier.key(Qt.Key.Key_Return)
    cashier.wait_title("Can be redeemed offline")
    assert cashier.text("amountField") == "120"


def test_a_pass_that_does_not_count_says_why(qtbot: QtBot, careful_shop: Shop) -> None:
    cashier, till = offline_with_a_lease(qtbot, careful_shop)
    cashier.ask("120")
    cashier.wait_title("Confirm the customer first")
    cashier.click("verdictButton1")
    cashier.wait(lambda: cashier.dialog() is not None)
    cashier.find("passField", QLineEdit).setText("PD1NOTAPASS")
    cashier.click("passUse")
    cashier.wait_title("The pass does not count")
    assert cashier.text("verdictReason") == "It cannot be read, or nobody we know signed it."
    assert rows(till) == []


def test_a_supervisor_stands_for_the_code_offline(qtbot: QtBot, careful_shop: Shop) -> None:
    till = careful_shop.till()
    till.look_up()
    till.services.operators.sign_in(SUPERVISOR, PINS[SUPERVISOR])
    till.services.operators.sign_in(CASHIER, PINS[CASHIER])
    cashier = at_the_window(qtbot, till)
    cut(cashier, till)
    cashier.look_up(MOBILE)
    cashier.ask("120")
    cashier.wait_title("Confirm the customer first")
    cashier.click("verdictButton2")
    approve(cashier)
    cashier.wait_title("Can be redeemed offline")
    assert cashier.text("verdictNext") == f"Confirmation skipped by Operator {SUPERVISOR}: no phone with them."
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done offline. 120 points used")
    assert till.journal.sealed(rows(till)[0].key).proof.kind is OfflineProofKind.APPROVAL


def test_an_approval_is_for_the_question_it_was_given_for(qtbot: QtBot, careful_shop: Shop) -> None:
    till = careful_shop.till()
    till.look_up()
    till.services.operators.sign_in(SUPERVISOR, PINS[SUPERVISOR])
    till.services.operators.sign_in(CASHIER, PINS[CASHIER])
    cashier = at_the_window(qtbot, till)
    cut(cashier, till)
    cashier.look_up(MOBILE)
    cashier.ask("120")
    cashier.wait_title("Confirm the customer first")
    cashier.click("verdictButton2")
    approve(cashier)
    cashier.wait_title("Can be redeemed offline")
    cashier.ask("130")
    cashier.wait_title("Confirm the customer first")


def test_what_was_redeemed_here_is_told_by_the_outbox_when_the_line_is_back(qtbot: QtBot, shop: Shop) -> None:
    cashier, till = offline_with_a_lease(qtbot, shop, a_view(drain_s=0.02, probe_s=0.02))
    cashier.ask("120")
    cashier.wait_title("Can be redeemed offline")
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done offline. 120 points used")
    cashier.wait(lambda: cashier.text("statusOutbox") == "Outbox 1")
    till.cable.is_cut = False
    till.services.line.probe()
    till.services.settling.settle(at_once=True)
    cashier.wait(lambda: "The service has it now." in cashier.text("verdictReason"))
    cashier.wait(lambda: cashier.text("statusOutbox") == "Outbox 0")


def test_online_a_supervisor_stands_for_the_code(qtbot: QtBot, careful_shop: Shop) -> None:
    till = careful_shop.till()
    till.services.operators.sign_in(CASHIER, PINS[CASHIER])
    cashier = at_the_window(qtbot, till)
    cashier.look_up(MOBILE)
    cashier.wait_quiet()
    cashier.find("confirmSkip", QAbstractButton).click()
    cashier.ask("120")
    cashier.wait_title("120 points can be used")
    assert cashier.text("verdictButton1") == "Supervisor…"
    cashier.key(Qt.Key.Key_S, Qt.KeyboardModifier.AltModifier)
    approve(cashier)
    cashier.wait(lambda: cashier.text("verdictNext").startswith("Confirmation skipped by"))
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done. 120 points used")
    (row,) = rows(till, Kind.ONLINE)
    assert row.skip_validation
    assert careful_shop.kit.balance() == Points.of(380)
    assert timedelta(0) <= careful_shop.clock.wall() - row.created_at


def test_at_the_shops_risk_a_supervisor_has_to_agree_first(qtbot: QtBot, tmp_path: Path) -> None:
    with an_offline_shop(tmp_path, shop_lines(risk={"enabled": True})) as shop:
        till = shop.till(asks_per_lookup=False)
        till.services.lookup.find(CustomerRef(IdentifierKind.MOBILE, MOBILE))
        till.services.operators.sign_in(SUPERVISOR, PINS[SUPERVISOR])
        till.services.operators.sign_in(CASHIER, PINS[CASHIER])
        cashier = at_the_window(qtbot, till)
        cut(cashier, till)
        cashier.look_up(MOBILE)
        cashier.ask("50")
        cashier.wait_title("A supervisor has to agree")
        cashier.key(Qt.Key.Key_F8)
        cashier.click("verdictButton1")
        approve(cashier, note="known for years")
        cashier.wait_title("Redeem at the shop's risk")
        assert cashier.text("verdictNext") == f"Approved by Operator {SUPERVISOR}: known for years."
        cashier.key(Qt.Key.Key_F8)
        cashier.wait_title("Done offline. 50 points used")
        (row,) = rows(till, Kind.RISK)
        assert row.state is State.LOCAL_DONE
        assert "allowance" not in cashier.text("verdictReason")


def test_the_card_shows_what_is_set_aside_while_the_line_is_down(qtbot: QtBot, shop: Shop) -> None:
    till = shop.till()
    cashier = at_the_window(qtbot, till)
    cashier.look_up(MOBILE)
    cashier.wait_quiet()
    till.services.leases.tend()
    assert card_line(cashier)[1] == "500"
    cut(cashier, till)
    cashier.window.findChild(Wiring)._till.refresh_line()  # type: ignore[union-attr]
    cashier.wait(lambda: card_line(cashier)[1] == "400")
    assert card_line(cashier)[3].startswith("until ")
    assert cashier.text("cardAge") == "Set aside for this till"
    till.cable.is_cut = False
    till.services.line.probe()
    cashier.window.findChild(Wiring)._till.refresh_line()  # type: ignore[union-attr]
    cashier.wait(lambda: card_line(cashier)[1] == "500")


def test_a_line_that_breaks_between_check_and_f8_leaves_the_redemption_to_the_outbox(qtbot: QtBot, shop: Shop) -> None:
    till = shop.till(asks_per_lookup=False, waits=NO_WAITING)
    cashier = at_the_window(qtbot, till, a_view(ask_before_code=True))
    cashier.look_up(MOBILE)
    cashier.ask("100")
    cashier.wait_title("100 points can be used")
    till.cable.loses.append("redeem")
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("We do not know if it went through")
    (row,) = rows(till, Kind.ONLINE)
    assert row.state is State.UNKNOWN


def test_without_a_line_a_pass_finds_the_customer_it_belongs_to(qtbot: QtBot, careful_shop: Shop) -> None:
    cashier, _ = offline_with_a_lease(qtbot, careful_shop)
    text = a_pass(careful_shop)
    cashier.key(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    careful_shop.clock.advance(5)
    cashier.type(text)
    cashier.key(Qt.Key.Key_Return)
    cashier.wait(lambda: cashier.window.entry.customer.value == str(CUSTOMER))
    cashier.wait_quiet()
    assert cashier.text("customerName") == "Tom S."
    cashier.ask("120")
    cashier.wait_title("Can be redeemed offline")
    assert "pass" in cashier.text("verdictNext")


def test_a_pass_that_was_pasted_into_the_customer_field_is_asked_about_nowhere(qtbot: QtBot, shop: Shop) -> None:
    till = shop.till()
    cashier = at_the_window(qtbot, till)
    asked = len(till.cable.asked)
    cashier.find("customerField", QLineEdit).setText("PD1SOMETHING")
    cashier.find("amountField", QLineEdit).setText("100")
    cashier.key(Qt.Key.Key_F5)
    cashier.wait(lambda: "That is a pass" in cashier.text("customerNote"))
    cashier.click("findButton")
    cashier.wait_title("The pass does not count")
    assert cashier.find("customerField", QLineEdit).text() == ""
    assert till.cable.asked[asked:] == []


def test_the_pass_dialog_has_names_and_room_and_forgets_what_it_was_given(qtbot: QtBot, careful_shop: Shop) -> None:
    cashier, _ = offline_with_a_lease(qtbot, careful_shop)
    cashier.ask("120")
    cashier.wait_title("Confirm the customer first")
    cashier.key(Qt.Key.Key_F7)
    cashier.wait(lambda: cashier.dialog() is not None)
    dialog = cashier.dialog()
    assert isinstance(dialog, PassDialog)
    assert (nameless(dialog), cut_off(dialog)) == ([], [])
    field = cashier.find("passField", QLineEdit)
    field.setText("PD1")
    dialog.reject()
    assert field.text() == ""


def card_line(cashier: Cashier) -> list[str]:
    model = cashier.find("programTable", QTableView).model()
    return [str(model.index(0, column).data()) for column in range(model.columnCount())]
