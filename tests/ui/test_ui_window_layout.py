"""The main screen fits, is big enough for a finger, and has a name for everything (ux C1 to C5, C30, C36, C39)."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from PySide6.QtCore import QCoreApplication, QPoint, QRect, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QScrollArea, QWidget
from pytestqt.qtbot import QtBot
from support.dialogs import LongTranslator, controls, cut_off, nameless, texts
from support.fake_till import Cashier, CounterLedger, a_counter, a_view, open_window

from pos_app.ui.announce import Announcer
from pos_app.ui.panel import PanelButton, PanelView
from pos_app.ui.till_dialog import TillDialog

FULL = PanelView(
    state="redeemable",
    title="250 points can be used",
    reason="Worth ₹250.00. 990 points stay.",
    next_step="A code was sent to 98.....5205. Ask for it.",
    meta="Code 800, reference 7F3A, checked 10:43:07",
    buttons=(PanelButton("back_to_points", "Change points"),),
    send_code="Enter the code",
    redeem="Redeem 250 points",
    is_redeem_ready=True,
    has_bill=True,
)


def test_everything_fits_on_1024_by_768_without_a_scroll_bar(qtbot: QtBot) -> None:
    cashier = _full_window(qtbot)
    _assert_all_in_view(cashier)
    assert not cashier.find("entryScroll", QScrollArea).verticalScrollBar().isVisible()


def test_it_fits_with_the_training_banner_too(qtbot: QtBot) -> None:
    cashier = _full_window(qtbot, is_training=True)
    _assert_all_in_view(cashier)
    assert not cashier.find("entryScroll", QScrollArea).verticalScrollBar().isVisible()


def test_the_verdict_does_not_jump_when_a_customer_comes_and_goes(qtbot: QtBot) -> None:
    cashier, _ = a_counter(qtbot, CounterLedger())
    panel = cashier.find("verdictPanel")
    QApplication.processEvents()
    before = _place(cashier, panel)
    cashier.look_up()
    QApplication.processEvents()
    assert _place(cashier, panel) == before
    cashier.key(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    QApplication.processEvents()
    assert cashier.is_shown("cardEmpty")
    assert _place(cashier, panel) == before


def test_on_a_low_screen_the_card_gives_its_height_to_the_verdict_and_keeps_the_name(qtbot: QtBot) -> None:
    cashier, _ = a_counter(qtbot, CounterLedger())
    cashier.look_up()
    cashier.window.panel.show_view(FULL)
    cashier.window.resize(911, 512)
    qtbot.waitUntil(lambda: cashier.window.height() == 512)
    for handle in ("header", "checkButton", "verdictTitle", "redeemButton", "verdictMeta", "customerName"):
        assert _is_in_view(cashier, cashier.find(handle)), handle
    assert not cashier.is_shown("programTable")
    cashier.window.resize(1024, 768)
    qtbot.waitUntil(lambda: cashier.is_shown("programTable"))


def test_with_text_of_20_pixels_header_check_and_verdict_stay_in_view(qtbot: QtBot) -> None:
    cashier = _full_window(qtbot, base_px=20)
    assert cashier.window.size().toTuple() == (1024, 768)
    for handle in ("header", "checkButton", "verdictPanel", "verdictTitle", "redeemButton", "verdictMeta"):
        assert _is_in_view(cashier, cashier.find(handle)), handle


def test_every_control_is_48_pixels_high_and_8_from_its_neighbour(qtbot: QtBot) -> None:
    cashier = _full_window(qtbot)
    shown = [widget for widget in controls(cashier.window) if not isinstance(widget.parent(), QComboBox)]
    low = {widget.objectName(): widget.height() for widget in shown if widget.height() < 48}
    assert low == {}
    near = [
        f"{one.objectName()} {other.objectName()}"
        for one, other in combinations(shown, 2)
        if _gap(cashier, one, other) < 8
    ]
    assert near == []


def test_everything_that_takes_the_focus_has_a_name(qtbot: QtBot) -> None:
    cashier = _full_window(qtbot)
    hidden = ("verdictButton2",)  # No text, no name, not on screen.
    assert [each for each in nameless(cashier.window) if not each.endswith((*hidden, "QListView "))] == []
    assert all(not field.placeholderText() for field in cashier.window.findChildren(QLineEdit))


def test_an_open_list_has_the_name_of_its_control(qtbot: QtBot) -> None:
    cashier = _full_window(qtbot)
    programs = cashier.find("programList", QComboBox)
    cashier.key(Qt.Key.Key_F4)
    qtbot.waitUntil(lambda: programs.view().isVisible())
    assert programs.view().accessibleName() == "Program"
    programs.hidePopup()


def test_the_names_are_those_of_the_table(qtbot: QtBot) -> None:
    cashier = _full_window(qtbot)
    expected = {
        "identifierKind": "Kind of customer identifier",
        "customerField": "Customer",
        "findButton": "Find customer",
        "amountField": "Points to redeem",
        "amountMode": "Enter points or value",
        "programList": "Program",
        "otherProgramCheck": "Use points from another program",
        "confirmText": "Confirm by text message",
        "checkButton": "Check points",
        "verdictPanel": "Result",
        "verdictButton1": "Change points",
        "billField": "Bill number",
        "dueField": "Amount due",
        "statusOperator": "Signed in: Priya S., cashier",
        "statusOutbox": "Outbox: 0 waiting, 0 needs attention",
    }
    assert {handle: cashier.name(handle) for handle in expected} == expected
    assert cashier.find("checkButton").accessibleDescription() == "F5"
    assert cashier.find("amountMode").accessibleName() == "Enter points or value"


def test_another_programs_points_and_a_familys_are_two_questions(qtbot: QtBot) -> None:
    cashier = _full_window(qtbot)
    assert cashier.find("otherProgramCheck") is not cashier.find("groupButton")
    assert not any("group redemption" in text.lower() for text in texts(cashier.window))


def test_skipping_is_shown_locked_with_the_reason(qtbot: QtBot) -> None:
    cashier = open_window(qtbot, a_view())
    skip = cashier.find("confirmSkip", QAbstractButton)
    assert skip.isVisible()
    assert not skip.isEnabled()
    assert "not allowed here" in cashier.text("confirmSkipReason")
    assert skip.accessibleDescription() == cashier.text("confirmSkipReason")


def test_training_shows_on_banner_frame_title_and_watermark_and_live_on_none(qtbot: QtBot) -> None:
    practice = open_window(qtbot, a_view(is_training=True)).window
    assert practice.findChild(QWidget, "trainingBanner").isVisible()  # type: ignore[union-attr]
    assert practice.windowTitle().startswith("TRAINING")
    assert practice.property("training") is True
    assert practice.panel.watermark == "TRAINING"
    live = open_window(qtbot, a_view()).window
    assert live.findChild(QWidget, "trainingBanner") is None
    assert "TRAINING" not in live.windowTitle()
    assert live.panel.watermark == ""
    assert not live.property("training")


def test_training_announces_itself(qtbot: QtBot) -> None:
    cashier = open_window(qtbot, a_view(is_training=True))
    cashier.window.announcer.say("250 points can be used.")
    assert cashier.said == [("Training. 250 points can be used.", False)]


def test_a_dialog_of_a_training_window_announces_it_too_and_of_a_live_one_does_not(qtbot: QtBot) -> None:
    for is_training, spoken in ((True, "Training. Copied."), (False, "Copied.")):
        dialog = TillDialog(open_window(qtbot, a_view(is_training=is_training)).window, "aDialog", "A dialog")
        said: list[str] = []
        announcer = dialog.findChild(Announcer)
        assert announcer is not None
        announcer.said.connect(lambda text, _, said=said: said.append(text))
        dialog.say("Copied.")
        assert said == [spoken]


def test_tab_goes_through_the_steps_in_their_order(qtbot: QtBot) -> None:
    cashier = _full_window(qtbot)
    cashier.find("identifierKind").setFocus()
    seen = ["identifierKind"]
    for _ in range(16):
        cashier.key(Qt.Key.Key_Tab)
        widget = QApplication.focusWidget()
        assert widget is not None
        seen.append(widget.objectName())
    order = [
        "identifierKind",
        "customerField",
        "findButton",
        "amountField",
        "amountMode",
        "programList",
        "otherProgramCheck",
        "groupButton",
        "confirmText",
        "checkButton",
    ]
    assert seen[: len(order)] == order
    assert seen.index("checkButton") < seen.index("billField") < seen.index("redeemButton")


def test_a_mirrored_screen_keeps_headings_at_the_right_edge_and_numbers_left_to_right(qtbot: QtBot) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    app.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    try:
        cashier = _full_window(qtbot)
        entry, check = cashier.find("entry"), cashier.find("checkButton")
        assert _place(cashier, entry).left() > _place(cashier, cashier.find("verdictPanel")).right()
        assert _place(cashier, check).right() > 960
        for label in cashier.window.findChildren(QLabel):
            if label.property("role") == "heading":
                assert label.alignment() & Qt.AlignmentFlag.AlignRight
        counter, _ = a_counter(qtbot, CounterLedger())
        counter.look_up()
        counter.ask("250")
        counter.wait(lambda: counter.state == "redeemable")
        assert "\u2066250\u2069" in counter.title
        assert "\u206691.....5678\u2069" in counter.text("customerIdentifiers")
    finally:
        app.setLayoutDirection(Qt.LayoutDirection.LayoutDirectionAuto)


def test_words_40_percent_longer_are_not_cut(qtbot: QtBot) -> None:
    translator = LongTranslator()
    QCoreApplication.installTranslator(translator)
    try:
        cashier = _full_window(qtbot)
        cashier.window.panel.show_view(replace(FULL, title="[250 points can be used~~~~~~~~~]"))
        QApplication.processEvents()
        assert cut_off(cashier.window) == []
    finally:
        QCoreApplication.removeTranslator(translator)


@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
def test_the_window_paints_in_every_theme(qtbot: QtBot, theme: str) -> None:
    cashier = _full_window(qtbot, theme=theme)
    picture = cashier.window.grab().toImage()
    seen = {picture.pixelColor(x, y).name() for x in range(0, 1024, 16) for y in range(0, 768, 16)}
    assert len(seen) > 3


def _full_window(qtbot: QtBot, **changes: object) -> Cashier:
    cashier = open_window(qtbot, a_view(**changes))
    cashier.window.entry.programs.show_programs([(973, "Gold Rewards"), (974, "Family Club")])
    cashier.window.entry.points.show_rule("= ₹250.00. Multiples of 10, most 200.")
    cashier.window.panel.show_view(FULL)
    qtbot.waitUntil(lambda: cashier.is_shown("redeemButton"))
    QApplication.processEvents()
    return cashier


def _place(cashier: Cashier, widget: QWidget) -> QRect:
    return QRect(widget.mapTo(cashier.window, QPoint(0, 0)), widget.size())


def _is_in_view(cashier: Cashier, widget: QWidget) -> bool:
    return widget.isVisible() and cashier.window.rect().contains(_place(cashier, widget))


def _gap(cashier: Cashier, one: QWidget, other: QWidget) -> int:
    a, b = _place(cashier, one), _place(cashier, other)
    across = max(a.left(), b.left()) - min(a.right(), b.right()) - 1
    down = max(a.top(), b.top()) - min(a.bottom(), b.bottom()) - 1
    return max(across, down)


def _assert_all_in_view(cashier: Cashier) -> None:
    assert cashier.window.size().toTuple() == (1024, 768)
    out = [
        widget.objectName()
        for widget in (*controls(cashier.window), *cashier.window.findChildren(QLabel))
        if widget.isVisible() and not _is_in_view(cashier, widget)
    ]
    assert out == []
    assert cut_off(cashier.window) == []
