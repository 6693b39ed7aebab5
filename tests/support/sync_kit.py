"""The calls of the extension as data: what a till asks, and the answer a toy service gives to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from support.builders import A_KEY, by_mobile
from support.gateway_kit import OURS

from pos_app.domain.answers import Capabilities, SignedIn, TillInfo
from pos_app.domain.commands import ChangePin, Enrol, SignIn
from pos_app.domain.feed import ChangesPage, CustomerRows, FeedItem, Heartbeat, HeartbeatAnswer, Scope, SnapshotPage
from pos_app.domain.leases import Allocation, Freed, GiveBack, Lease, LeaseRequest, LeaseResult, Owner, OwnerKind
from pos_app.domain.points import Points
from pos_app.domain.settling import SettleAnswer, Settled, SettleOutcome, Spend, SpendKind
from pos_app.services.sync_port import SyncLedger
from pos_app.wire.feed import write_changes, write_customer_rows, write_regulars, write_snapshot
from pos_app.wire.heartbeats import write_heartbeat_answer
from pos_app.wire.leases import write_freed, write_lease_results
from pos_app.wire.operators import write_nothing, write_signed_in
from pos_app.wire.settling import write_settle_answer
from pos_app.wire.sync import write_capabilities

LOGIN = "till.014.3"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PUBLIC_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
REQUEST_ID = "01J9ZQ4M7T8V2W3X5Y6A7B8C9D"
TOM = Owner(OwnerKind.CUSTOMER, 50001)
PROGRAM = 973

ENROLLED = Capabilities(
    service=OURS.service,
    version=OURS.version,
    epoch=1,
    server_time=NOW,
    has_extension=True,
    idempotent_redeem=True,
    features=frozenset({"post_reads", "cancel", "sync", "leases", "settle", "operators"}),
    till=TillInfo(login=LOGIN, store="014", till_epoch=1),
)
SIGNED_IN = SignedIn(operator_id=12, name="R. Mehta", role="supervisor", token="PT1.A.B", proved_at=NOW, not_after=NOW)
A_PAGE = SnapshotPage(
    epoch=1,
    schema=1,
    scope=Scope.STORE,
    as_of="C1",
    server_time=NOW,
    counts={"customers": 1},
    items=[FeedItem("customer", 50001, {"first_name": "Tom"})],
    next_page="P2",
)
A_DELTA = ChangesPage(
    epoch=1,
    schema=1,
    server_time=NOW,
    items=[FeedItem("customer", 50001, {"first_name": "Tom"}), FeedItem("customer", 50002, None)],
    next_cursor="C2",
    has_more=False,
)
ROWS = CustomerRows(epoch=1, server_time=NOW, items=[FeedItem("customer", 50001, {"first_name": "Tom"})])
REQUEST = LeaseRequest(request_id=REQUEST_ID, owner=TOM, program_id=PROGRAM, give_back=(GiveBack("L1", Points.of(50)),))
LEASE = Lease(
    lease_id="L2",
    till=LOGIN,
    till_epoch=1,
    owner=TOM,
    customer_ids=(50001,),
    program_id=PROGRAM,
    amount=Points.of(400),
    allocations=(Allocation(8801, 31, Points.of(400)),),
    granted_at=NOW,
    expires_at=NOW,
    term_s=28800,
    settle_until=NOW,
    signature="c2lnbmVk",
)
RESULT = LeaseResult(request_id=REQUEST_ID, lease=LEASE)
FREED = Freed("L1", Points.of(350), Points.of(50))
SPEND = Spend(
    seq=1,
    key=A_KEY,
    kind=SpendKind.LEASE,
    owner=TOM,
    customer_id=50001,
    program_id=PROGRAM,
    points=Points.of(50),
    at=NOW,
    redemption_id="T-1",
    lease_id="L1",
    hash="0" * 64,
    signature="c2lnbmVk",
)
SETTLED = SettleAnswer(
    epoch=1,
    server_time=NOW,
    next_seq=2,
    results=(Settled(seq=1, key=A_KEY, outcome=SettleOutcome.SETTLED, redemption_id="R1", from_lease=Points.of(50)),),
)
BEAT = Heartbeat(
    till_epoch=1,
    version="1.0",
    wall_clock=NOW,
    outbox_count=0,
    oldest_s=0,
    audit_head="0" * 64,
    audit_count=0,
    leases={"L1": Points.of(50)},
)
HEARD = HeartbeatAnswer(server_time=NOW, epoch=1, redemptions_enabled=True, till_state="ACTIVE", revoked=("L1",))


@dataclass(frozen=True)
class SyncCall:
    """One call: how it is asked, where it goes, the body of a good answer and what the till reads in it."""

    name: str
    path: str
    ask: Callable[[SyncLedger], object]
    body: bytes
    answer: Any
    acts: bool
    """A lost answer leaves it unclear whether something was done."""

    def __str__(self) -> str:
        return self.name


CALLS = (
    SyncCall(
        "enrol",
        "/sync/v1/enrol",
        lambda ledger: ledger.enrol(Enrol(public_key=PUBLIC_KEY, software="1.0", platform="linux")),
        write_capabilities(ENROLLED),
        ENROLLED,
        True,
    ),
    SyncCall(
        "sign_in",
        "/sync/v1/operators/sign-in",
        lambda ledger: ledger.sign_in(SignIn(operator_id=12, pin="4821")),
        write_signed_in(SIGNED_IN),
        SIGNED_IN,
        False,
    ),
    SyncCall(
        "change_pin",
        "/sync/v1/operators/pin",
        lambda ledger: ledger.change_pin(ChangePin(operator_id=12, pin="4821", new_pin="975310")),
        write_nothing(),
        None,
        True,
    ),
    SyncCall(
        "snapshot",
        "/sync/v1/snapshot",
        lambda ledger: ledger.snapshot(Scope.STORE),
        write_snapshot(A_PAGE),
        A_PAGE,
        False,
    ),
    SyncCall(
        "changes", "/sync/v1/changes", lambda ledger: ledger.changes("C1"), write_changes(A_DELTA), A_DELTA, False
    ),
    SyncCall(
        "customer_rows",
        "/sync/v1/customer",
        lambda ledger: ledger.customer_rows(by_mobile()),
        write_customer_rows(ROWS),
        ROWS,
        False,
    ),
    SyncCall(
        "regulars",
        "/sync/v1/regulars",
        lambda ledger: ledger.regulars(),
        write_regulars([(TOM, PROGRAM)]),
        [(TOM, PROGRAM)],
        False,
    ),
    SyncCall(
        "lease",
        "/sync/v1/leases",
        lambda ledger: ledger.lease(1, [REQUEST]),
        write_lease_results(NOW, [RESULT]),
        (RESULT,),
        True,
    ),
    SyncCall(
        "close_leases",
        "/sync/v1/leases/close",
        lambda ledger: ledger.close_leases(1, [GiveBack("L1", Points.of(50))]),
        write_freed([FREED]),
        (FREED,),
        True,
    ),
    SyncCall(
        "settle",
        "/sync/v1/settle",
        lambda ledger: ledger.settle(1, [SPEND]),
        write_settle_answer(SETTLED),
        SETTLED,
        True,
    ),
    SyncCall(
        "heartbeat",
        "/sync/v1/heartbeat",
        lambda ledger: ledger.heartbeat(BEAT),
        write_heartbeat_answer(HEARD),
        HEARD,
        False,
    ),
)
BY_NAME = {each.name: each for each in CALLS}
