"""Settling: what tills redeemed without a line is charged, and never refused once the goods are gone (sync-api 7).

Each row is a transaction of its own, so one bad row never stops the others. Within it: the till's chain is locked; the
very same row gets its first answer; its signature, its place in the chain and its key are judged; then the wallets are
locked and it is charged (`charging`). Only what cannot be taken at all is refused: a row that cannot be read or is not
signed by this till, a key that means something else, a customer nobody knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from pos_app.domain.leases import OwnerKind
from pos_app.domain.settling import SettleAnswer, Settled, SettleOutcome, SettleReason, Spend, SpendKind
from pos_app.ledger import schema
from pos_app.ledger.care import audit
from pos_app.ledger.databases.locks import hold_wallets
from pos_app.ledger.errors import ConflictError, ForbiddenError
from pos_app.ledger.figures import Happening
from pos_app.ledger.idempotency import HISTORY, REDEEMED, REVERSED, find_key, keep_key
from pos_app.ledger.leases.chain import Chain, Place, find_chain, first_answer, hold_chain, keep_answer, place_of
from pos_app.ledger.leases.charging import Row, charge, effective_time, late
from pos_app.ledger.leases.closing import own_lease
from pos_app.ledger.leases.forks import freeze
from pos_app.ledger.leases.holds import view_of
from pos_app.ledger.leases.kept import wallets_of
from pos_app.ledger.leases.outcomes import key_row
from pos_app.ledger.leases.owners import wallets_of_owner
from pos_app.ledger.leases.proofs import confirmed, in_epoch
from pos_app.ledger.people import get_family_group, get_person
from pos_app.ledger.staff.signing import is_signed
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools
from pos_app.wire.settling import ReceivedSpend, signed_bytes

_REDEMPTION: Final = schema.redemption
_LOSS: Final = schema.loss
_OF_KEY: Final = select(_REDEMPTION).where(_REDEMPTION.c.id == bindparam("number"))
_LOST: Final = select(_LOSS.c.points).where(_LOSS.c.org == bindparam("org"), _LOSS.c.key == bindparam("key"))
_LEASE_SHARE: Final = select(schema.entry.c.delta, schema.entry.c.lease_id).where(
    schema.entry.c.key == bindparam("key"), schema.entry.c.kind == "REDEEM"
)


class _ForkError(Exception):
    """The till must be frozen before this row is settled."""


def settle(tools: Tools, till: Till, till_epoch: int, spends: Sequence[Spend | ReceivedSpend]) -> SettleAnswer:
    """Settle rows of one enrolment of a till, in the order of their numbers. Taken from tills in any state.

    Raises:
        ForbiddenError: `not_enrolled`, or `stale_till_epoch`: this ledger knows no such enrolment of the till.
        ConflictError: `gap`: the first row is beyond the number that is expected (`next_seq`).
        LedgerBusyError: the database was not had in time; what was settled is kept, and the same call may come again.
    """
    rows = [each if isinstance(each, ReceivedSpend) else ReceivedSpend.of(each) for each in spends]
    results: list[Settled] = []
    for row in rows:
        result = _settle_one(tools, till, till_epoch, row)
        if isinstance(result, int):
            if not results:
                raise ConflictError("gap", {"next_seq": result}, "spends[0].seq")
            break  # What came before it is settled; the till sees by `next_seq` from where to send again.
        results.append(result)
        _count(tools, result)
    with tools.store.read() as connection:
        chain = find_chain(connection, till.login, till_epoch)
        moment = tools.now_by(tools.rulebook.at(connection), till)
    next_seq = 1 if chain is None else chain.next_seq
    return SettleAnswer(epoch=moment.epoch, server_time=moment.now, next_seq=next_seq, results=tuple(results))


def _settle_one(tools: Tools, till: Till, till_epoch: int, row: ReceivedSpend) -> Settled | int:
    """The result of one row; a number is the one that is expected instead."""
    try:
        return tools.store.writing(lambda connection: _once(tools, connection, till, till_epoch, row, is_fork=False))
    except _ForkError:
        freeze(tools, till, till_epoch, row.seq)
    return tools.store.writing(lambda connection: _once(tools, connection, till, till_epoch, row, is_fork=True))


def _once(
    tools: Tools, connection: Connection, till: Till, till_epoch: int, row: ReceivedSpend, *, is_fork: bool
) -> Settled | int:
    """The transaction of one row."""
    rules = tools.rulebook.at(connection)
    now_till = rules.tills[till.login]  # Its state may have changed since it was let in; it may settle all the same.
    moment = tools.now_by(rules, now_till)
    chain = hold_chain(connection, till.login, till_epoch)
    if chain is None:
        raise ForbiddenError("stale_till_epoch" if now_till.till_epoch else "not_enrolled")
    kept = first_answer(connection, chain, row)
    if kept is not None:
        return kept
    place = place_of(connection, chain, row)
    if place is Place.GAP:
        return chain.next_seq
    reason = _unreadable(chain, row)
    if reason is None and place is Place.FORK and not is_fork:
        raise _ForkError
    is_late = is_fork or now_till.is_blocked or now_till.state == "FROZEN" or till_epoch < now_till.till_epoch
    settled = (
        _refused(row, reason)
        if reason is not None or row.spend is None
        else _taken(tools, connection, moment, now_till, chain, row.spend, is_late)
    )
    keep_answer(connection, chain, row, place, settled, moment.now)
    return settled


def _unreadable(chain: Chain, row: ReceivedSpend) -> SettleReason | None:
    """Why a row cannot be believed at all."""
    spend = row.spend
    if spend is None or row.made_hash != spend.hash:
        return SettleReason.BAD_ROW
    if not is_signed(chain.public_key, spend.signature, signed_bytes(spend.hash)):
        return SettleReason.BAD_SIGNATURE
    if spend.owner.kind is OwnerKind.CUSTOMER and spend.owner.owner_id != spend.customer_id:
        return SettleReason.BAD_ROW
    return None


def _refused(row: ReceivedSpend, reason: SettleReason | None) -> Settled:
    return Settled(
        seq=row.seq,
        key=row.key,
        outcome=SettleOutcome.REFUSED,
        reason=(reason or SettleReason.BAD_ROW).value,
    )


def _taken(
    tools: Tools, connection: Connection, moment: Moment, till: Till, chain: Chain, spend: Spend, is_late: bool
) -> Settled:
    """A row that is this till's own: repeated under its key, refused for good, or charged."""
    org = till.organisation_id
    received = ReceivedSpend(seq=spend.seq, key=spend.key, spend=spend, made_hash=spend.hash)
    owned = [
        each.wallet_id for each in wallets_of_owner(connection, moment.rules, spend.owner, spend.program_id, moment.now)
    ]
    of_lease = wallets_of(connection, [] if spend.lease_id is None else [spend.lease_id])
    hold_wallets(connection, of_lease.union(owned))
    known_key = find_key(connection, org, spend.key)
    if known_key is not None:
        return _repeated(connection, moment, till, spend, known_key, owned)
    if spend.kind is SpendKind.ONLINE and (spend.confirmed_epoch is None or spend.confirmed_epoch >= moment.epoch):
        return _refused(received, SettleReason.BAD_ROW)  # This ledger confirmed it, or so the row says: but it did not.
    person = get_person(connection, org, spend.customer_id)
    is_known = spend.owner.kind is OwnerKind.CUSTOMER or (
        get_family_group(connection, org, spend.owner.owner_id, None) is not None
    )
    if person is None or not is_known:
        return _refused(received, SettleReason.UNKNOWN_CUSTOMER)
    lease = _lease_of(connection, till, spend)
    effective_at = effective_time(spend, lease, moment.now)
    signer = in_epoch(till, chain.till_epoch)
    row = late(
        Row(
            till=till,
            spend=spend,
            moment=moment,
            person=person,
            wallet_ids=owned,
            lease=lease,
            effective_at=effective_at,
            confirmed=confirmed(tools, connection, moment, signer, spend, lease, effective_at),
            is_late=is_late,
        )
    )
    settled, number = charge(tools, connection, row)
    keep_key(connection, key_row(row, settled, number))
    _report(connection, row, settled)
    return settled


def _lease_of(connection: Connection, till: Till, spend: Spend) -> Any | None:
    """The row's own lease: of this till, of this owner, in this program; None pays nothing."""
    if spend.kind is not SpendKind.LEASE or spend.lease_id is None:
        return None
    lease = own_lease(connection, till, spend.lease_id)
    if lease is None:
        return None
    is_its = (lease.owner_kind, lease.owner_id, lease.program_id) == (
        spend.owner.kind.value,
        spend.owner.owner_id,
        spend.program_id,
    )
    return lease if is_its else None


def _repeated(
    connection: Connection, moment: Moment, till: Till, spend: Spend, row: Any, owned: Sequence[int]
) -> Settled:
    """A key that is known: what it did is told again, unless it meant something else (sync-api 7)."""
    received = ReceivedSpend(seq=spend.seq, key=spend.key, spend=spend, made_hash=spend.hash)
    if row.state not in (REDEEMED, REVERSED, HISTORY) or row.redemption is None:
        return _refused(received, SettleReason.KEY_MISMATCH)
    kept = connection.execute(_OF_KEY, {"number": row.redemption}).one()
    is_same = (kept.customer_id, kept.points) == (spend.customer_id, spend.points.thousandths)
    is_same = is_same and kept.program_id == spend.program_id
    if not is_same:
        return _refused(received, SettleReason.KEY_MISMATCH)
    lost = sum(connection.execute(_LOST, {"org": till.organisation_id, "key": spend.key}).scalars())
    under_lease = -sum(
        delta for delta, lease_id in connection.execute(_LEASE_SHARE, {"key": spend.key}) if lease_id is not None
    )
    return Settled(
        seq=spend.seq,
        key=spend.key,
        outcome=SettleOutcome.SETTLED_SHORT if lost else SettleOutcome.SETTLED,
        redemption_id=kept.redemption_id,
        from_lease=replace(spend.points, thousandths=under_lease),
        from_free=replace(spend.points, thousandths=kept.points - lost - under_lease),
        store_loss=replace(spend.points, thousandths=lost),
        is_replayed=True,
        wallet=view_of(connection, moment, till, owned),
    )


def _report(connection: Connection, row: Row, settled: Settled) -> None:
    """Write into the audit what the manager must hear: late rows, proofs that do not hold, losses."""
    said: dict[str, object] = {}
    if settled.is_late:
        said["late"] = True
    if row.confirmed.fault is not None:
        said["not_verified"] = row.confirmed.fault
    if settled.store_loss:
        said["store_loss"] = str(settled.store_loss)
    if said:
        detail = {"seq": settled.seq, "key": settled.key, "redemption_id": settled.redemption_id, **said}
        audit.record(
            connection,
            at=row.moment.now,
            org=row.till.organisation_id,
            act="settle.report",
            who=f"till {row.till.login}",
            target=row.till.login,
            detail=detail,
        )


def _count(tools: Tools, settled: Settled) -> None:
    figures = tools.store.figures
    figures.count(Happening.SETTLED, "replayed" if settled.is_replayed else settled.outcome.value)
    if settled.is_late and not settled.is_replayed:
        figures.count(Happening.SETTLED, "late")
