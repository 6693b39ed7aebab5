"""What a till holds: leases, spends under them, a seal without a signature. A test names only what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from support.builders import CUSTOMER_ID, MOBILE, NOW, PROGRAM_ID, AnyPoints, a_redemption, points

from pos_app.domain.held import AskedLease, KeptOperator
from pos_app.domain.keys import key_from
from pos_app.domain.leases import Allocation, Lease, Owner, OwnerKind
from pos_app.domain.redemption import Kind, Redemption, State
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.domain.settling import Spend, SpendKind
from pos_app.services.offline_port import Seal
from pos_app.wire.settling import hash_of

OWNER = Owner(OwnerKind.CUSTOMER, CUSTOMER_ID)


def a_key(number: int) -> str:
    """The key of this number."""
    return key_from(number.to_bytes(16))


def a_lease(lease_id: str = "L1", amount: AnyPoints = 400, **changes: Any) -> Lease:
    """A lease of Ada's, of eight hours, from one lot."""
    plain = Lease(
        lease_id=lease_id,
        till="till.014.3",
        till_epoch=1,
        owner=OWNER,
        customer_ids=(CUSTOMER_ID,),
        program_id=PROGRAM_ID,
        amount=points(amount),
        allocations=(Allocation(wallet_id=8801, lot_id=31, points=points(amount)),),
        granted_at=NOW,
        expires_at=NOW + timedelta(hours=8),
        term_s=28800,
        settle_until=NOW + timedelta(hours=80),
        signature="c2lnbmVk",
    )
    return replace(plain, **changes)


def an_asked(number: int = 1, **changes: Any) -> AskedLease:
    """A request for a lease of Ada's."""
    plain = AskedLease(
        request_id=a_key(9_000_000 + number),
        owner=OWNER,
        program_id=PROGRAM_ID,
        customer_id=CUSTOMER_ID,
        customer_label="Ada F., +91 ••••• •5678",
        identifiers=(CustomerRef(IdentifierKind.MOBILE, MOBILE), CustomerRef(IdentifierKind.EMAIL, "ada@example.org")),
        asked_wall=NOW,
        asked_mono=1000.25,
        boot="b1",
    )
    return replace(plain, **changes)


def a_local(count: AnyPoints = 50, *, number: int = 1, lease_id: str | None = "L1", **changes: Any) -> Redemption:
    """A redemption made here: under a lease, or without one at the shop's risk."""
    kind = Kind.RISK if lease_id is None else Kind.LEASE
    plain = a_redemption(count, key=a_key(number), state=State.LOCAL_DONE, kind=kind, lease_id=lease_id, changed_at=NOW)
    return replace(plain, **changes)


def sealing(redemption: Redemption) -> Seal:
    """Seals the row of a redemption: a true hash, and a signature that is none."""

    def seal(seq: int, prev_hash: str) -> Spend:
        spend = Spend(
            seq=seq,
            key=redemption.key,
            kind=SpendKind(redemption.kind),
            owner=OWNER,
            customer_id=redemption.customer_id or CUSTOMER_ID,
            program_id=redemption.program_id or PROGRAM_ID,
            points=redemption.points,
            at=NOW,
            redemption_id=redemption.redemption_id or f"T-{redemption.key}",
            lease_id=redemption.lease_id,
            confirmed_epoch=redemption.confirmed_epoch,
            prev_hash=prev_hash,
            signature="c2lnbmVk",
        )
        return replace(spend, hash=hash_of(spend))

    return seal


def an_operator(operator_id: int = 12, **changes: Any) -> KeptOperator:
    """A supervisor who proved her PIN."""
    plain = KeptOperator(
        operator_id=operator_id,
        name="R. Mehta",
        role="supervisor",
        pin_hash="$argon2id$made-up",
        token="PT1.A.B",
        proved_at=NOW,
        not_after=NOW + timedelta(hours=12),
    )
    return replace(plain, **changes)
