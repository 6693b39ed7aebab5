"""The customer's phone rings in: in the panel, at the practice ledger, and through the till's own window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QLabel, QLineEdit, QRadioButton
from pytestqt.qtbot import QtBot
from support.builders import a_request, by_mobile
from support.dialogs import find
from support.fake_till import a_view

from pos_app.bootstrap import Practice, training_till
from pos_app.domain.request import ValidationType
from pos_app.training.panel import TrainingPanel
from pos_app.training.start import Ringing
from pos_app.ui.main_window import MainWindow

ADA = "9812345678"


@pytest.fixture
def practice() -> Iterator[Practice]:
    made = training_till()
    yield made
    made.close()


@pytest.fixture
def panel(qtbot: QtBot, practice: Practice) -> TrainingPanel:
    made = TrainingPanel(practice.stage.phone)
    qtbot.addWidget(made)
    Ringing(made, practice.stage)
    return made


def ring(qtbot: QtBot, panel: TrainingPanel) -> str:
    """Press the button and wait for what it says."""
    button = find(panel, QAbstractButton, "phoneRing")
    before = button.text()
    button.click()
    qtbot.waitUntil(lambda: button.isEnabled() and button.text() != before)
    return button.text()


def test_nobody_rings_before_a_customer_is_looked_up(qtbot: QtBot, panel: TrainingPanel) -> None:
    assert find(panel, QAbstractButton, "phoneRing").text() == "Ring in"
    assert ring(qtbot, panel) == "Find a customer first"


def test_the_call_is_hers_who_was_looked_up_last(qtbot: QtBot, panel: TrainingPanel, practice: Practice) -> None:
    line = practice.stage.line
    asked = a_request(customer=by_mobile(ADA), validation_type=ValidationType.MISSED_CALL)
    line.find_customer(by_mobile(ADA))
    assert line.check(asked).code == 822
    assert ring(qtbot, panel) == "Rang in from 91.....5678"
    assert line.check(asked).code == 800


def test_a_call_that_the_ledger_does_not_take_is_told(qtbot: QtBot, panel: TrainingPanel, practice: Practice) -> None:
    practice.stage.line.find_customer(by_mobile(ADA))
    practice.book.close()
    assert ring(qtbot, panel) == "The call failed"


def test_a_cashier_confirms_by_missed_call_and_redeems(qtbot: QtBot, panel: TrainingPanel, practice: Practice) -> None:
    window = MainWindow(a_view(is_training=True))
    qtbot.addWidget(window)
    window.show()
    window.attach(practice.stage.services)
    headline = find(window, QLabel, "verdictTitle")
    qtbot.waitUntil(lambda: headline.text() == "Ready")

    def enter(name: str, text: str) -> None:
        field = find(window, QLineEdit, name)
        field.setFocus()
        field.selectAll()
        qtbot.keyClicks(field, text)
        qtbot.keyClick(field, Qt.Key.Key_Return)

    def dialog() -> QDialog | None:
        shown = (each for each in QApplication.topLevelWidgets() if isinstance(each, QDialog) and each.isVisible())
        return next(shown, None)

    enter("customerField", ADA)
    call = find(window, QRadioButton, "confirmCall")
    qtbot.waitUntil(lambda: call.isVisible() and call.isEnabled())
    call.click()
    enter("amountField", "120")
    qtbot.waitUntil(lambda: dialog() is not None)
    shown = dialog()
    assert shown is not None
    assert find(shown, QLabel, "callNumber").text().strip("\u2066\u2069") == "+91 98000 00001"
    check = find(shown, QAbstractButton, "callCheckButton")
    check.click()
    qtbot.waitUntil(lambda: find(shown, QLabel, "callMessage").text() != "" and check.isEnabled())
    ring(qtbot, panel)
    check.click()
    qtbot.waitUntil(lambda: dialog() is None)
    find(window, QAbstractButton, "redeemButton").click()
    qtbot.waitUntil(lambda: "Done" in headline.text())
    window.close()
