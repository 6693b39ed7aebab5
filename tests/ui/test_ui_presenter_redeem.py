"""What became of a redemption: lost answers, cancels, restarts (ux B.4 unknown, C12, C33; reliability 4.2)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTableView
from pytestqt.qtbot import QtBot
from support.builders import NOW, a_redemption
from support.fake_till import NO_WAITING, Cashier, CounterLedger, a_counter, a_view
from support.memory_journal import MemoryJournal
from support.service_kit import Till

from pos_app.domain.points import Points
from pos_app.domain.redemption import State
from pos_app.domain.trouble import LineDownError, NotAcceptedError, StorageError, UnclearAnswerError

UNKNOWN = "We do not know if it went through"
CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


def test_a_lost_answer_is_unknown_and_find_out_now_charges_once_under_the_same_key(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, till = a_counter(qtbot, ledger)
    _ready(cashier)
    ledger.loses_replies = 1
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title(UNKNOWN)
    assert cashier.state == "unknown"
    assert cashier.said[-1][1] is True
    assert (cashier.text("verdictButton1"), cashier.text("verdictButton2")) == ("Find out now", "Cancel redemption")
    cashier.key(Qt.Key.Key_F8)
    assert len(ledger.calls("redeem")) == 1
    cashier.wait(lambda: cashier.text("statusOutbox") == "Outbox 1")
    cashier.click("verdictButton1")
    cashier.wait_title("Done. 250 points used")
    first, second = ledger.calls("redeem")
    assert first.key == second.key
    assert ledger.balance == Points.of(250)
    assert len(till.journal.recent(10)) == 1
    cashier.wait(lambda: cashier.text("statusOutbox") == "Outbox 0")


def test_the_outbox_finds_out_by_itself_and_the_panel_says_so(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, till = a_counter(qtbot, ledger, view=a_view(drain_s=0.05))
    _ready(cashier)
    ledger.loses_replies = 1
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title(UNKNOWN)
    till.clock.advance(120)
    cashier.wait_title("Done. 250 points used")
    assert ledger.balance == Points.of(250)


def test_cancelling_what_went_through_gives_the_points_back(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    _ready(cashier)
    ledger.loses_replies = 1
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title(UNKNOWN)
    cashier.click("verdictButton2")
    cashier.wait_title("Cancelled. Points were given back")
    assert ledger.balance == Points.of(500)


def test_cancelling_what_never_arrived_used_nothing(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    _ready(cashier)
    ledger.fail("redeem", UnclearAnswerError("lost on the way"))
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title(UNKNOWN)
    cashier.click("verdictButton2")
    cashier.wait_title("Cancelled. Nothing was used")
    assert ledger.balance == Points.of(500)


def test_a_cancel_without_an_answer_says_that_it_is_not_cancelled_yet(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    _ready(cashier)
    ledger.loses_replies = 1
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title(UNKNOWN)
    ledger.fail("cancel", UnclearAnswerError("lost"))
    cashier.click("verdictButton2")
    cashier.wait_title("Cancelling. Not answered yet")
    assert cashier.state == "unknown"
    cashier.key(Qt.Key.Key_U, CTRL_SHIFT)
    cashier.wait_title("Cancelled. Points were given back")


def test_no_other_redemption_of_the_same_customer_begins_while_one_is_unknown(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, till = a_counter(qtbot, ledger)
    _ready(cashier)
    ledger.loses_replies = 1
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title(UNKNOWN)
    cashier.wait(lambda: cashier.text("statusOutbox") == "Outbox 1")
    cashier.key(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert "Ctrl+Shift+U" in cashier.text("verdictNext")
    checks = len(ledger.calls("check"))
    cashier.look_up()
    cashier.ask("100")
    cashier.wait_title(UNKNOWN)
    assert len(ledger.calls("check")) == checks
    assert len(till.journal.recent(10)) == 1


def test_no_other_redemption_begins_while_the_outbox_is_to_send_one_of_the_same_customer(qtbot: QtBot) -> None:
    journal = MemoryJournal()
    later = NOW + timedelta(hours=1)
    journal.add(a_redemption(100, state=State.READY, attempts=1, next_try_at=later))
    ledger = CounterLedger()
    cashier, till = a_counter(qtbot, ledger, till=Till(ledger, journal=journal, waits=NO_WAITING))
    cashier.wait(lambda: cashier.text("statusOutbox") == "Outbox 1")
    cashier.look_up()
    cashier.ask("100")
    cashier.wait_title("Redeeming. Do not repeat")
    assert ledger.calls("check") == []
    assert len(till.journal.recent(10)) == 1


def test_changed_inputs_and_an_amount_due_do_not_paint_over_an_unknown_result(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    _ready(cashier)
    ledger.loses_replies = 1
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title(UNKNOWN)
    cashier.window.panel.bill.changed.emit()
    cashier.window.entry.changed.emit()
    cashier.wait_quiet()
    assert cashier.title == UNKNOWN
    assert not cashier.is_shown("verdictStale")
    assert not cashier.window.panel.is_redeem_ready


@pytest.mark.parametrize("state", [State.UNKNOWN, State.SENT])
def test_a_window_that_opens_on_an_unknown_redemption_shows_it_first(qtbot: QtBot, state: State) -> None:
    journal = MemoryJournal()
    journal.add(a_redemption(100, state=state, attempts=1))
    ledger = CounterLedger()
    cashier, _ = a_counter(qtbot, ledger, till=Till(ledger, journal=journal, waits=NO_WAITING))
    cashier.wait(lambda: any(text.startswith(UNKNOWN) for text, _ in cashier.said))
    cashier.key(Qt.Key.Key_U, CTRL_SHIFT)
    cashier.wait_title("Done. 100 points used")
    assert ledger.balance == Points.of(400)
    assert {command.key for command in ledger.calls("redeem")} == {a_redemption().key}


def test_a_till_that_cannot_write_sends_nothing_and_says_so(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, till = a_counter(qtbot, ledger)
    _ready(cashier)

    def full(_row: object) -> None:
        raise StorageError("the disk is full")

    till.journal.add = full
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("This till needs attention")
    assert cashier.state == "config"
    assert "nothing was sent" in cashier.text("verdictReason")
    assert ledger.calls("redeem") == []


def test_a_login_that_is_not_accepted_uses_nothing_and_the_next_check_gives_the_row_up(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, till = a_counter(qtbot, ledger)
    _ready(cashier)
    ledger.fail("redeem", NotAcceptedError("401"))
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Sign-in for this till failed")
    assert ledger.balance == Points.of(500)
    cashier.key(Qt.Key.Key_F5)
    cashier.wait(lambda: till.journal.recent(1)[0].state is State.CANCELLED)


def test_a_redemption_without_a_line_is_not_called_done(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    _ready(cashier)
    ledger.fail("redeem", LineDownError("no connection"))
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title(UNKNOWN)
    cashier.wait(lambda: cashier.text("statusConnection") == "Offline")


def test_new_customer_while_redeeming_leaves_it_to_the_outbox(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, till = a_counter(qtbot, ledger)
    _ready(cashier)
    ledger.hold("redeem")
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Redeeming. Do not repeat")
    cashier.key(Qt.Key.Key_F5)
    cashier.key(Qt.Key.Key_F8)
    cashier.key(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert cashier.text("verdictNext") == "The last redemption has no answer yet. It stays saved on this till."
    ledger.let_go("redeem")
    cashier.wait(lambda: till.journal.recent(1)[0].state is State.CONFIRMED)
    cashier.wait_quiet()
    assert cashier.state == "idle"
    assert len(ledger.calls("redeem")) == 1


def test_the_new_balance_is_on_the_card_and_spoken(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, _ = a_counter(qtbot, ledger)
    _ready(cashier)
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done. 250 points used")
    model = cashier.find("programTable", QTableView).model()
    spoken = model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("Gold Rewards, 250 points")


def test_the_reference_of_practice_begins_with_tr(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    till = Till(ledger, waits=NO_WAITING, key_prefix="TR-")
    cashier, _ = a_counter(qtbot, ledger, till=till, view=a_view(is_training=True))
    _ready(cashier)
    cashier.key(Qt.Key.Key_F8)
    cashier.wait_title("Done. 250 points used")
    assert "reference TR-" in cashier.text("verdictMeta")
    assert cashier.said[-1][0].startswith("Training. Done.")


def test_closing_the_window_while_redeeming_ends_and_leaves_the_row_open(qtbot: QtBot) -> None:
    ledger = CounterLedger(wants_code=True)
    cashier, till = a_counter(qtbot, ledger)
    _ready(cashier)
    ledger.hold("redeem")
    cashier.key(Qt.Key.Key_F8)
    cashier.wait(lambda: ledger.calls("redeem"))
    cashier.window.close()
    assert till.journal.recent(1)[0].state is State.SENT
    ledger.let_go("redeem")


def _ready(cashier: Cashier) -> None:
    cashier.look_up()
    cashier.ask("250")
    cashier.confirm()
    cashier.wait(lambda: cashier.window.panel.is_redeem_ready)
