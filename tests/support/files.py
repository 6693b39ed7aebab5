"""What tests of files share: a database key, a disk that is full, damage, and strategies of values that are kept."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from hypothesis import strategies as st

from pos_app.domain.facts import (
    Ceiling,
    Criteria,
    Customer,
    CustomerRecord,
    FamilyGroup,
    Lot,
    Member,
    Organisation,
    Program,
    Wallet,
)
from pos_app.domain.points import Points
from pos_app.domain.redemption import Kind, Redemption
from pos_app.domain.request import CustomerRef, FamilyGroupRef

DATABASE_KEY = "0f" * 32
ANOTHER_KEY = "f0" * 32


@contextmanager
def full_disk(room_bytes: int) -> Iterator[None]:
    """No file of this process can grow beyond so many bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def damage(file: Path, at: int) -> None:
    """Turn over sixteen bytes of a file, in place."""
    with file.open("r+b") as content:
        content.seek(at)
        former = content.read(16)
        content.seek(at)
        content.write(bytes(each ^ 0xFF for each in former))


def bytes_in(folder: Path) -> bytes:
    """Everything that lies in a folder, one file after the other."""
    return b"\n".join(each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file())


INDIA = timezone(timedelta(hours=5, minutes=30))
"""A fixed offset: Python holds an hour that a zone skips unequal to itself in UTC."""

ids = st.integers(min_value=0, max_value=2**63 - 1)
maybe_ids = st.none() | ids
counts = st.integers(min_value=0, max_value=10**6)
points = st.builds(Points, st.integers(min_value=-(10**15), max_value=10**15))
maybe_points = st.none() | points
money = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9)
maybe_money = st.none() | money
days = st.dates()
moments = st.builds(
    lambda since, zone: (datetime(1970, 1, 2, tzinfo=UTC) + since).astimezone(zone),
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=8000 * 365)),
    st.sampled_from([UTC, INDIA]),
)
texts = st.text(max_size=20)

family_group_refs = st.builds(FamilyGroupRef, group_id=maybe_ids, primary_user_id=maybe_ids)
redemptions = st.builds(
    Redemption,
    key=st.text(min_size=1, max_size=30),
    customer=st.builds(CustomerRef),
    customer_id=maybe_ids,
    customer_label=texts,
    program_id=maybe_ids,
    points=st.builds(Points, st.integers(min_value=1, max_value=10**15)),
    worth=money,
    created_at=moments,
    family_group=st.none() | family_group_refs,
    cashier=maybe_ids,
    changed_at=st.none() | moments,
    attempts=counts,
    next_try_at=st.none() | moments,
    balance_after=maybe_points,
    code=maybe_ids,
    kind=st.sampled_from(Kind),
    lease_id=st.none() | texts,
    seq=maybe_ids,
    from_lease=maybe_points,
    from_free=maybe_points,
    store_loss=maybe_points,
    printed_at=st.none() | moments,
    reverses=st.none() | texts,
    confirmed_epoch=maybe_ids,
    closed_by=st.none() | texts,
)

lots = st.builds(Lot, points=points, lot_id=maybe_ids, program_id=maybe_ids)
wallets = st.builds(
    Wallet,
    program_id=ids,
    balance=points,
    available=points,
    lifetime_points=points,
    lifetime_purchases=money,
    promised_points=points,
    redeemed_days=st.none() | st.lists(st.tuples(days, points), max_size=3).map(tuple),
    lots=st.lists(lots, max_size=3).map(tuple),
    wallet_id=maybe_ids,
)
customers = st.builds(
    Customer,
    customer_id=ids,
    mobile=texts,
    email=texts,
    external_id=texts,
    cards=st.lists(texts, max_size=3).map(tuple),
    default_family_group_id=maybe_ids,
)
family_groups = st.builds(
    FamilyGroup, group_id=ids, members=st.lists(st.builds(Member, customer_id=ids), max_size=3).map(tuple)
)
criteria = st.builds(
    Criteria,
    minimum=maybe_points,
    maximum=maybe_points,
    multiple_of=maybe_points,
    balance_required=maybe_points,
    lifetime_points_required=maybe_points,
    lifetime_purchases_required=maybe_money,
    ceilings=st.lists(st.builds(Ceiling, points=points, days=counts), max_size=3).map(tuple),
)
programs = st.builds(
    Program,
    program_id=ids,
    ratio=maybe_money,
    decimals=st.integers(0, 3),
    criteria=criteria,
    tier_criteria=st.dictionaries(texts, criteria, max_size=2),
)
records = st.builds(
    CustomerRecord,
    customer=customers,
    wallets=st.lists(wallets, max_size=3).map(tuple),
    family_groups=st.lists(family_groups, max_size=2, unique_by=lambda each: each.group_id).map(tuple),
    programs=st.lists(programs, max_size=2, unique_by=lambda each: each.program_id).map(tuple),
    as_of=st.none() | moments,
)
organisations = st.builds(Organisation, organisation_id=ids, otp_length=counts, otp_validity_s=counts)
