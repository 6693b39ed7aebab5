"""The sale: points worth more than the amount due are refused here, and the bill number travels along (ux B.4)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot
from support.builders import a_program, an_organisation
from support.fake_till import Cashier, CounterLedger, a_counter, a_view
from support.service_kit import a_checked

from pos_app.domain.points import Points
from pos_app.ui.bill_presenter import fitting_points


def test_more_than_the_bill_is_refused_with_the_amount_that_fits(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    _ready(cashier)
    _type_due(cashier, "125")
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("More than the bill")
    assert cashier.text("verdictReason") == "250 points are worth ₹250.00; ₹125.00 is due."
    assert cashier.text("verdictButton1") == "Use 120 points"
    assert ledger.calls("redeem") == []
    cashier.click("verdictButton1")
    cashier.wait_title("120 points can be used")
    assert cashier.window.panel.is_redeem_ready
    assert ledger.codes_sent == 1


def test_a_corrected_amount_due_brings_the_yes_back(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    _ready(cashier)
    _type_due(cashier, "2")
    cashier.wait_title("More than the bill")
    assert cashier.is_shown("dueField")
    cashier.type("50")
    cashier.wait_title("250 points can be used")
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)


def test_the_bill_number_goes_with_the_redemption(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, till = a_counter(qtbot, ledger)
    _ready(cashier)
    cashier.find("billField", QLineEdit).setText(" B-17 ")
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done. 250 points used")
    assert till.journal.recent(1)[0].bill_number == "B-17"


def test_a_required_bill_number_is_asked_for(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger, view=a_view(bill="required"))
    _ready(cashier)
    cashier.key(Qt.Key.Key_F8)
    assert cashier.text("billNote") == "Type the bill number first."
    assert ledger.calls("redeem") == []
    cashier.type("B-18")
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done. 250 points used")


def test_an_amount_due_that_is_no_amount_is_told_and_nothing_is_redeemed(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    _ready(cashier)
    _type_due(cashier, "12,50")
    cashier.key(Qt.Key.Key_F8)
    assert cashier.text("billNote") == "Type the amount due as a number, for example 120.50."
    assert ledger.calls("redeem") == []


def test_without_a_bill_there_are_no_fields(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger, view=a_view(bill="off"))
    _ready(cashier)
    assert not cashier.is_shown("billField")
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done. 250 points used")


@pytest.mark.parametrize(
    ("due", "ratio", "rules", "fits"),
    [
        ("120.50", "1", {}, "120"),
        ("120.50", "1", {"multiple_of": 25}, "100"),
        ("120.50", "0.5", {}, "241"),
        ("9", "1", {"minimum": 10}, None),
        ("0", "1", {}, None),
        ("0.50", "1", {}, None),
    ],
)
def test_the_points_that_fit_are_worth_no_more_than_is_due(
    due: str, ratio: str, rules: dict[str, int], fits: str | None
) -> None:
    checked = a_checked(300, program=a_program(ratio=ratio, **rules), organisation=an_organisation())
    expected = Points.of(fits) if fits is not None else None
    assert fitting_points(checked, Decimal(due)) == expected


def _ready(cashier: Cashier) -> None:
    cashier.look_up()
    cashier.ask("250")
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)


def _type_due(cashier: Cashier, text: str) -> None:
    cashier.find("dueField").setFocus()
    cashier.type(text)
