"""People sign in at a till and approve for each other, with and without a line (sync-api 4.2, 4.3; reliability 4.7)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.a_ledger import a_book
from support.clock import FakeClock
from support.lease_kit import lease_lines
from support.ledger_server import LOGIN, a_small_ledger
from support.memory_journal import MemoryJournal
from support.offline_till import OfflineTill, Shop, an_offline_shop
from support.people_kit import (
    AUDITOR,
    CASHIER,
    DISABLED,
    MANAGER,
    PIN,
    SUPERVISOR,
    WRONG_PIN,
    an_operator,
    quick_hash,
)

from pos_app.domain.commands import ApprovalPurpose, ApprovalReason
from pos_app.domain.roles import Act, Role
from pos_app.domain.trouble import NotAcceptedError, StorageError, SyncRefusedError
from pos_app.ledger.local import LocalLedger
from pos_app.services.line import Line
from pos_app.services.local_operators import LocalOperators
from pos_app.services.operators import OperatorService
from pos_app.services.service import Service

NEW_PIN = "975310"
RISK, NO_PHONE = ApprovalPurpose.RISK, ApprovalReason.NO_PHONE


class PlainPins:
    """PINs kept as they are: quick, for tests of who may sign in."""

    def hash(self, pin: str) -> str:
        return f"hash of {pin}"

    def is_right(self, pin_hash: str, pin: str) -> bool:
        return pin_hash == f"hash of {pin}"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    people = [
        an_operator(CASHIER, "cashier", pin_hash=quick_hash(PIN)),
        an_operator(SUPERVISOR, "supervisor", pin_hash=quick_hash(PIN)),
        an_operator(MANAGER, "manager", pin_hash=quick_hash(PIN)),
        an_operator(AUDITOR, "auditor", pin_hash=quick_hash(PIN)),
        an_operator(DISABLED, "supervisor", pin_hash=quick_hash(PIN), active=False),
    ]
    *setup, customer = lease_lines()
    with an_offline_shop(tmp_path, [*setup, *people, customer]) as opened:
        yield opened


@pytest.fixture
def till(shop: Shop) -> OfflineTill:
    return shop.till()


def refusal(till: OfflineTill, operator_id: int, pin: str = PIN) -> SyncRefusedError:
    with pytest.raises(SyncRefusedError) as refused:
        till.services.operators.sign_in(operator_id, pin)
    return refused.value


def no_approval(till: OfflineTill, operator_id: int, *, note: str = "", reason: ApprovalReason = NO_PHONE) -> str:
    with pytest.raises(SyncRefusedError) as refused:
        till.services.operators.approve(operator_id, PIN, RISK, reason, note)
    return refused.value.reason


# --- With a line -----------------------------------------------------------------------------------------------------


def test_the_ledger_proves_who_signs_in(till: OfflineTill) -> None:
    operator = till.services.operators.sign_in(CASHIER, PIN)
    assert (operator.operator_id, operator.role, operator.is_proved_here) == (CASHIER, "cashier", False)
    assert till.services.operators.current == operator
    assert till.services.operators.cashier == CASHIER
    assert operator.may(Act.REDEEM)
    assert not operator.may(Act.APPROVE)


def test_who_signs_out_is_no_cashier_any_more(till: OfflineTill) -> None:
    till.services.operators.sign_in(CASHIER, PIN)
    till.services.operators.sign_out()
    assert till.services.operators.current is None
    assert till.services.operators.cashier is None


def test_a_wrong_pin_is_counted_by_the_ledger_and_the_fifth_locks(till: OfflineTill) -> None:
    lefts = [refusal(till, CASHIER, WRONG_PIN).told["tries_left"] for _ in range(5)]
    assert lefts == [4, 3, 2, 1, 0]
    locked = refusal(till, CASHIER)
    assert locked.reason == "operator_locked"
    assert isinstance(locked.told["until"], datetime)
    assert till.services.operators.current is None


def test_nobody_signs_in_whom_the_ledger_does_not_know_or_has_disabled(till: OfflineTill) -> None:
    assert refusal(till, 4711).reason == "operator_unknown"
    assert refusal(till, DISABLED).reason == "operator_unknown"


# --- Without a line --------------------------------------------------------------------------------------------------


def test_who_proved_her_pin_here_signs_in_without_a_line_also_after_a_restart(till: OfflineTill) -> None:
    till.services.operators.sign_in(CASHIER, PIN)
    till.cable.is_cut = True
    till = till.restarted()
    operator = till.services.operators.sign_in(CASHIER, PIN)
    assert (operator.operator_id, operator.role, operator.is_proved_here) == (CASHIER, "cashier", True)


def test_who_never_was_here_needs_the_line(till: OfflineTill) -> None:
    till.cable.is_cut = True
    assert refusal(till, CASHIER).reason == "line_needed"


def test_five_wrong_pins_without_a_line_and_only_the_line_helps(till: OfflineTill) -> None:
    till.services.operators.sign_in(CASHIER, PIN)
    till.cable.is_cut = True
    lefts = [refusal(till, CASHIER, WRONG_PIN).told["tries_left"] for _ in range(5)]
    assert lefts == [4, 3, 2, 1, 0]
    assert refusal(till, CASHIER).reason == "line_needed", "the right PIN does not help any more"
    assert refusal(till.restarted(), CASHIER).reason == "line_needed"


def test_the_line_gives_all_tries_back(till: OfflineTill) -> None:
    till.services.operators.sign_in(CASHIER, PIN)
    till.cable.is_cut = True
    for _ in range(5):
        refusal(till, CASHIER, WRONG_PIN)
    till.cable.is_cut = False
    till.services.line.probe()
    till.services.operators.sign_in(CASHIER, PIN)
    till.cable.is_cut = True
    assert till.services.operators.sign_in(CASHIER, PIN).is_proved_here


def test_a_right_pin_gives_all_tries_back(till: OfflineTill) -> None:
    till.services.operators.sign_in(CASHIER, PIN)
    till.cable.is_cut = True
    for _ in range(4):
        refusal(till, CASHIER, WRONG_PIN)
    till.services.operators.sign_in(CASHIER, PIN)
    assert refusal(till, CASHIER, WRONG_PIN).told["tries_left"] == 4


def test_whom_the_ledger_disowns_is_forgotten_here_too(shop: Shop, till: OfflineTill) -> None:
    till.services.operators.sign_in(CASHIER, PIN)
    shop.kit.load([an_operator(CASHIER, "cashier", pin_hash=quick_hash(PIN), active=False)])
    assert refusal(till, CASHIER).reason == "operator_unknown"
    till.cable.is_cut = True
    assert refusal(till, CASHIER).reason == "line_needed"


def test_a_pin_is_in_no_repr_and_in_no_row_of_the_journal(till: OfflineTill) -> None:
    operator = till.services.operators.sign_in(CASHIER, PIN)
    kept = till.journal.operator(CASHIER)
    assert kept is not None
    assert kept.pin_hash is not None
    assert kept.pin_hash.startswith("$argon2id$")
    assert kept.token is not None
    for secret in (PIN, kept.pin_hash, kept.token):
        assert secret not in repr([operator, kept])


# --- Another PIN -----------------------------------------------------------------------------------------------------


def test_a_new_pin_counts_at_the_ledger_and_without_a_line(till: OfflineTill) -> None:
    till.services.operators.sign_in(CASHIER, PIN)
    till.services.operators.change_pin(CASHIER, PIN, NEW_PIN)
    assert refusal(till, CASHIER, PIN).reason == "pin_wrong"
    assert till.services.operators.sign_in(CASHIER, NEW_PIN).operator_id == CASHIER
    till.cable.is_cut = True
    assert till.services.operators.sign_in(CASHIER, NEW_PIN).is_proved_here


# --- Approvals -------------------------------------------------------------------------------------------------------


def test_a_second_person_approves_with_a_fresh_word_of_the_ledger(till: OfflineTill) -> None:
    till.services.operators.sign_in(CASHIER, PIN)
    approval = till.services.operators.approve(SUPERVISOR, PIN, RISK, ApprovalReason.OTHER, " phone broken ")
    assert (approval.purpose, approval.reason, approval.note) == (RISK, ApprovalReason.OTHER, "phone broken")
    assert approval.token.startswith("PT1.")
    assert till.services.operators.cashier == CASHIER, "who approves does not sign in"
    acts = [(row.act, row.who) for row in till.journal.audit_rows()]
    assert ("approve", SUPERVISOR) in acts


def test_nobody_approves_for_herself(till: OfflineTill) -> None:
    till.services.operators.sign_in(SUPERVISOR, PIN)
    assert no_approval(till, SUPERVISOR) == "same_person"
    assert till.services.operators.approve(MANAGER, PIN, RISK, NO_PHONE).token


@pytest.mark.parametrize("operator_id", [CASHIER, AUDITOR])
def test_only_supervisors_and_managers_approve(till: OfflineTill, operator_id: int) -> None:
    assert no_approval(till, operator_id) == "role_too_low"


def test_another_reason_needs_a_note(till: OfflineTill) -> None:
    assert no_approval(till, SUPERVISOR, reason=ApprovalReason.OTHER, note="  ") == "note_needed"


def test_without_a_line_the_ledgers_last_word_goes_with_an_approval_for_twelve_hours(
    shop: Shop, till: OfflineTill
) -> None:
    online = till.services.operators.approve(SUPERVISOR, PIN, RISK, NO_PHONE)
    till.cable.is_cut = True
    shop.clock.advance(timedelta(hours=11).total_seconds())
    assert till.services.operators.approve(SUPERVISOR, PIN, RISK, NO_PHONE).token == online.token
    shop.clock.advance(timedelta(hours=2).total_seconds())
    assert no_approval(till, SUPERVISOR) == "token_expired"
    assert till.services.operators.sign_in(SUPERVISOR, PIN).is_proved_here, "to sign in her PIN is enough"


# --- Trouble ---------------------------------------------------------------------------------------------------------


def test_a_till_whose_own_login_is_refused_signs_nobody_in_by_itself(till: OfflineTill) -> None:
    till.services.operators.sign_in(CASHIER, PIN)
    service = till.services.operators

    class Refusing:
        def sign_in(self, command: object) -> object:
            raise NotAcceptedError("login")

    service._sync = Refusing()  # type: ignore[assignment]
    with pytest.raises(NotAcceptedError):
        service.sign_in(CASHIER, PIN)


# --- Operators of the till itself ------------------------------------------------------------------------------------


class SoloTill:
    """A till at a service without the extension."""

    def __init__(self, ledger: LocalLedger) -> None:
        self.clock = FakeClock()
        self.journal = MemoryJournal(self.clock)
        line = Line(ledger, self.clock)
        self.local = LocalOperators(self.journal, self.clock, PlainPins())
        self.operators = OperatorService(
            service=Service(ledger, self.journal, line, address="a"),
            sync=ledger.sync,
            journal=self.journal,
            local=self.local,
            line=line,
            clock=self.clock,
            pins=PlainPins(),
        )


@pytest.fixture
def solo(tmp_path: Path) -> Iterator[SoloTill]:
    with a_book(tmp_path, a_small_ledger(), extension=False) as book:
        yield SoloTill(LocalLedger(book, LOGIN))


def test_where_the_service_knows_no_operators_the_till_makes_its_own(solo: SoloTill) -> None:
    manager = solo.local.add("R. Mehta", Role.MANAGER, PIN)
    cashier = solo.local.add("A. Shah", Role.CASHIER, NEW_PIN)
    operator = solo.operators.sign_in(cashier.operator_id, NEW_PIN)
    assert (operator.name, operator.role, operator.is_proved_here) == ("A. Shah", "cashier", True)
    assert solo.operators.cashier is None, "the service does not know her number"
    approval = solo.operators.approve(manager.operator_id, PIN, RISK, NO_PHONE)
    assert approval.token == "", "there is no ledger to vouch for her"


def test_the_first_of_them_is_a_manager(solo: SoloTill) -> None:
    with pytest.raises(SyncRefusedError, match="manager_first"):
        solo.local.add("A. Shah", Role.CASHIER, PIN)
    assert not solo.local.has_any


@pytest.mark.parametrize("pin", ["", "123", "1234567", "12a4", "١٢٣٤"])
def test_a_pin_has_four_to_six_digits(solo: SoloTill, pin: str) -> None:
    with pytest.raises(SyncRefusedError, match="pin_malformed"):
        solo.local.add("R. Mehta", Role.MANAGER, pin)


def test_five_wrong_pins_lock_for_a_quarter_of_an_hour_then_for_twice_as_long(solo: SoloTill) -> None:
    who = solo.local.add("R. Mehta", Role.MANAGER, PIN).operator_id

    def reason(pin: str) -> str:
        with pytest.raises(SyncRefusedError) as refused:
            solo.operators.sign_in(who, pin)
        return refused.value.reason

    assert [reason(WRONG_PIN) for _ in range(5)] == ["pin_wrong"] * 5
    assert reason(PIN) == "operator_locked"
    solo.clock.advance(15 * 60)
    assert [reason(WRONG_PIN) for _ in range(5)] == ["pin_wrong"] * 5
    solo.clock.advance(15 * 60)
    assert reason(PIN) == "operator_locked"
    solo.clock.advance(15 * 60)
    assert solo.operators.sign_in(who, PIN).role == "manager"
    assert reason(WRONG_PIN) == "pin_wrong", "a right PIN gave all tries back"


def test_who_was_disabled_here_does_not_sign_in(solo: SoloTill) -> None:
    solo.local.add("R. Mehta", Role.MANAGER, PIN)
    who = solo.local.add("A. Shah", Role.CASHIER, PIN).operator_id
    solo.local.disable(who)
    with pytest.raises(SyncRefusedError, match="operator_unknown"):
        solo.operators.sign_in(who, PIN)


def test_a_pin_of_the_tills_own_operators_can_be_changed(solo: SoloTill) -> None:
    who = solo.local.add("R. Mehta", Role.MANAGER, PIN).operator_id
    solo.operators.sign_in(who, PIN)
    solo.operators.change_pin(who, PIN, NEW_PIN)
    assert solo.operators.sign_in(who, NEW_PIN).operator_id == who


def test_a_try_that_cannot_be_written_down_compares_no_pin(solo: SoloTill) -> None:
    who = solo.local.add("R. Mehta", Role.MANAGER, PIN).operator_id
    solo.journal.is_full = True
    with pytest.raises(StorageError):
        solo.operators.sign_in(who, PIN)
