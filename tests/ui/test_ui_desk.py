"""The outbox, the conflict desk, signing in, a second person's word, and the end of the day, in the real window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QTableWidget
from pytestqt.qtbot import QtBot
from support.dialogs import cut_off, nameless
from support.fake_till import Cashier, a_view, open_window
from support.lease_kit import OTHER_LOGIN, lease_lines
from support.offline_till import OfflineTill, Shop, an_offline_shop
from support.people_kit import an_operator

from pos_app.domain.redemption import State
from pos_app.ui.approval_dialog import ApprovalDialog
from pos_app.ui.day_dialog import DayDialog
from pos_app.ui.wiring import Wiring

CASHIER, SUPERVISOR, OTHER_SUPERVISOR = 7, 12, 13
PINS = {CASHIER: "1470", SUPERVISOR: "4821", OTHER_SUPERVISOR: "9035"}
NAMES = {CASHIER: "Operator 7", SUPERVISOR: "Operator 12", OTHER_SUPERVISOR: "Operator 13"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    *others, customer = lease_lines()
    people = [
        an_operator(number, "cashier" if number == CASHIER else "supervisor", pin=pin) for number, pin in PINS.items()
    ]
    with an_offline_shop(tmp_path, [*others, *people, customer]) as made:
        yield made


def a_short_till(shop: Shop) -> tuple[OfflineTill, str]:
    """A till whose redemption of 400 points was covered by 200 only: its lease had been reclaimed."""
    till = shop.till()
    till.look_up()
    till.cable.is_cut = True
    row = till.spend(400).row
    assert row is not None
    shop.kit.pass_time(timedelta(hours=81))
    assert shop.till(OTHER_LOGIN).redeem(300).state is State.CONFIRMED
    till.cable.is_cut = False
    till.services.settling.settle(at_once=True)
    return till, row.key


def at_the_window(qtbot: QtBot, till: OfflineTill) -> Cashier:
    cashier = open_window(qtbot, a_view(operator="", operator_role=""))
    cashier.window.attach(till.services)
    cashier.wait(lambda: cashier.text("statusConnection") in ("Online", "Offline"))
    cashier.wait_quiet()
    return cashier


def choose(cashier: Cashier, handle: str, number: int) -> None:
    chooser = cashier.find(handle, QComboBox)
    at = next(at for at in range(chooser.count()) if NAMES[number] in chooser.itemText(at))
    chooser.setCurrentIndex(at)


def sign_in(cashier: Cashier, number: int, pin: str | None = None) -> None:
    cashier.key(Qt.Key.Key_F12)
    cashier.wait(lambda: cashier.dialog() is not None)
    choose(cashier, "signInOperator", number)
    cashier.find("signInPin", QLineEdit).setText(pin or PINS[number])
    cashier.click("signInUse")


def approve(cashier: Cashier, number: int, pin: str | None = None) -> None:
    cashier.wait(lambda: any(each.isVisible() for each in cashier.window.findChildren(ApprovalDialog)))
    choose(cashier, "approvalOperator", number)
    cashier.find("approvalNote", QLineEdit).setText("The manager knows.")
    cashier.find("approvalPin", QLineEdit).setText(pin or PINS[number])
    cashier.click("approvalUse")


def open_desk(cashier: Cashier) -> QTableWidget:
    cashier.key(Qt.Key.Key_F9)
    cashier.wait(lambda: cashier.dialog() is not None)
    table = cashier.find("deskTable", QTableWidget)
    cashier.wait(lambda: table.rowCount() > 0)
    return table


def cells(table: QTableWidget, row: int = 0) -> list[str]:
    found = [table.item(row, column) for column in range(table.columnCount())]
    return ["" if each is None else each.text() for each in found]


def test_who_signs_in_stands_in_the_header_and_signs_what_she_redeems(qtbot: QtBot, shop: Shop) -> None:
    cashier = at_the_window(qtbot, shop.till())
    assert cashier.text("statusOperator") == "Nobody signed in"
    sign_in(cashier, CASHIER)
    cashier.wait_closed()
    assert cashier.name("statusOperator") == f"Signed in: {NAMES[CASHIER]}, cashier"


def test_a_wrong_pin_says_how_many_tries_are_left_and_the_name_stays(qtbot: QtBot, shop: Shop) -> None:
    cashier = at_the_window(qtbot, shop.till())
    sign_in(cashier, CASHIER, "9999")
    cashier.wait(lambda: "tries left" in cashier.text("signInMessage"))
    assert cashier.find("signInPin", QLineEdit).text() == ""
    cashier.find("signInPin", QLineEdit).setText(PINS[CASHIER])
    cashier.click("signInUse")
    cashier.wait_closed()
    assert cashier.name("statusOperator").startswith("Signed in")


def test_the_desk_shows_what_was_settled_short_and_a_supervisor_accepts_it(qtbot: QtBot, shop: Shop) -> None:
    till, key = a_short_till(shop)
    cashier = at_the_window(qtbot, till)
    assert cashier.name("statusOutbox") == "Outbox: 0 waiting, 1 needs attention"
    sign_in(cashier, SUPERVISOR)
    cashier.wait_closed()
    table = open_desk(cashier)
    shown = cells(table)
    assert (shown[2], shown[3], shown[4]) == ("400", "▲ Done, short", "The wallet did not hold all of it")
    assert "Open: 200 points." in cashier.text("deskDetail")
    cashier.click("desk_accept")
    cashier.wait(lambda: table.rowCount() == 0)
    assert till.journal.get(key).closed_by == f"accepted:{SUPERVISOR}"
    assert cashier.text("deskSummary") == "Nothing is waiting."
    cashier.wait(lambda: cashier.text("statusOutbox") == "Outbox 0")


def test_a_cashier_needs_a_supervisor_for_each_decision(qtbot: QtBot, shop: Shop) -> None:
    till, key = a_short_till(shop)
    cashier = at_the_window(qtbot, till)
    sign_in(cashier, CASHIER)
    cashier.wait_closed()
    table = open_desk(cashier)
    cashier.click("desk_accept")
    approve(cashier, SUPERVISOR, "0000")
    cashier.wait(lambda: "tries left" in cashier.text("approvalMessage"))
    assert till.journal.get(key).closed_by is None
    cashier.find("approvalPin", QLineEdit).setText(PINS[SUPERVISOR])
    cashier.click("approvalUse")
    cashier.wait(lambda: table.rowCount() == 0)
    assert till.journal.get(key).closed_by == f"accepted:{SUPERVISOR}"
    assert till.services.operators.current is not None
    assert till.services.operators.current.operator_id == CASHIER


def test_giving_back_needs_another_person_even_for_a_supervisor(qtbot: QtBot, shop: Shop) -> None:
    till, key = a_short_till(shop)
    cashier = at_the_window(qtbot, till)
    sign_in(cashier, SUPERVISOR)
    cashier.wait_closed()
    table = open_desk(cashier)
    cashier.click("desk_reverse")
    approve(cashier, SUPERVISOR)
    cashier.wait(lambda: "own work" in cashier.text("approvalMessage"))
    choose(cashier, "approvalOperator", OTHER_SUPERVISOR)
    cashier.find("approvalPin", QLineEdit).setText(PINS[OTHER_SUPERVISOR])
    cashier.click("approvalUse")
    cashier.wait(lambda: table.rowCount() == 0)
    assert till.journal.get(key).closed_by == f"reversed:{OTHER_SUPERVISOR}"
    assert shop.kit.balance().decimal == 200


def test_the_end_of_day_warns_of_what_is_open_and_a_supervisor_closes_it_all_the_same(
    qtbot: QtBot, shop: Shop, tmp_path: Path
) -> None:
    till, _ = a_short_till(shop)
    cashier = at_the_window(qtbot, till)
    sign_in(cashier, SUPERVISOR)
    cashier.wait_closed()
    open_desk(cashier)
    cashier.click("deskDay")
    cashier.wait(lambda: cashier.window.findChild(DayDialog) is not None)
    dialog = cashier.window.findChild(DayDialog)
    assert dialog is not None
    cashier.wait(lambda: "Still open" in dialog.html)
    assert cashier.text("dayClose") == "Close the day all the same"
    presenter = cashier.window.findChild(Wiring)._desk._day  # type: ignore[union-attr]
    presenter.save_as(tmp_path / "day.pdf")
    assert (tmp_path / "day.pdf").read_bytes().startswith(b"%PDF")
    presenter.save_as(tmp_path / "nowhere" / "day.pdf")
    assert "cannot be written" in cashier.text("dayMessage")
    cashier.click("dayClose")
    cashier.wait(lambda: cashier.text("dayMessage").endswith("The day is closed."))
    assert till.services.reports.closed_at() is not None


def test_what_waits_is_sent_at_once_from_the_desk(qtbot: QtBot, shop: Shop) -> None:
    till = shop.till()
    till.look_up()
    till.cable.is_cut = True
    row = till.spend(100).row
    assert row is not None
    cashier = at_the_window(qtbot, till)
    table = open_desk(cashier)
    assert cells(table)[3] == "◷ Waiting"
    cashier.click("deskSend")
    cashier.wait(lambda: "line is down" in cashier.text("deskMessage"))
    till.cable.is_cut = False
    cashier.click("deskSend")
    cashier.wait(lambda: table.rowCount() == 0)
    assert till.journal.get(row.key).state is State.SETTLED


@pytest.mark.parametrize("asks", ["F9", "F12"])
def test_every_control_has_a_name_and_room_for_its_words(qtbot: QtBot, shop: Shop, asks: str) -> None:
    till, _ = a_short_till(shop)
    cashier = at_the_window(qtbot, till)
    cashier.key(Qt.Key.Key_F9 if asks == "F9" else Qt.Key.Key_F12)
    cashier.wait(lambda: cashier.dialog() is not None)
    cashier.wait_quiet()
    dialog = cashier.dialog()
    assert dialog is not None
    assert nameless(dialog) == []
    assert cut_off(dialog) == []
