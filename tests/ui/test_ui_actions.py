from __future__ import annotations

import re

from PySide6.QtCore import QAbstractItemModel, QObject, Qt, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QLineEdit, QTableView, QWidget
from pytestqt.qtbot import QtBot
from support.clock import FakeClock
from support.dialogs import find, nameless
from support.fake_till import a_view, open_window

from pos_app.ui.actions import (
    ACTIONS,
    WHERE_TEXTS,
    ActionId,
    Where,
    add_action,
    footer_text,
    keys_of,
    keys_text,
    row_of,
    text_of,
)
from pos_app.ui.code_dialog import CodeDialog
from pos_app.ui.code_sendings import Sendings
from pos_app.ui.keys_help import KeysHelp, KeysModel


def test_every_action_has_one_row_with_keys_and_a_text() -> None:
    assert [row.action for row in ACTIONS] == list(dict.fromkeys(row.action for row in ACTIONS))
    assert {row.action for row in ACTIONS} == set(ActionId)
    for row in ACTIONS:
        assert text_of(row)
        assert not keys_of(row.action).isEmpty()
        assert row.where in WHERE_TEXTS


def test_no_key_is_a_plain_letter_or_ctrl_alt_or_f10() -> None:
    for row in ACTIONS:
        assert not re.fullmatch(r"(Shift\+)?\w", row.keys), row
        assert not {"Ctrl", "Alt"} <= set(row.keys.split("+")), row
        assert "F10" not in row.keys.split("+"), row


def test_no_two_actions_of_one_place_share_a_key() -> None:
    everywhere = {row.keys for row in ACTIONS if row.where is Where.EVERYWHERE}
    for where in set(Where) - {Where.EVERYWHERE}:
        keys = [row.keys for row in ACTIONS if row.where is where]
        assert len(keys) == len(set(keys))
        assert not everywhere & set(keys)


def test_check_and_redeem_are_not_neighbours() -> None:
    assert (row_of(ActionId.CHECK).keys, row_of(ActionId.REDEEM).keys) == ("F5", "F8")


def test_nothing_that_redeems_is_bound_to_enter() -> None:
    enter = {row.action for row in ACTIONS if "Return" in row.keys or "Enter" in row.keys}
    assert enter == {ActionId.FIND, ActionId.CHECK_FROM_POINTS}


def test_every_key_of_the_list_does_something(qtbot: QtBot) -> None:
    """A key is an action of the window or of a dialog, or one that the focused control hears itself."""
    window = open_window(qtbot, a_view()).window
    clock = FakeClock()
    dialog = CodeDialog(
        window,
        masked="98.....5205",
        points_text="250 points",
        customer_name="Tom S.",
        expires_at=None,
        is_about=True,
        clock=clock,
        sendings=Sendings(clock, (30,)),
        has_missed_call=True,
    )
    wired = {each.objectName() for top in (window, dialog) for each in top.actions()}
    heard_by_controls = {ActionId.FIND, ActionId.CHECK_FROM_POINTS, ActionId.CLOSE_DIALOG}
    assert wired == {f"action.{row.action}" for row in ACTIONS if row.action not in heard_by_controls}
    assert all(each.text() for top in (window, dialog) for each in top.actions())


def test_the_footer_is_made_from_the_table() -> None:
    assert footer_text() == (
        "F1 Help  F2 Customer  F3 Points  F5 Check  F6 Group  F7 Confirm  F8 Redeem  F9 Outbox  Ctrl+N New"
    )


class Presses(QObject):
    """Counts how often an action was triggered."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    @Slot()
    def press(self) -> None:
        self.count += 1


def test_a_key_of_the_table_works_while_a_text_field_has_the_focus(qtbot: QtBot) -> None:
    window, presses = QWidget(), Presses()
    qtbot.addWidget(window)
    field = QLineEdit(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    field.setFocus()
    action = add_action(window, ActionId.CHECK, presses.press)
    QTest.keyClick(field, Qt.Key.Key_F5)
    assert presses.count == 1
    assert not action.autoRepeat()


def test_f1_lists_exactly_the_table(qtbot: QtBot) -> None:
    help_ = KeysHelp()
    qtbot.addWidget(help_)
    model = find(help_, QTableView, "helpTable").model()
    assert shown(model) == [(keys_text(row.action), text_of(row)) for row in ACTIONS]


def test_the_search_narrows_the_list_by_key_or_by_words(qtbot: QtBot) -> None:
    help_ = KeysHelp()
    qtbot.addWidget(help_)
    model = find(help_, QTableView, "helpTable").model()
    search = find(help_, QLineEdit, "helpSearch")
    search.setText("f8")
    assert shown(model) == [("F8", "Redeem what was checked")]
    search.setText("POINTS FIELD")
    assert ("F3", "Go to the points field") in shown(model)
    search.setText("no such key")
    assert shown(model) == []
    search.setText("")
    assert model.rowCount() == len(ACTIONS)


def test_the_list_of_keys_keeps_the_promises_of_a_model(qtbot: QtBot) -> None:
    model = KeysModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    spoken = model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "F1, Show this list of keys, Everywhere"


def test_everything_in_the_list_of_keys_has_a_name(qtbot: QtBot) -> None:
    help_ = KeysHelp()
    qtbot.addWidget(help_)
    assert nameless(help_) == []


def shown(model: QAbstractItemModel) -> list[tuple[str, str]]:
    return [(model.index(row, 0).data(), model.index(row, 1).data()) for row in range(model.rowCount())]


def test_keys_are_written_as_the_platform_writes_them() -> None:
    assert keys_text(ActionId.NEW_CUSTOMER) == QKeySequence("Ctrl+N").toString(QKeySequence.SequenceFormat.NativeText)
    assert keys_text(ActionId.FIND) == "Enter"
