from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot
from support.clock import FakeClock
from support.dialogs import LongTranslator, controls, cut_off, find, nameless, open_active, texts

from pos_app.ui.code_dialog import CodeDialog
from pos_app.ui.code_sendings import Sendings
from pos_app.ui.first_run import FirstRunDialog, Step, address_problem
from pos_app.ui.group_dialog import GroupDialog
from pos_app.ui.keys_help import KeysHelp
from pos_app.ui.theme import CONTROL_PX

Make = Callable[..., FirstRunDialog]
ADDRESS = "https://points.example.com"


@pytest.fixture
def make(qtbot: QtBot) -> Make:
    def open_dialog(address: str = ADDRESS, login: str = "till.014.3", password: str = "secret") -> FirstRunDialog:
        dialog = FirstRunDialog(None, address=address, login=login)
        open_active(qtbot, dialog)
        find(dialog, QLineEdit, "firstRunPassword").setText(password)
        return dialog

    return open_dialog


def press(dialog: FirstRunDialog, handle: str) -> None:
    find(dialog, QPushButton, handle).click()


def pass_all(dialog: FirstRunDialog) -> None:
    for step in Step:
        dialog.show_step(step.value, True, "")
    dialog.set_busy(False)


def told(dialog: FirstRunDialog) -> str:
    return find(dialog, QLabel, "firstRunMessage").accessibleName()


@pytest.mark.parametrize(
    "address",
    [
        "https://points.example.com",
        "https://points.example.com:8443/",
        "http://localhost:8080",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
    ],
)
def test_https_is_taken_anywhere_and_http_on_this_machine(address: str) -> None:
    assert address_problem(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "points",
        "points.example.com",
        "http://points.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost@points.example.com",
        "https://till:secret@points.example.com",
        "https://",
        "ftp://points.example.com",
        "https://points.example.com/?key=1",
        "https://po ints.example.com",
    ],
)
def test_an_address_that_cannot_be_used_is_told_at_its_field(make: Make, qtbot: QtBot, address: str) -> None:
    dialog = make(address=address)
    with qtbot.assertNotEmitted(dialog.test_asked):
        press(dialog, "firstRunTest")
    assert told(dialog).startswith("Address:")
    assert "https://" in told(dialog)
    assert find(dialog, QLineEdit, "firstRunAddress").text() == address
    assert find(dialog, QLineEdit, "firstRunAddress").hasFocus()


@pytest.mark.parametrize(("login", "password", "begins"), [(" ", "secret", "Login:"), ("till.014.3", "", "Password:")])
def test_an_empty_field_is_named_and_nothing_is_lost(
    make: Make, qtbot: QtBot, login: str, password: str, begins: str
) -> None:
    dialog = make(login=login, password=password)
    with qtbot.assertNotEmitted(dialog.test_asked):
        press(dialog, "firstRunTest")
    assert told(dialog).startswith(begins)
    assert find(dialog, QLineEdit, "firstRunAddress").text() == ADDRESS
    assert find(dialog, QLineEdit, "firstRunPassword").text() == password


def test_the_test_asks_with_what_was_typed(make: Make, qtbot: QtBot) -> None:
    dialog = make(address=f" {ADDRESS}/ ")
    with qtbot.waitSignal(dialog.test_asked) as asked:
        press(dialog, "firstRunTest")
    assert asked.args == [ADDRESS, "till.014.3", "secret"]
    assert not find(dialog, QPushButton, "firstRunTest").isEnabled()


def test_only_a_connection_that_passed_every_step_can_be_used(make: Make, qtbot: QtBot) -> None:
    dialog = make()
    use = find(dialog, QPushButton, "firstRunUse")
    assert not use.isEnabled()
    press(dialog, "firstRunTest")
    for step in list(Step)[:-1]:
        dialog.show_step(step.value, True, "")
    dialog.show_step("program", False, "The program is not known there.")
    dialog.set_busy(False)
    assert not use.isEnabled()
    press(dialog, "firstRunTest")
    pass_all(dialog)
    with qtbot.waitSignal(dialog.accepted_with) as accepted:
        use.click()
    assert accepted.args == [ADDRESS, "till.014.3", "secret"]
    assert find(dialog, QLineEdit, "firstRunPassword").text() == ""


@pytest.mark.parametrize("handle", ["firstRunAddress", "firstRunLogin", "firstRunPassword"])
def test_what_was_changed_after_the_test_has_to_be_tested_again(make: Make, handle: str) -> None:
    dialog = make()
    press(dialog, "firstRunTest")
    pass_all(dialog)
    find(dialog, QLineEdit, handle).setText("https://other.example.com")
    assert not find(dialog, QPushButton, "firstRunUse").isEnabled()


def test_each_step_shows_a_mark_and_a_sentence(make: Make) -> None:
    dialog = make()
    press(dialog, "firstRunTest")
    dialog.show_step("reach", True, "")
    dialog.show_step("sign_in", False, "The login or the password was not accepted.")
    assert find(dialog, QLabel, "firstRunStep_reach").text() == "✓ Reach the service: in order"
    shown = find(dialog, QLabel, "firstRunStep_sign_in").text()
    assert shown == "✕ Sign in: The login or the password was not accepted."
    assert find(dialog, QLabel, "firstRunStep_program").text() == "○ Program answers"


def test_setting_up_later_is_a_choice_of_its_own(make: Make, qtbot: QtBot) -> None:
    dialog = make(address="", login="", password="")
    with qtbot.waitSignals([dialog.later_asked, dialog.rejected]):
        press(dialog, "firstRunLater")


def test_the_password_is_never_shown_and_nothing_typed_is_lost_on_trouble(make: Make) -> None:
    dialog = make()
    assert find(dialog, QLineEdit, "firstRunPassword").echoMode() is QLineEdit.EchoMode.Password
    press(dialog, "firstRunTest")
    dialog.show_trouble("Nothing answered at this address.")
    assert told(dialog) == "Nothing answered at this address."
    assert find(dialog, QLineEdit, "firstRunPassword").text() == "secret"
    assert find(dialog, QPushButton, "firstRunTest").isEnabled()
    assert not [text for text in texts(dialog) if "secret" in text]


def test_enter_in_a_field_presses_nothing(make: Make, qtbot: QtBot) -> None:
    dialog = make()
    with qtbot.assertNotEmitted(dialog.test_asked):
        QTest.keyClick(find(dialog, QLineEdit, "firstRunPassword"), Qt.Key.Key_Return)
    assert dialog.isVisible()


def test_everything_has_a_name_and_a_height_for_a_finger(make: Make) -> None:
    dialog = make()
    assert nameless(dialog) == []
    assert [each.objectName() for each in controls(dialog) if each.height() < CONTROL_PX] == []
    assert cut_off(dialog) == []


# All dialogs together


@pytest.fixture
def long_and_mirrored() -> Iterator[None]:
    translator = LongTranslator()
    QCoreApplication.installTranslator(translator)
    QApplication.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    yield
    QApplication.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    QCoreApplication.removeTranslator(translator)


def every_dialog() -> list[QDialog]:
    clock = FakeClock()
    words = {"masked": "98.....5205", "points_text": "250 points", "customer_name": "Tom S."}
    made: list[QDialog] = [FirstRunDialog(), GroupDialog(None, None), KeysHelp()]
    for starts_with_call in (False, True):
        made.append(
            CodeDialog(
                None,
                **words,
                expires_at=clock.wall(),
                is_about=True,
                clock=clock,
                sendings=Sendings(clock, (30,)),
                has_missed_call=True,
                missed_call_number="1800 000 111",
                starts_with_call=starts_with_call,
            )
        )
    return made


@pytest.mark.usefixtures("long_and_mirrored")
def test_longer_words_from_right_to_left_are_not_cut_and_none_is_left_untranslated(qtbot: QtBot) -> None:
    for dialog in every_dialog():
        open_active(qtbot, dialog)
        assert cut_off(dialog) == []
        shown = [each.text() for each in dialog.findChildren(QPushButton) if each.isVisible()]
        assert [text for text in shown if not text.startswith("[")] == []
        for label in dialog.findChildren(QLabel):
            assert label.alignment() & Qt.AlignmentFlag.AlignRight
            if "98.....5205" in label.text():
                assert "\u206698.....5205\u2069" in label.text()
        dialog.close()


def test_words_that_are_never_used_on_screen_are_in_no_dialog(qtbot: QtBot) -> None:
    never = ("invalid", "error", "fraud", "forbidden", "oops", "please", "sorry", "otp", "validation", "sync failed")
    for dialog in every_dialog():
        qtbot.addWidget(dialog)
        assert not [text for text in texts(dialog) if any(word in text.lower().split() for word in never)]
