"""The customer at the counter: found, masked, shown for ten seconds, forgotten (ux B.1, B.2, C35)."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QAbstractButton, QTableView
from pytestqt.qtbot import QtBot
from support.builders import MOBILE, NOW, a_lot, a_program, a_record, a_wallet, an_organisation
from support.dialogs import texts
from support.fake_till import CODE, CounterLedger, a_counter

from pos_app.services.results import Found, Source
from pos_app.ui.card_view import ProgramLine
from pos_app.ui.card_words import card_view
from pos_app.ui.customer_form import guess_kind
from pos_app.ui.program_model import ProgramModel


def test_after_find_mobile_and_card_show_only_their_last_four(qtbot: QtBot) -> None:
    cashier, _ = a_counter(qtbot, CounterLedger())
    cashier.look_up()
    assert cashier.text("customerField") == "91.....5678"
    assert "91.....5678" in cashier.text("customerIdentifiers")
    assert "...4411" in cashier.text("customerIdentifiers")
    assert cashier.name("customerCard") == "Customer Ada F., mobile ending 5678"
    seen = " ".join(texts(cashier.window))
    for whole in (MOBILE, "1234567890124411", "ada@example.org", "Fernandes"):
        assert whole not in seen


def test_the_field_gives_back_what_was_typed_when_the_cursor_comes(qtbot: QtBot) -> None:
    ledger = CounterLedger()
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.key(Qt.Key.Key_F2)
    assert cashier.text("customerField") == MOBILE
    cashier.key(Qt.Key.Key_F3)
    assert cashier.text("customerField") == "91.....5678"
    cashier.ask("100")
    cashier.wait_title("100 points can be used")
    assert ledger.calls("check")[-1].customer.value == MOBILE


def test_identifiers_are_shown_for_ten_seconds_and_audited_without_their_value(
    qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="pos_app.audit")
    cashier, _ = a_counter(qtbot, CounterLedger())
    cashier.look_up()
    button = cashier.find("revealButton", QAbstractButton)
    assert button.accessibleName() == "Show identifiers for 10 seconds"
    cashier.click("revealButton")
    assert MOBILE in cashier.text("customerIdentifiers")
    assert button.text() == "Hide (10 s)"
    cashier.wait(lambda: button.text() == "Hide (9 s)")
    cashier.click("revealButton")
    assert MOBILE not in cashier.text("customerIdentifiers")
    lines = [record.getMessage() for record in caplog.records if record.name == "pos_app.audit"]
    assert lines == ["identifiers of customer 50001 shown by Priya S."]


def test_the_ten_seconds_end_by_themselves(qtbot: QtBot) -> None:
    cashier, _ = a_counter(qtbot, CounterLedger())
    cashier.look_up()
    cashier.click("revealButton")
    presenter = cashier.window._wiring._customer  # type: ignore[union-attr]
    for _ in range(10):
        presenter._tick_reveal()
    assert MOBILE not in cashier.text("customerIdentifiers")
    assert cashier.text("revealButton") == "Show 10 s"


def test_typing_another_identifier_takes_the_card_away(qtbot: QtBot) -> None:
    cashier, _ = a_counter(qtbot, CounterLedger())
    cashier.look_up()
    cashier.key(Qt.Key.Key_F2)
    cashier.type("98")
    assert not cashier.is_shown("customerCard")


def test_somebody_unknown_is_said_so_and_what_was_typed_stays(qtbot: QtBot) -> None:
    cashier, _ = a_counter(qtbot, CounterLedger())
    cashier.key(Qt.Key.Key_F2)
    cashier.type("9800000001")
    cashier.key(Qt.Key.Key_Return)
    cashier.wait_title("No customer found")
    assert cashier.text("verdictReason") == "Nobody matches that mobile number."
    assert cashier.text("customerField") == "9800000001"
    assert cashier.said[-1][1] is True


def test_the_kind_is_guessed_while_typing_and_the_guess_is_shown(qtbot: QtBot) -> None:
    cashier, _ = a_counter(qtbot, CounterLedger())
    cashier.key(Qt.Key.Key_F2)
    cashier.type("ada@")
    assert cashier.window.entry.customer.kind == "email"
    assert cashier.name("customerNote") == "Looks like: Email"
    cashier.key(Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    cashier.type("x@y")
    assert cashier.window.entry.customer.kind == "external_id"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ada@example.org", "email"),
        ("+91 98123 45678", "mobile"),
        ("9812345678", "mobile"),
        ("1234567890124411", "card_number"),
        ("C-1001", None),
        ("98", None),
        ("", None),
    ],
)
def test_what_an_identifier_looks_like(text: str, kind: str | None) -> None:
    assert guess_kind(text) == kind


def test_points_that_expire_soon_are_told_with_date_and_mark(qtbot: QtBot) -> None:
    lots = (a_lot(60, date(2026, 11, 30)), a_lot(20, date(2026, 12, 5)), a_lot(100, date(2030, 1, 1)))
    wallet = a_wallet(180, lots=lots, promised_points=300)
    record = a_record(wallets=(wallet,), programs=(a_program(),))
    view = card_view(Found(record=record, source=Source.LEDGER, as_of=NOW), (), 973, an_organisation(), NOW)
    own, promised = view.lines
    assert own.expires == "60 by 30 Nov, 20 by 5 Dec"
    assert own.spoken == "Gold Rewards, 180 points, 60 expire 30 November, 20 expire 5 December"
    assert own.is_expiring
    assert own.is_chosen
    assert own.worth == "₹180.00"
    assert promised.points == "300"
    assert promised.worth == "not yet"


def test_balances_of_yesterday_are_hidden() -> None:
    found = Found(record=a_record(), source=Source.CACHE, as_of=NOW.replace(day=20))
    view = card_view(found, (), 973, an_organisation(), NOW)
    assert view.lines == ()
    assert view.age.startswith("Balance hidden")


def test_the_model_keeps_qts_promises_and_says_a_whole_row(qtbot: QtBot) -> None:
    model = ProgramModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    line = ProgramLine(name="Gold Rewards", points="180", spoken="Gold Rewards, 180 points")
    model.show_lines([line, replace(line, is_chosen=True)])
    assert model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole) == "Gold Rewards, 180 points"
    assert model.index(1, 0).data() == "Gold Rewards *"
    assert model.headerData(3, Qt.Orientation.Horizontal) == "Expires soon"
    del tester


def test_the_table_is_reached_by_tab_and_named(qtbot: QtBot) -> None:
    cashier, _ = a_counter(qtbot, CounterLedger())
    cashier.look_up()
    table = cashier.find("programTable", QTableView)
    assert table.accessibleName() == "Points by program"
    assert table.model().index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole).startswith("Gold Rewards, 500 points")


def test_the_key_shows_and_hides_the_identifiers_too(qtbot: QtBot) -> None:
    cashier, _ = a_counter(qtbot, CounterLedger())
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    cashier.key(Qt.Key.Key_M, both)  # Nobody is there: nothing to show, and nothing to audit.
    cashier.look_up()
    cashier.key(Qt.Key.Key_M, both)
    assert MOBILE in cashier.text("customerIdentifiers")
    cashier.key(Qt.Key.Key_M, both)
    assert MOBILE not in cashier.text("customerIdentifiers")


def test_no_line_of_the_log_names_the_customer_or_her_code(qtbot: QtBot, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    cashier.look_up()
    cashier.click("revealButton")
    cashier.ask("250")
    cashier.enter_code("AAAAAA")
    cashier.wait(lambda: "did not match" in cashier.text("codeMessage"))
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done. 250 points used")
    assert "check" in caplog.text
    for secret in (MOBILE, MOBILE[2:], "Ada", "ada@example.org", "1234567890124411", "AAAAAA", CODE):
        assert secret not in caplog.text
