"""What every ledger promises of the extension, in process or through HTTP: subclass and give a `sync_kit` fixture.

    class TestThroughHttp(SyncContract):
        @pytest.fixture
        def sync_kit(self, ...) -> SyncKit: ...

The ledger behind the kit must hold `SYNC_LINES` and be asked as the till of `LOGIN`.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from support.a_ledger import redeeming
from support.lease_kit import lease_lines
from support.ledger_server import CUSTOMER, LOGIN, MOBILE, PROGRAM
from support.people_kit import CASHIER, PIN, SUPERVISOR, WRONG_PIN, an_operator, quick_hash

from pos_app.domain.commands import (
    Approval,
    ApprovalPurpose,
    ApprovalReason,
    ChangePin,
    Enrol,
    Reverse,
    SignIn,
)
from pos_app.domain.feed import Heartbeat, Scope
from pos_app.domain.keys import key_from
from pos_app.domain.leases import GiveBack, Lease, LeaseRequest, LeaseResult, NoLease, Owner, OwnerKind
from pos_app.domain.points import ZERO, Points
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.domain.settling import FIRST_PREV_HASH, SettleAnswer, SettleOutcome, Spend, SpendKind
from pos_app.domain.trouble import SyncRefusedError
from pos_app.files.seals import TillSeals
from pos_app.services.sync_port import SyncingLedger, SyncLedger

SEALS = TillSeals(bytes(range(32)))
OTHER_KEY = b64encode(bytes(range(1, 33))).decode("ascii")
TOM = Owner(OwnerKind.CUSTOMER, CUSTOMER)
NOBODY = CustomerRef(IdentifierKind.MOBILE, "918888888888")


def sync_lines() -> list[dict[str, Any]]:
    """A till, people and one customer of 500 points whose program may be redeemed offline."""
    *setup, customer = lease_lines(organisation={"skip_validation_allowed": True, "reversal_enabled": True})
    people = [
        an_operator(CASHIER, "cashier", pin_hash=quick_hash(PIN)),
        an_operator(SUPERVISOR, "supervisor", pin_hash=quick_hash(PIN)),
    ]
    return [*setup, *people, customer]


@dataclass(frozen=True)
class SyncKit:
    """A ledger, asked as one till, and how to act behind its back."""

    ledger: SyncingLedger
    code: Any
    """Makes an enrolment code, as head office does."""

    @property
    def sync(self) -> SyncLedger:
        return self.ledger.sync

    def enrolled(self) -> SyncLedger:
        """The ledger, after this till told its key."""
        self.sync.enrol(Enrol(public_key=SEALS.public_key, software="1.0", platform="test"))
        return self.sync

    def lease(self, number: int = 1, **changes: Any) -> LeaseResult:
        """Ask for one lease of Tom's."""
        request = LeaseRequest(request_id=key_from(number.to_bytes(16)), owner=TOM, program_id=PROGRAM, **changes)
        (result,) = self.sync.lease(1, [request])
        return result

    def held(self, number: int = 1) -> Lease:
        """A lease of Tom's that was surely given."""
        lease = self.lease(number).lease
        assert lease is not None
        return lease


def a_spend(lease: Lease, points: int, seq: int = 1, prev_hash: str = FIRST_PREV_HASH, **changes: Any) -> Spend:
    """A row as a till seals it."""
    plain = Spend(
        seq=seq,
        key=key_from((100 + seq).to_bytes(16)),
        kind=SpendKind.LEASE,
        owner=TOM,
        customer_id=CUSTOMER,
        program_id=PROGRAM,
        points=Points.of(points),
        at=lease.granted_at,
        redemption_id=f"T-{seq}",
        lease_id=lease.lease_id,
        cashier=CASHIER,
        prev_hash=prev_hash,
    )
    return SEALS.seal(replace(plain, **changes))


def refusal(call: Any) -> SyncRefusedError:
    with pytest.raises(SyncRefusedError) as refused:
        call()
    return refused.value


def lasting(answer: SettleAnswer) -> list[tuple[Any, ...]]:
    """What a repeat of a settlement must repeat."""
    return [(each.seq, each.key, each.outcome, each.redemption_id, each.from_lease) for each in answer.results]


class SyncContract:
    """The promises."""

    # --- The till and its people -----------------------------------------------------------------------------------

    def test_the_first_key_of_a_till_needs_no_code_and_the_same_again_changes_nothing(self, sync_kit: SyncKit) -> None:
        first = sync_kit.sync.enrol(Enrol(public_key=SEALS.public_key))
        again = sync_kit.sync.enrol(Enrol(public_key=SEALS.public_key))
        for told in (first, again, sync_kit.ledger.capabilities()):
            assert told.till is not None
            assert (told.till.login, told.till.till_epoch, told.has_extension) == (LOGIN, 1, True)

    def test_another_key_needs_a_code_and_raises_the_epoch(self, sync_kit: SyncKit) -> None:
        sync_kit.enrolled()
        command = Enrol(public_key=OTHER_KEY)
        assert refusal(lambda: sync_kit.sync.enrol(command)).reason == "enrolment_code_needed"
        wrong = replace(command, enrolment_code="AAAABBBBCCCC")
        assert refusal(lambda: sync_kit.sync.enrol(wrong)).reason == "enrolment_code_wrong"
        told = sync_kit.sync.enrol(replace(command, enrolment_code=sync_kit.code()))
        assert told.till is not None
        assert told.till.till_epoch == 2

    def test_an_operator_proves_her_pin(self, sync_kit: SyncKit) -> None:
        signed_in = sync_kit.sync.sign_in(SignIn(operator_id=SUPERVISOR, pin=PIN))
        assert (signed_in.operator_id, signed_in.role) == (SUPERVISOR, "supervisor")
        assert signed_in.token.startswith("PT1.")
        assert (signed_in.not_after - signed_in.proved_at).total_seconds() == 12 * 3600

    def test_a_wrong_pin_says_how_many_tries_are_left_and_the_lock_until_when(self, sync_kit: SyncKit) -> None:
        command = SignIn(operator_id=CASHIER, pin=WRONG_PIN)
        told = [refusal(lambda: sync_kit.sync.sign_in(command)) for _ in range(5)]
        assert [each.reason for each in told] == ["pin_wrong"] * 5
        assert [each.told["tries_left"] for each in told] == [4, 3, 2, 1, 0]
        locked = refusal(lambda: sync_kit.sync.sign_in(replace(command, pin=PIN)))
        assert locked.reason == "operator_locked"
        assert isinstance(locked.told["until"], datetime)
        unknown = SignIn(operator_id=4711, pin=PIN)
        assert refusal(lambda: sync_kit.sync.sign_in(unknown)).reason == "operator_unknown"

    def test_a_pin_can_be_changed(self, sync_kit: SyncKit) -> None:
        sync_kit.sync.change_pin(ChangePin(operator_id=CASHIER, pin=PIN, new_pin="975310"))
        assert refusal(lambda: sync_kit.sync.sign_in(SignIn(operator_id=CASHIER, pin=PIN))).reason == "pin_wrong"
        assert sync_kit.sync.sign_in(SignIn(operator_id=CASHIER, pin="975310")).operator_id == CASHIER

    # --- The feed --------------------------------------------------------------------------------------------------

    def test_a_snapshot_tells_all_rows_page_by_page(self, sync_kit: SyncKit) -> None:
        page = sync_kit.sync.snapshot(Scope.ALL, limit=2)
        as_of, items = page.as_of, [*page.items]
        while page.next_page is not None:
            page = sync_kit.sync.snapshot(Scope.ALL, page.next_page, limit=2)
            items += page.items
        kinds = [each.type for each in items]
        assert kinds == sorted(kinds, key=["organisation", "program", "operator", "customer", "wallet"].index)
        assert {each.id for each in items if each.type == "customer"} == {CUSTOMER}
        assert {each.id for each in items if each.type == "operator"} == {CASHIER, SUPERVISOR}
        changes = sync_kit.sync.changes(as_of)
        assert (changes.items, changes.has_more) == ([], False)

    def test_a_redemption_is_a_change_of_its_wallet(self, sync_kit: SyncKit) -> None:
        cursor = sync_kit.sync.snapshot(Scope.ALL).as_of
        sync_kit.ledger.redeem(redeeming(CUSTOMER, 100, key_from((1).to_bytes(16))))
        changes = sync_kit.sync.changes(cursor)
        (wallet,) = [each for each in changes.items if each.type == "wallet"]
        assert wallet.row is not None
        assert wallet.row["balance"] == "400"
        assert sync_kit.sync.changes(changes.next_cursor).items == []

    def test_a_cursor_of_nobody_asks_for_a_new_snapshot(self, sync_kit: SyncKit) -> None:
        reason = refusal(lambda: sync_kit.sync.changes("nonsense")).reason
        assert reason in {"cursor_too_old", "epoch_changed", "scope_changed"}
        assert refusal(lambda: sync_kit.sync.snapshot(Scope.ALL, "nonsense")).reason == "page_expired"

    def test_one_customer_is_told_with_her_wallets_and_nobody_is_nobody(self, sync_kit: SyncKit) -> None:
        rows = sync_kit.sync.customer_rows(CustomerRef(IdentifierKind.MOBILE, MOBILE))
        assert rows is not None
        assert {each.type for each in rows.items} >= {"customer", "wallet"}
        assert sync_kit.sync.customer_rows(NOBODY) is None

    def test_a_new_store_has_no_regulars(self, sync_kit: SyncKit) -> None:
        assert list(sync_kit.sync.regulars()) == []

    # --- Leases ----------------------------------------------------------------------------------------------------

    def test_a_till_that_never_enrolled_gets_no_lease(self, sync_kit: SyncKit) -> None:
        assert refusal(lambda: sync_kit.lease()).reason == "not_enrolled"

    def test_a_till_of_another_epoch_gets_no_lease(self, sync_kit: SyncKit) -> None:
        sync_kit.enrolled()
        request = LeaseRequest(request_id=key_from((1).to_bytes(16)), owner=TOM, program_id=PROGRAM)
        assert refusal(lambda: sync_kit.sync.lease(7, [request])).reason == "stale_till_epoch"

    def test_a_lease_is_signed_and_the_same_request_gets_the_same(self, sync_kit: SyncKit) -> None:
        sync_kit.enrolled()
        seals = TillSeals(bytes(32))
        seals.learn(sync_kit.ledger.capabilities().ledger_keys)
        lease = sync_kit.held()
        assert (lease.till, lease.owner, lease.amount) == (LOGIN, TOM, Points.of(400))
        assert seals.is_lease(lease)
        assert not seals.is_lease(replace(lease, amount=Points.of(401)))
        assert sync_kit.held() == lease

    def test_no_lease_has_a_reason(self, sync_kit: SyncKit) -> None:
        sync_kit.enrolled()
        sync_kit.held()
        assert sync_kit.lease(2).reason is NoLease.ALREADY_OPEN

    def test_what_is_given_back_is_free_again_and_the_rest_stays_held(self, sync_kit: SyncKit) -> None:
        sync_kit.enrolled()
        lease = sync_kit.held()
        back = [GiveBack(lease.lease_id, Points.of(50)), GiveBack("L0000000000")]
        freed = sync_kit.sync.close_leases(1, back)
        assert [(str(each.freed), str(each.still_held)) for each in freed] == [("350", "50"), ("0", "0")]
        assert [str(each.freed) for each in sync_kit.sync.close_leases(1, back)] == ["0", "0"]

    def test_a_check_counts_what_is_given_back_as_free_and_a_redemption_frees_it(self, sync_kit: SyncKit) -> None:
        sync_kit.enrolled()
        lease = sync_kit.held()
        command = redeeming(CUSTOMER, 300, key_from((1).to_bytes(16)))
        assert sync_kit.ledger.check(command.request).code == 818
        given = replace(command.request, give_back=(GiveBack(lease.lease_id, ZERO),))
        assert sync_kit.ledger.check(given).code == 800
        answer = sync_kit.ledger.redeem(replace(command, request=given))
        assert (answer.code, answer.balance) == (800, Points.of(200))

    # --- Settling and the heartbeat --------------------------------------------------------------------------------

    def test_what_was_spent_is_settled_once_from_the_lease(self, sync_kit: SyncKit) -> None:
        sync_kit.enrolled()
        lease = sync_kit.held()
        first = a_spend(lease, 50)
        second = a_spend(lease, 30, 2, first.hash)
        answer = sync_kit.sync.settle(1, [first, second])
        assert answer.next_seq == 3
        assert [each.outcome for each in answer.results] == [SettleOutcome.SETTLED] * 2
        assert [each.from_lease for each in answer.results] == [Points.of(50), Points.of(30)]
        again = sync_kit.sync.settle(1, [first, second])
        assert lasting(again) == lasting(answer)
        assert all(each.is_replayed for each in again.results)
        wallet = answer.results[1].wallet
        assert wallet is not None
        assert wallet.balance == Points.of(420)

    def test_a_gap_says_where_to_go_on(self, sync_kit: SyncKit) -> None:
        sync_kit.enrolled()
        lease = sync_kit.held()
        gap = refusal(lambda: sync_kit.sync.settle(1, [a_spend(lease, 50, 3)]))
        assert (gap.reason, gap.told["next_seq"]) == ("gap", 1)

    def test_a_row_with_a_wrong_signature_is_refused_and_stops_no_other(self, sync_kit: SyncKit) -> None:
        sync_kit.enrolled()
        lease = sync_kit.held()
        good = a_spend(lease, 50)
        bad = replace(a_spend(lease, 30, 2, good.hash), signature=good.signature)
        answer = sync_kit.sync.settle(1, [good, bad])
        assert [each.outcome for each in answer.results] == [SettleOutcome.SETTLED, SettleOutcome.REFUSED]
        assert answer.results[1].reason == "bad_signature"

    def test_a_heartbeat_is_answered_and_countersigned(self, sync_kit: SyncKit) -> None:
        sync_kit.enrolled()
        lease = sync_kit.held()
        beat = Heartbeat(
            till_epoch=1,
            version="1.0",
            wall_clock=lease.granted_at,
            outbox_count=0,
            oldest_s=0,
            audit_head="0" * 64,
            audit_count=3,
            leases={lease.lease_id: ZERO},
        )
        answer = sync_kit.sync.heartbeat(beat)
        assert (answer.till_state, answer.redemptions_enabled, answer.revoked) == ("ACTIVE", True, ())
        assert answer.countersigned is not None
        assert (answer.countersigned.head, answer.countersigned.count) == ("0" * 64, 3)
        seals = TillSeals(bytes(32))
        seals.learn(sync_kit.ledger.capabilities().ledger_keys)
        assert seals.is_countersigned(answer.countersigned)

    # --- The second person -----------------------------------------------------------------------------------------

    def approval(self, sync_kit: SyncKit, purpose: ApprovalPurpose) -> Approval:
        token = sync_kit.sync.sign_in(SignIn(operator_id=SUPERVISOR, pin=PIN)).token
        return Approval(token=token, purpose=purpose, reason=ApprovalReason.NO_PHONE)

    def test_skipping_the_code_needs_a_second_person(self, sync_kit: SyncKit) -> None:
        sync_kit.enrolled()
        alone = redeeming(CUSTOMER, 50, key_from((1).to_bytes(16)), skip_validation=True, cashier=CASHIER)
        refused = sync_kit.ledger.redeem(alone)
        assert refused.extension is not None
        assert (refused.code, refused.extension.reason) == (824, "approval_missing")
        approval = self.approval(sync_kit, ApprovalPurpose.SKIP_VALIDATION)
        assert sync_kit.ledger.redeem(replace(alone, approval=approval)).code == 800

    def test_points_are_given_back_once_under_a_key_by_a_second_person(self, sync_kit: SyncKit) -> None:
        sync_kit.enrolled()
        redeemed = sync_kit.ledger.redeem(redeeming(CUSTOMER, 100, key_from((1).to_bytes(16))))
        assert redeemed.redemption_id is not None
        alone = Reverse(redemption_id=redeemed.redemption_id, key=key_from((2).to_bytes(16)), cashier=CASHIER)
        refused = sync_kit.ledger.reverse(alone)
        assert refused.refusal is not None
        assert refused.refusal.value == "approval_missing"
        command = replace(alone, approval=self.approval(sync_kit, ApprovalPurpose.REVERSE), points=Points.of(60))
        first, again = sync_kit.ledger.reverse(command), sync_kit.ledger.reverse(command)
        assert (first.refusal, first.asked, first.available) == (None, Points.of(60), Points.of(60))
        assert again.reversal_id == first.reversal_id
        assert again.extension is not None
        assert (again.extension.replayed, again.extension.key) == (True, command.key)
        wallet = sync_kit.ledger.check(redeeming(CUSTOMER, 10).request).extension
        assert wallet is not None
        assert wallet.wallet is not None
        assert wallet.wallet.balance == Points.of(460)

    def test_a_reversal_of_what_nobody_redeemed_is_refused(self, sync_kit: SyncKit) -> None:
        answer = sync_kit.ledger.reverse(Reverse(redemption_id="nothing", key=key_from((2).to_bytes(16))))
        assert answer.refusal is not None
        assert answer.refusal.value == "redemption_unknown"
