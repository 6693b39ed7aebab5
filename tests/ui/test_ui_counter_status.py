"""What the window says of the till itself: sync, notices, enrolment (ux B.1, B.7; reliability 4.3, 4.8)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit
from pytestqt.qtbot import QtBot
from support.builders import NOW
from support.dialogs import cut_off, nameless
from support.fake_till import Cashier, a_view, open_window
from support.lease_kit import lease_lines
from support.ledger_server import CUSTOMER, LOGIN, PROGRAM
from support.offline_till import OfflineTill, Shop, an_offline_shop

from pos_app.domain.leases import Owner, OwnerKind
from pos_app.domain.trouble import LineDownError, SyncRefusedError
from pos_app.ledger.care.till_care import TillAction, change_till, give_enrolment_code
from pos_app.services.clock_trust import Distrust
from pos_app.services.feed_port import CacheState
from pos_app.services.offline_port import JournalState
from pos_app.services.syncing import SyncStep, SyncView
from pos_app.ui.status_words import CACHES, ENROL, JOURNALS, Health, notices_of, sync_texts


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with an_offline_shop(tmp_path, lease_lines()) as made:
        yield made


def at_the_window(qtbot: QtBot, till: OfflineTill) -> Cashier:
    cashier = open_window(qtbot, a_view(operator="", operator_role="", status_s=0.02))
    cashier.window.attach(till.services)
    cashier.wait(lambda: cashier.text("statusConnection") in ("Online", "Offline"))
    return cashier


def has_notice(cashier: Cashier, words: str) -> bool:
    return cashier.find("noticeBar").isVisible() and words in cashier.text("noticeText")


def test_a_till_in_order_has_no_notice(qapp: QApplication) -> None:
    assert notices_of(Health()) == ()


@pytest.mark.parametrize("state", list(JournalState))
def test_every_state_of_the_records_but_order_has_a_sentence(qapp: QApplication, state: JournalState) -> None:
    notices = notices_of(Health(journal=state))
    assert (len(notices) == 1) is (state is not JournalState.OK)
    assert (state in JOURNALS) is (state is not JournalState.OK)
    assert any(each.way == ENROL for each in notices) is (state in {JournalState.DAMAGED, JournalState.MISSING})


@pytest.mark.parametrize("state", [CacheState.FULL, CacheState.UNAVAILABLE])
def test_a_cache_that_cannot_keep_says_so(qapp: QApplication, state: CacheState) -> None:
    assert [each.text for each in notices_of(Health(cache=state.value))] == [CACHES[state]]
    assert notices_of(Health(cache=CacheState.REBUILDING.value)) == ()


@pytest.mark.parametrize(
    ("health", "words"),
    [
        (Health(till_state="FROZEN"), "frozen"),
        (Health(till_state="LOST"), "marked lost"),
        (Health(till_state="DISABLED"), "switched off"),
        (Health(distrust=Distrust.BEHIND), "clock is not trusted"),
        (Health(must_enrol_again=True), "enrolled again"),
        (Health(enrolment_refused="enrolment_code_needed"), "needs an enrolment code"),
        (Health(has_lost_extension=True), "sets nothing aside"),
        (Health(troubles=(SyncRefusedError("stale_till_epoch"),)), "enrolled elsewhere"),
    ],
)
def test_each_cause_has_its_sentence(qapp: QApplication, health: Health, words: str) -> None:
    (notice,) = notices_of(health)
    assert words in notice.text


def test_troubles_that_pass_by_themselves_are_no_notice(qapp: QApplication) -> None:
    assert notices_of(Health(troubles=(LineDownError("down"), SyncRefusedError("cursor_too_old")))) == ()


def test_the_gravest_comes_first_and_nothing_twice(qapp: QApplication) -> None:
    health = Health(
        journal=JournalState.DAMAGED, must_enrol_again=True, distrust=Distrust.OFF, troubles=(SyncRefusedError("x"),)
    )
    texts = [each.text for each in notices_of(health)]
    assert texts[0] == JOURNALS[JournalState.DAMAGED]
    assert len(texts) == 2


def test_a_snapshot_counts_customers_and_then_the_header_says_when_it_was_current(qapp: QApplication) -> None:
    loading = SyncView(step=SyncStep.SNAPSHOT, cache=CacheState.REBUILDING, rows_done=12_300, rows_total=81_200)
    told = sync_texts(loading, NOW)
    assert told is not None
    assert told[0] == "Loading customers 12,300 of 81,200"
    current = SyncView(step=SyncStep.CURRENT, cache=CacheState.OK, fresh_at=NOW)
    told = sync_texts(current, NOW)
    assert told is not None
    assert told[0].startswith("Synced ")
    assert sync_texts(SyncView(step=SyncStep.IDLE, cache=CacheState.OK), NOW) is None


def test_the_header_tells_of_the_feed_and_not_of_the_rules(qtbot: QtBot, shop: Shop) -> None:
    till = shop.till()
    shop.clock.advance(3600)
    cashier = at_the_window(qtbot, till)
    cashier.wait(lambda: cashier.text("statusSync").startswith("Synced"))
    cashier.wait(lambda: cashier.find("statusSync").accessibleDescription() == "1 h ago")


def test_a_clock_that_is_not_trusted_is_told_until_it_is_again(qtbot: QtBot, shop: Shop) -> None:
    till = shop.till()
    cashier = at_the_window(qtbot, till)
    assert not cashier.find("noticeBar").isVisible()
    till.cable.is_cut = True
    shop.clock.advance(-7200)
    cashier.wait(lambda: has_notice(cashier, "clock is not trusted"))
    till.cable.is_cut = False
    till.services.line.probe()
    till.services.service.ask(anew=True)
    cashier.wait(lambda: not cashier.find("noticeBar").isVisible())


def test_a_till_that_has_another_key_is_enrolled_with_a_code_from_head_office(qtbot: QtBot, shop: Shop) -> None:
    shop.till().close()
    again = OfflineTill(shop, shop.folder / "replaced", LOGIN, seed=9)
    again.services.service.find_out()
    again.services.enrolment.enrol_new()
    cashier = at_the_window(qtbot, again)
    cashier.wait(lambda: cashier.dialog() is not None)
    dialog = cashier.dialog()
    assert dialog is not None
    assert (nameless(dialog), cut_off(dialog)) == ([], [])
    cashier.find("enrolCode", QLineEdit).setText("WRONG-CODE")
    cashier.click("enrolUse")
    cashier.wait(lambda: "does not count" in cashier.text("enrolMessage"))
    assert has_notice(cashier, "needs an enrolment code")
    code = give_enrolment_code(shop.kit.book.tools, LOGIN, who="test")
    cashier.find("enrolCode", QLineEdit).setText(code)
    cashier.click("enrolUse")
    cashier.wait(lambda: cashier.dialog() is None)
    cashier.wait(lambda: not cashier.find("noticeBar").isVisible())
    assert again.services.enrolment.till_epoch == 2


def test_a_till_that_head_office_marked_lost_says_so_and_offers_to_enrol(qtbot: QtBot, shop: Shop) -> None:
    till = shop.till()
    cashier = at_the_window(qtbot, till)
    change_till(shop.kit.book.tools, LOGIN, TillAction.LOST, who="test")
    till.services.service.ask(anew=True)
    cashier.wait(lambda: has_notice(cashier, "marked lost"))
    assert cashier.find("noticeWay", QAbstractButton).isVisible()


def test_at_the_start_of_a_shift_points_of_the_stores_regulars_are_wanted(qtbot: QtBot, shop: Shop) -> None:
    till = shop.till()
    for _ in range(2):
        assert till.redeem(50).redemption_id
        shop.kit.book.tools.visits.write_down()
        shop.clock.advance(24 * 3600)
    cashier = at_the_window(qtbot, till)
    cashier.wait(lambda: "regulars" in till.cable.asked)
    cashier.wait_quiet()
    till.services.leases.tend(at_once=True)
    assert till.services.allowances.of(Owner(OwnerKind.CUSTOMER, CUSTOMER), PROGRAM) is not None
