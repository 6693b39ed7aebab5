"""A machine becomes a till, and becomes one again (sync-api 4.1, reliability 4.8), over a ledger in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.a_ledger import a_book
from support.lease_kit import LeaseKit
from support.ledger_server import LOGIN, a_small_ledger
from support.offline_till import OfflineTill, Shop, an_offline_shop

from pos_app.domain.answers import Capabilities
from pos_app.domain.redemption import State
from pos_app.domain.trouble import LineDownError, SyncRefusedError, UnclearAnswerError
from pos_app.files.secrets import TillSecrets
from pos_app.files.till_keys import TillKeys
from pos_app.ledger.care.till_care import TillAction, change_till, give_enrolment_code
from pos_app.ledger.local import LocalLedger
from pos_app.services.enrolment import EnrolmentService
from pos_app.services.line import Line
from pos_app.services.offline_port import JournalState
from pos_app.services.service import Service


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with an_offline_shop(tmp_path) as opened:
        yield opened


def a_new_till(shop: Shop, name: str = "new") -> OfflineTill:
    """A machine that was told its ledger and nothing else."""
    return OfflineTill(shop, shop.folder / name, LOGIN)


def a_code(kit: LeaseKit) -> str:
    return give_enrolment_code(kit.book.tools, LOGIN, who="test")


def refusal(till: OfflineTill, code: str | None = None) -> str:
    with pytest.raises(SyncRefusedError) as refused:
        till.services.enrolment.enrol(code)
    return refused.value.reason


def test_the_first_enrolment_needs_no_code_and_begins_the_chain_of_its_epoch(shop: Shop) -> None:
    till = a_new_till(shop)
    assert till.services.enrolment.till_epoch == 0
    told = till.services.enrolment.enrol()
    assert told.till is not None
    assert (told.till.login, told.till.till_epoch) == (LOGIN, 1)
    assert till.services.enrolment.till_epoch == 1
    assert not till.services.enrolment.must_enrol_again


def test_the_same_again_changes_nothing_also_after_a_restart(shop: Shop) -> None:
    till = a_new_till(shop)
    till.services.enrolment.enrol()
    till.services.enrolment.enrol()
    till = till.restarted()
    told = till.services.enrolment.enrol()
    assert told.till is not None
    assert told.till.till_epoch == till.services.enrolment.till_epoch == 1


def test_a_lost_answer_is_asked_for_again_and_enrols_once(shop: Shop) -> None:
    till = a_new_till(shop)
    till.cable.loses = ["enrol"]
    with pytest.raises(UnclearAnswerError):
        till.services.enrolment.enrol()
    till = till.restarted()
    till.services.enrolment.enrol()
    assert till.services.enrolment.till_epoch == 1


def test_without_a_line_nothing_is_enrolled(shop: Shop) -> None:
    till = a_new_till(shop)
    till.cable.is_cut = True
    with pytest.raises(LineDownError):
        till.services.enrolment.enrol()
    assert till.services.enrolment.till_epoch == 0


def test_a_new_till_enrols_by_itself_when_the_line_is_there_and_only_once(shop: Shop) -> None:
    till = a_new_till(shop)
    till.services.enrolment.enrol_new()
    assert till.services.enrolment.till_epoch == 0, "nobody said yet that the service has the extension"
    till.services.service.ask()
    till.services.enrolment.enrol_new()
    till.services.enrolment.enrol_new()
    assert till.services.enrolment.till_epoch == 1
    assert till.cable.asked.count("enrol") == 1


def test_where_a_code_is_wanted_a_new_till_does_not_ask_again_by_itself(shop: Shop) -> None:
    a_new_till(shop).services.enrolment.enrol()
    other = a_new_till(shop, "other")
    other.services.service.ask()
    other.services.enrolment.enrol_new()
    other.services.enrolment.enrol_new()
    assert other.services.enrolment.refused == "enrolment_code_needed"
    assert other.cable.asked.count("enrol") == 1
    other.services.enrolment.enrol(a_code(shop.kit))
    assert other.services.enrolment.refused is None


def test_another_machine_under_the_same_login_needs_a_code(shop: Shop) -> None:
    a_new_till(shop).services.enrolment.enrol()
    other = a_new_till(shop, "other")
    assert refusal(other) == "enrolment_code_needed"
    assert refusal(other, "AAAABBBBCCCC") == "enrolment_code_wrong"
    assert other.services.enrolment.till_epoch == 0
    other.services.enrolment.enrol(a_code(shop.kit))
    assert other.services.enrolment.till_epoch == 2


def test_the_machine_that_was_replaced_is_told_to_enrol_again(shop: Shop) -> None:
    first = a_new_till(shop)
    first.services.enrolment.enrol()
    a_new_till(shop, "other").services.enrolment.enrol(a_code(shop.kit))
    first.services.service.ask(anew=True)
    assert first.services.enrolment.must_enrol_again


def test_a_till_enrolled_again_signs_with_another_key_that_the_ledger_takes(shop: Shop) -> None:
    till = shop.till()
    till.look_up()
    till.cable.is_cut = True
    till.spend(20)
    till.cable.is_cut = False
    till.services.rounds.run_all()
    till.services.enrolment.enrol(a_code(shop.kit))
    assert till.services.enrolment.till_epoch == 2
    till.look_up()
    till.cable.is_cut = True
    spent = till.spend(30)
    till.cable.is_cut = False
    till.services.rounds.run_all()
    assert spent.row is not None
    settled = till.journal.get(spent.row.key)
    assert (settled.state, settled.seq) == (State.SETTLED, 1)


def test_a_till_with_redemptions_that_nobody_was_told_of_is_not_enrolled_again(shop: Shop) -> None:
    till = shop.till()
    till.look_up()
    till.cable.is_cut = True
    till.spend(20)
    till.cable.is_cut = False
    assert refusal(till, a_code(shop.kit)) == "outbox_not_empty"
    assert till.services.enrolment.till_epoch == 1
    till.services.rounds.run_all()
    till.services.enrolment.enrol(a_code(shop.kit))
    assert till.services.enrolment.till_epoch == 2


def test_a_lost_till_settles_first_and_comes_back_with_a_code(shop: Shop) -> None:
    till = shop.till()
    change_till(shop.kit.book.tools, LOGIN, TillAction.LOST, who="test")
    till.services.service.ask(anew=True)
    assert till.services.enrolment.must_enrol_again
    till.services.enrolment.enrol(a_code(shop.kit))
    assert not till.services.enrolment.must_enrol_again
    told = till.services.service.told
    assert told is not None
    assert told.till is not None
    assert told.till.state == "ACTIVE"


def test_a_disabled_till_is_not_enrolled(shop: Shop) -> None:
    till = a_new_till(shop)
    change_till(shop.kit.book.tools, LOGIN, TillAction.DISABLE, who="test")
    assert refusal(till) == "till_disabled"


def test_a_till_whose_journal_is_gone_needs_a_code_and_then_works_again(shop: Shop) -> None:
    till = shop.till()
    till.look_up()
    till.cable.is_cut = True
    till.spend(20)
    till.close()
    shop.open_tills.remove(till)
    (till.folder / "journal.db").unlink()
    again = OfflineTill(shop, till.folder, LOGIN)
    assert again.journal.health().state is JournalState.MISSING
    assert again.services.enrolment.must_enrol_again
    assert refusal(again) == "enrolment_code_needed", "the chain under the old key is lost"
    again.services.enrolment.enrol(a_code(shop.kit))
    assert not again.services.enrolment.must_enrol_again
    assert again.journal.offline_blocked() is None
    assert again.services.enrolment.till_epoch == 2


def test_a_till_that_died_when_the_ledger_had_taken_its_new_key_goes_on_without_another_code(shop: Shop) -> None:
    till = shop.till()
    till.cable.loses = ["enrol"]
    code = a_code(shop.kit)
    with pytest.raises(UnclearAnswerError):
        till.services.enrolment.enrol(code)
    till = till.restarted()
    assert till.services.enrolment.till_epoch == 1
    till.services.enrolment.enrol()
    assert till.services.enrolment.till_epoch == 2
    till.look_up()
    till.cable.is_cut = True
    spent = till.spend(30)
    till.cable.is_cut = False
    till.services.rounds.run_all()
    assert spent.row is not None
    assert till.journal.get(spent.row.key).state is State.SETTLED


def test_a_ledger_restored_to_before_the_enrolments_is_not_followed(shop: Shop) -> None:
    till = shop.till()
    till.services.enrolment.enrol(a_code(shop.kit))
    assert till.services.enrolment.till_epoch == 2

    class Forgetful:
        """The ledger after its restore: it knows of one enrolment."""

        def __init__(self, sync: object) -> None:
            self._sync = sync

        def enrol(self, command: object) -> Capabilities:
            from dataclasses import replace

            told = self._sync.enrol(command)  # type: ignore[attr-defined]
            return replace(told, till=replace(told.till, till_epoch=1))

    service = till.services.enrolment
    service._sync = Forgetful(service._sync)  # type: ignore[assignment]
    assert refusal(till) == "stale_till_epoch"
    assert till.services.enrolment.till_epoch == 2


def test_a_service_without_the_extension_enrols_nobody_and_says_no(tmp_path: Path) -> None:
    from support.clock import FakeClock
    from support.memory_journal import MemoryJournal

    with a_book(tmp_path, a_small_ledger(), extension=False) as book:
        ledger, journal = LocalLedger(book, LOGIN), MemoryJournal()
        kept = TillSecrets.open(tmp_path / "till", service="", use_keyring=False)
        service = EnrolmentService(
            service=Service(ledger, journal, Line(ledger, FakeClock()), address="a"),
            sync=ledger.sync,
            journal=journal,
            keys=TillKeys(kept, journal_epoch=0),
            software="1.0",
            platform="linux",
        )
        assert service.enrol() == Capabilities()
        assert service.till_epoch == 0
        assert not service.must_enrol_again
