from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot
from support.clock import FakeClock
from support.dialogs import controls, cut_off, find, nameless, open_active, texts

from pos_app.ui.code_dialog import CodeDialog
from pos_app.ui.code_field import clean_code
from pos_app.ui.code_sendings import Sendings
from pos_app.ui.theme import CONTROL_PX

Make = Callable[..., CodeDialog]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sendings(clock: FakeClock) -> Sendings:
    """The code went out just now."""
    made = Sendings(clock, (30, 60, 120))
    made.begin()
    return made


@pytest.fixture
def make(qtbot: QtBot, clock: FakeClock, sendings: Sendings) -> Make:
    def open_dialog(**changes: Any) -> CodeDialog:
        given: dict[str, Any] = {
            "masked": "98.....5205",
            "points_text": "250 points (Rs250.00)",
            "customer_name": "Tom S.",
            "expires_at": clock.wall() + timedelta(seconds=272),
            "is_about": True,
            "clock": clock,
            "sendings": sendings,
            "has_missed_call": True,
            "missed_call_number": "1800 000 111",
        }
        dialog = CodeDialog(None, **(given | changes))
        open_active(qtbot, dialog)
        return dialog

    return open_dialog


def code_field(dialog: CodeDialog) -> QLineEdit:
    return find(dialog, QLineEdit, "codeField")


def confirm(dialog: CodeDialog) -> QPushButton:
    return find(dialog, QPushButton, "codeConfirm")


def resend(dialog: CodeDialog) -> QPushButton:
    return find(dialog, QPushButton, "resendButton")


def label(dialog: CodeDialog, handle: str) -> QLabel:
    return find(dialog, QLabel, handle)


def type_slowly(field: QLineEdit, text: str, clock: FakeClock, gap_s: float = 0.06) -> None:
    for char in text:
        clock.advance(gap_s)
        QTest.keyClicks(field, char)


def scan(target: Any, text: str, clock: FakeClock, end: Qt.Key = Qt.Key.Key_Return) -> None:
    clock.advance(1)
    for char in text:
        clock.advance(0.002)
        QTest.keyClicks(target, char)
    clock.advance(0.002)
    QTest.keyClick(target, end)


def said(signal: Any) -> list[Any]:
    heard: list[Any] = []
    signal.connect(lambda *args: heard.append(args[0] if args else None))
    return heard


# The field


@pytest.mark.parametrize(
    ("pasted", "code"),
    [(" ns3-u05\r\n", "NS3U05"), ("0042ab", "0042AB"), ("N S 3 U 0 5", "NS3U05"), ("٤٥٦٧", "4567"), ("–n.s/3", "NS3")],
)
def test_a_pasted_code_is_cleaned_and_loses_nothing(make: Make, pasted: str, code: str) -> None:
    dialog = make()
    QApplication.clipboard().setText(pasted)
    code_field(dialog).paste()
    assert code_field(dialog).text() == code
    assert clean_code(pasted) == code


def test_a_code_set_by_a_screen_reader_counts_as_typed(make: Make) -> None:
    dialog = make()
    code_field(dialog).setText("ns3u05")
    assert code_field(dialog).text() == "NS3U05"
    assert confirm(dialog).isEnabled()


def test_an_absurdly_long_paste_is_bounded(make: Make) -> None:
    dialog = make()
    code_field(dialog).setText("A" * 10_000)
    assert len(code_field(dialog).text()) == 50


def test_confirm_is_off_under_four_characters(make: Make, clock: FakeClock) -> None:
    dialog = make()
    type_slowly(code_field(dialog), "NS3", clock)
    assert not confirm(dialog).isEnabled()
    type_slowly(code_field(dialog), "U", clock)
    assert confirm(dialog).isEnabled()


def test_enter_confirms_a_typed_code_once(make: Make, clock: FakeClock) -> None:
    dialog = make()
    heard = said(dialog.code_entered)
    type_slowly(code_field(dialog), "0042ab", clock)
    assert heard == []  # Never by itself: it waits for Enter.
    clock.advance(0.3)
    QTest.keyClick(code_field(dialog), Qt.Key.Key_Return)
    QTest.keyClick(code_field(dialog), Qt.Key.Key_Return)
    assert heard == ["0042AB"]


def test_enter_confirms_a_pasted_code(make: Make) -> None:
    dialog = make()
    heard = said(dialog.code_entered)
    QApplication.clipboard().setText("NS3U05")
    code_field(dialog).paste()
    QTest.keyClick(code_field(dialog), Qt.Key.Key_Return)
    assert heard == ["NS3U05"]


def test_enter_with_too_short_a_code_presses_nothing(make: Make, clock: FakeClock) -> None:
    dialog = make()
    heard = said(dialog.code_entered)
    type_slowly(code_field(dialog), "NS", clock)
    QTest.keyClick(code_field(dialog), Qt.Key.Key_Return)
    assert heard == []
    assert dialog.isVisible()


@pytest.mark.parametrize("end", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab])
def test_a_scan_is_refused_inline_and_the_typed_text_is_back(make: Make, clock: FakeClock, end: Qt.Key) -> None:
    dialog = make()
    heard = said(dialog.code_entered)
    type_slowly(code_field(dialog), "NS", clock)
    scan(code_field(dialog), "6011000990134", clock, end)
    assert heard == []
    assert code_field(dialog).text() == "NS"
    assert "scan" in label(dialog, "codeMessage").text()
    assert code_field(dialog).hasFocus()


def test_a_scan_while_a_button_has_the_focus_presses_nothing(make: Make, clock: FakeClock) -> None:
    dialog = make()
    find(dialog, QPushButton, "callInsteadButton").setFocus()
    scan(find(dialog, QPushButton, "callInsteadButton"), "6011000990134", clock)
    assert dialog.windowTitle() == "Confirm with a code"
    assert code_field(dialog).text() == ""
    assert "scan" in label(dialog, "codeMessage").text()


def test_five_quick_characters_are_no_scan(make: Make, clock: FakeClock) -> None:
    dialog = make()
    heard = said(dialog.code_entered)
    scan(code_field(dialog), "NS3U0", clock)
    assert heard == ["NS3U0"]


def test_the_code_cannot_be_copied_out(make: Make, clock: FakeClock) -> None:
    dialog = make()
    type_slowly(code_field(dialog), "NS3U05", clock)
    QApplication.clipboard().setText("before")
    code_field(dialog).selectAll()
    QTest.keyClick(code_field(dialog), Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(code_field(dialog), Qt.Key.Key_X, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "before"
    assert code_field(dialog).text() == "NS3U05"


# Answers


def test_a_wrong_code_stays_selected_with_a_sentence_under_it(make: Make) -> None:
    dialog = make()
    code_field(dialog).setText("NS3U05")
    confirm(dialog).click()
    assert not confirm(dialog).isEnabled()
    dialog.show_wrong("That code did not match. 4 tries left.")
    assert label(dialog, "codeMessage").accessibleName() == "That code did not match. 4 tries left."
    assert "That code did not match. 4 tries left." in label(dialog, "codeMessage").text()
    assert code_field(dialog).selectedText() == "NS3U05"
    assert code_field(dialog).hasFocus()
    assert confirm(dialog).isEnabled()


def test_a_right_code_closes_the_dialog_and_leaves_no_code_behind(make: Make) -> None:
    dialog = make()
    accepted = said(dialog.accepted)
    code_field(dialog).setText("NS3U05")
    confirm(dialog).click()
    dialog.accept_code()
    assert len(accepted) == 1
    assert code_field(dialog).text() == ""
    code_field(dialog).undo()
    assert code_field(dialog).text() == ""


def test_esc_closes_and_drops_the_code(make: Make) -> None:
    dialog = make()
    code_field(dialog).setText("NS3U05")
    QTest.keyClick(code_field(dialog), Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert code_field(dialog).text() == ""


def test_trouble_keeps_what_was_typed(make: Make) -> None:
    dialog = make()
    code_field(dialog).setText("NS3U05")
    confirm(dialog).click()
    dialog.show_trouble("No line to the service. Try again when the line is back.")
    assert code_field(dialog).text() == "NS3U05"
    assert confirm(dialog).isEnabled()
    assert "No line" in label(dialog, "codeMessage").text()


def test_nothing_can_be_asked_twice_while_an_answer_is_awaited(make: Make, clock: FakeClock) -> None:
    dialog = make()
    codes, sendings = said(dialog.code_entered), said(dialog.resend_asked)
    clock.advance(31)
    dialog.update_time()
    code_field(dialog).setText("NS3U05")
    confirm(dialog).click()
    confirm(dialog).click()
    resend(dialog).click()
    QTest.keyClick(code_field(dialog), Qt.Key.Key_R, Qt.KeyboardModifier.AltModifier)
    assert codes == ["NS3U05"]
    assert sendings == []


# Time


def test_the_countdown_says_about_and_counts_by_the_clock(make: Make, clock: FakeClock) -> None:
    dialog = make()
    countdown = label(dialog, "codeCountdown")
    assert countdown.text() == "about 4:32 left"
    assert countdown.accessibleName() == "Time left for the code"
    assert countdown.accessibleDescription() == "about 4 minutes 32 seconds"
    clock.advance(10)
    dialog.update_time()
    assert countdown.text() == "about 4:22 left"


def test_an_exact_end_is_not_called_about(make: Make) -> None:
    assert label(make(is_about=False), "codeCountdown").text() == "4:32 left"


def test_at_zero_the_field_stays_usable(make: Make, clock: FakeClock) -> None:
    dialog = make()
    clock.advance(300)
    dialog.update_time()
    assert label(dialog, "codeCountdown").text() == "The code has probably expired. Send a new one."
    code_field(dialog).setText("NS3U05")
    assert confirm(dialog).isEnabled()


def test_the_countdown_is_said_only_at_sixty_seconds_and_at_zero(make: Make, clock: FakeClock) -> None:
    dialog = make()
    spoken = said(dialog._announcer.said)
    for _ in range(280):
        clock.advance(1)
        dialog.update_time()
    assert spoken == ["about 1 minute 0 seconds", "The code has probably expired. Send a new one."]


def test_without_a_known_end_no_countdown_is_shown(make: Make) -> None:
    assert label(make(expires_at=None), "codeCountdown").isHidden()


def test_sending_again_waits_and_the_countdown_does_not_restart(
    make: Make, clock: FakeClock, sendings: Sendings
) -> None:
    dialog = make()
    heard = said(dialog.resend_asked)
    clock.advance(8)
    dialog.update_time()
    assert resend(dialog).text() == "Send again (in 22 s)"
    assert resend(dialog).accessibleName() == "Send the code again"
    assert resend(dialog).accessibleDescription() == "available in 22 seconds"
    resend(dialog).click()
    QTest.keyClick(code_field(dialog), Qt.Key.Key_R, Qt.KeyboardModifier.AltModifier)
    assert heard == []
    clock.advance(22)
    dialog.update_time()
    QTest.keyClick(code_field(dialog), Qt.Key.Key_R, Qt.KeyboardModifier.AltModifier)
    QTest.keyClick(code_field(dialog), Qt.Key.Key_R, Qt.KeyboardModifier.AltModifier)
    assert len(heard) == 1
    sendings.again()
    dialog.show_sent_again(clock.wall())
    assert resend(dialog).text() == "Send again (in 60 s)"
    assert label(dialog, "codeCountdown").text() == "about 4:02 left"


def test_a_code_is_sent_again_three_times_at_most(make: Make, clock: FakeClock, sendings: Sendings) -> None:
    dialog = make()
    heard = said(dialog.resend_asked)
    for wait_s in (30, 60, 120, 1000, 1000):
        clock.advance(wait_s)
        dialog.update_time()
        resend(dialog).click()
        if not sendings.is_used_up:
            sendings.again()
        dialog.show_sent_again(clock.wall())
    assert len(heard) == 3
    assert not resend(dialog).isEnabled()
    assert resend(dialog).text() == "No more sendings"


def test_a_sending_that_failed_may_be_tried_again_after_the_same_wait(make: Make, clock: FakeClock) -> None:
    dialog = make()
    clock.advance(30)
    dialog.update_time()
    resend(dialog).click()
    dialog.show_trouble("The code was not sent. Something stopped the text.")
    assert resend(dialog).text() == "Send again (in 30 s)"


def test_a_code_that_was_sent_again_is_told_with_its_time(make: Make) -> None:
    dialog = make()
    dialog.show_sent_again(datetime(2026, 11, 22, 10, 47).astimezone())
    assert label(dialog, "codeSentNote").text() == "Sent again 10:47. The same code may arrive."


# Missed call


def test_the_missed_call_page_has_the_number_and_no_code_field(make: Make) -> None:
    dialog = make(starts_with_call=True)
    shown = " ".join(each.text() for each in dialog.findChildren(QLabel) if each.isVisible())
    assert "Ask Tom S. to ring 1800 000 111 from the phone 98.....5205 and hang up." in shown
    assert dialog.windowTitle() == "Confirm by missed call"
    assert not code_field(dialog).isVisible()


def test_checking_for_the_call_asks_once_and_says_what_was_not_found(make: Make) -> None:
    dialog = make(starts_with_call=True)
    heard = said(dialog.call_check_asked)
    button = find(dialog, QPushButton, "callCheckButton")
    button.click()
    button.click()
    QTest.keyClick(dialog, Qt.Key.Key_K, Qt.KeyboardModifier.AltModifier)
    assert len(heard) == 1
    dialog.show_wrong("No call yet. Ask them to ring again.")
    assert "No call yet" in label(dialog, "callMessage").text()
    QTest.keyClick(dialog, Qt.Key.Key_K, Qt.KeyboardModifier.AltModifier)
    assert len(heard) == 2


def test_before_any_code_was_sent_text_instead_asks_for_one(make: Make, clock: FakeClock) -> None:
    dialog = make(starts_with_call=True)
    heard = said(dialog.text_instead_asked)
    find(dialog, QPushButton, "textInsteadButton").click()
    assert len(heard) == 1
    assert not code_field(dialog).isVisible()
    dialog.show_sent_again(clock.wall())
    assert code_field(dialog).isVisible()
    assert label(dialog, "codeSentNote").text().startswith("Sent ")
    assert "again" not in label(dialog, "codeSentNote").text()


def test_between_a_code_that_is_out_and_a_call_one_changes_without_sending(make: Make) -> None:
    dialog = make()
    heard = said(dialog.text_instead_asked)
    QTest.keyClick(dialog, Qt.Key.Key_C, Qt.KeyboardModifier.AltModifier)
    assert dialog.windowTitle() == "Confirm by missed call"
    QTest.keyClick(dialog, Qt.Key.Key_C, Qt.KeyboardModifier.AltModifier)
    assert dialog.windowTitle() == "Confirm with a code"
    assert heard == []


def test_where_missed_calls_are_not_used_nothing_leads_there(make: Make) -> None:
    dialog = make(has_missed_call=False)
    assert not find(dialog, QPushButton, "callInsteadButton").isVisible()
    QTest.keyClick(dialog, Qt.Key.Key_C, Qt.KeyboardModifier.AltModifier)
    assert dialog.windowTitle() == "Confirm with a code"


# How it is built


def test_the_dialog_says_where_the_code_went_and_what_it_is_for(make: Make) -> None:
    seen = list(texts(make()))
    assert "Code sent by text to 98.....5205" in seen
    assert "Redeem 250 points (Rs250.00) for Tom S." in seen


def test_everything_has_a_name_a_height_for_a_finger_and_no_default_button(make: Make, qtbot: QtBot) -> None:
    for dialog in (make(), make(starts_with_call=True)):
        assert nameless(dialog) == []
        assert [each.objectName() for each in controls(dialog) if each.height() < CONTROL_PX] == []
        assert dialog.findChildren(QDialogButtonBox) == []
        buttons = dialog.findChildren(QPushButton)
        assert not any(each.autoDefault() or each.isDefault() for each in buttons)
        assert cut_off(dialog) == []
