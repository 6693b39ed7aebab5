"""Granting leases: a bounded part of a wallet's points is set aside for one till (reliability 4.3, sync-api 6).

One transaction a request: the wallets are locked, leases given back with the request are freed, then the size is
measured by what is free. The lots are taken in the order of spending, soonest to expire first; of two lots that expire
the same day neither outlives the other, so that order is also the one that prefers lots which outlive the lease.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import IntegrityError

from pos_app.domain.crash_points import reach
from pos_app.domain.facts import Program
from pos_app.domain.keys import ALPHABET
from pos_app.domain.leases import Allocation, Lease, LeaseRequest, LeaseResult, LeaseState, NoLease
from pos_app.domain.points import ZERO, total
from pos_app.ledger import schema
from pos_app.ledger.databases.database import LostRaceError, made_id
from pos_app.ledger.databases.locks import hold_wallets
from pos_app.ledger.facts import KeptWallet, redeemed_days
from pos_app.ledger.figures import Happening
from pos_app.ledger.leases.closing import give_back_in
from pos_app.ledger.leases.document import read_document, signed, write_document
from pos_app.ledger.leases.kept import find_request, raise_versions, reserve, wallets_of
from pos_app.ledger.leases.owners import Entitled, entitled_to, paying, wallets_of_owner
from pos_app.ledger.leases.sizing import Purse, size_of, usable_until
from pos_app.ledger.leases.standing import check_standing
from pos_app.ledger.lots import Draw, find_lots, plan
from pos_app.ledger.rulebook import to_ms
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools

_LEASE: Final = schema.lease
_ID_LENGTH: Final = 12
_OPEN: Final = select(_LEASE.c.id).where(
    _LEASE.c.till == bindparam("login"),
    _LEASE.c.till_epoch == bindparam("epoch"),
    _LEASE.c.owner_kind == bindparam("kind"),
    _LEASE.c.owner_id == bindparam("owner"),
    _LEASE.c.program_id == bindparam("program"),
    _LEASE.c.state == LeaseState.OPEN.value,
)


def lease(tools: Tools, till: Till, till_epoch: int, requests: Sequence[LeaseRequest]) -> list[LeaseResult]:
    """Answer requests for leases, in their order; the same request id gets the same lease (sync-api 6).

    Raises:
        TillStateError: the till is out of service.
        ForbiddenError: it is not enrolled, frozen, or enrolled anew since.
        LedgerBusyError: the database was not had in time; the same call may come again.
    """
    check_standing(till, till_epoch)
    results = []
    for request in requests:
        result = tools.store.writing(lambda connection, one=request: _once(tools, connection, till, one))  # type: ignore[misc]
        tools.store.figures.count(Happening.LEASE, "refused" if result.lease is None else "granted")
        results.append(result)
    reach("L1")
    return results


def _once(tools: Tools, connection: Connection, till: Till, request: LeaseRequest) -> LeaseResult:
    """The transaction of one request."""
    moment = tools.moment(connection, till)
    owned = {each.wallet_id for each in _wallets(connection, moment, request)}
    hold_wallets(connection, owned | wallets_of(connection, [each.lease_id for each in request.give_back]))
    kept = find_request(connection, till.login, request.request_id)  # Behind the locks: a copy may have come first.
    if kept is not None:
        return LeaseResult(request_id=request.request_id, lease=read_document(kept.document))
    give_back_in(connection, moment, till, request.give_back)
    program = moment.rules.programs.get(request.program_id)
    found = _may_have(connection, moment, till, request, program)
    if isinstance(found, NoLease) or program is None:
        return LeaseResult(request_id=request.request_id, reason=found if isinstance(found, NoLease) else None)
    granted = _grant(tools, connection, moment, till, request, program, found)
    if isinstance(granted, NoLease):
        return LeaseResult(request_id=request.request_id, reason=granted)
    return LeaseResult(request_id=request.request_id, lease=granted)


def _wallets(connection: Connection, moment: Moment, request: LeaseRequest) -> list[KeptWallet]:
    return wallets_of_owner(connection, moment.rules, request.owner, request.program_id, moment.now)


def _may_have(
    connection: Connection, moment: Moment, till: Till, request: LeaseRequest, program: Program | None
) -> Entitled | NoLease:
    """Who may spend under the lease, or why there is none whatever the wallet holds."""
    if not moment.rules.organisation.redemptions_enabled:
        return NoLease.REDEMPTIONS_OFF
    if program is None or not program.is_active or not program.offline_redemption:
        return NoLease.OFFLINE_OFF
    if not program.redemption_enabled:
        return NoLease.REDEMPTIONS_OFF
    found = entitled_to(connection, moment, request.owner, program)
    if isinstance(found, NoLease):
        return found
    open_already = connection.execute(
        _OPEN,
        {
            "login": till.login,
            "epoch": till.till_epoch,
            "kind": request.owner.kind.value,
            "owner": request.owner.owner_id,
            "program": request.program_id,
        },
    ).first()
    return found if open_already is None else NoLease.ALREADY_OPEN


def _grant(
    tools: Tools,
    connection: Connection,
    moment: Moment,
    till: Till,
    request: LeaseRequest,
    program: Program,
    entitled: Entitled,
) -> Lease | NoLease:
    """Measure the lease behind the locks, set its points aside and write it down."""
    wallets = _wallets(connection, moment, request)
    payers = paying(wallets, moment.rules, request.owner)
    if wallets and not payers:
        return NoLease.WALLET_PAUSED
    today = moment.rules.day_of(moment.now)
    ids = [each.wallet_id for each in payers]
    held = total(each.reserved for each in payers)
    purse = Purse(
        available=total(each.balance - each.reserved for each in payers),
        held=held,
        redeemed_days=redeemed_days(connection, ids, entitled.criteria, today),
        today=today,
    )
    settings = tools.lease_settings
    size = size_of(settings, program, entitled.criteria, purse, request.wanted)
    if not size:
        # Would there be enough if nobody held anything?
        whole = Purse(available=purse.available + held, held=ZERO, redeemed_days=purse.redeemed_days, today=today)
        is_held = held and size_of(settings, program, entitled.criteria, whole, request.wanted)
        return NoLease.HELD_ELSEWHERE if is_held else NoLease.NOTHING_AVAILABLE
    draws = plan(find_lots(connection, ids, today), size)
    made = _made(tools, moment, till, request, entitled, draws)
    _keep(connection, moment, till, request, made)
    raise_versions(connection, {draw.lot.wallet_id for draw in draws})
    return made


def _made(
    tools: Tools, moment: Moment, till: Till, request: LeaseRequest, entitled: Entitled, draws: Sequence[Draw]
) -> Lease:
    settings, rules = tools.lease_settings, moment.rules
    expires_at = moment.now + timedelta(seconds=settings.term_s)
    unsigned = Lease(
        lease_id="L" + "".join(secrets.choice(ALPHABET) for _ in range(_ID_LENGTH)),
        till=till.login,
        till_epoch=till.till_epoch,
        owner=request.owner,
        customer_ids=entitled.customer_ids,
        program_id=request.program_id,
        amount=total(draw.points for draw in draws),
        allocations=tuple(
            Allocation(
                wallet_id=draw.lot.wallet_id,
                lot_id=draw.lot.lot_id,
                points=draw.points,
                usable_until=usable_until(rules, draw.lot.expires_on),
            )
            for draw in draws
        ),
        granted_at=moment.now,
        expires_at=expires_at,
        term_s=settings.term_s,
        settle_until=settings.settle_until(expires_at),
        signature="",
    )
    return signed(unsigned, tools.signer)


def _keep(connection: Connection, moment: Moment, till: Till, request: LeaseRequest, made: Lease) -> None:
    """Write the lease, and set its points aside lot by lot.

    Raises:
        LostRaceError: another copy of the request was faster, or a lot no longer has what was planned.
    """
    row: dict[str, Any] = {
        "lease_id": made.lease_id,
        "org": till.organisation_id,
        "till": till.login,
        "till_epoch": till.till_epoch,
        "store": till.store,
        "request_id": request.request_id,
        "owner_kind": made.owner.kind.value,
        "owner_id": made.owner.owner_id,
        "program_id": made.program_id,
        "state": LeaseState.OPEN.value,
        "amount": made.amount.thousandths,
        "held": made.amount.thousandths,
        "granted_at": to_ms(moment.now),
        "expires_at": to_ms(made.expires_at),
        "settle_until": to_ms(made.settle_until),
        "document": write_document(made),
    }
    try:
        number = made_id(connection.execute(_LEASE.insert(), row))
    except IntegrityError as error:
        raise LostRaceError from error
    for each in made.allocations:
        reserve(connection, each.lot_id, each.points)
    connection.execute(
        schema.lease_alloc.insert(),
        [_alloc_row(number, place, each) for place, each in enumerate(made.allocations)],
    )


def _alloc_row(number: int, place: int, allocation: Allocation) -> dict[str, Any]:
    until: datetime | None = allocation.usable_until
    return {
        "lease": number,
        "lot_id": allocation.lot_id,
        "wallet_id": allocation.wallet_id,
        "place": place,
        "points": allocation.points.thousandths,
        "held": allocation.points.thousandths,
        "usable_until": None if until is None else to_ms(until),
    }
