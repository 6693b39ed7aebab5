"""What a till knows of a customer when nobody can be asked: the facts for the rules, taken from the cache.

Pure, but for the clock's reading that is handed in. The till is strict where it knows and silent where it does not:
points that have expired since they were seen do not count (contract section 10), codes and calls are never judged
here (reliability 4.6), and what was never fetched is said to be missing instead of being guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from pos_app.domain.facts import CustomerRecord, Facts, FamilyRecord, Organisation, Pooling, Program, Proof, Wallet
from pos_app.domain.points import ZERO, Points, total
from pos_app.domain.request import RedemptionRequest
from pos_app.services.results import CannotJudgeOfflineError


def today_of(organisation: Organisation, now: datetime) -> date:
    """The organisation's day at `now` (house decision 13); UTC's while its time zone is not known."""
    try:
        zone = ZoneInfo(organisation.time_zone)
    except (KeyError, ValueError, OSError):  # Not found, no name of a zone, a folder of zones: all seen in Python 3.11.
        return now.astimezone(UTC).date()
    return now.astimezone(zone).date()


def facts_from(
    record: CustomerRecord,
    request: RedemptionRequest,
    *,
    organisation: Organisation,
    programs: Sequence[Program],
    now: datetime,
    family: FamilyRecord | None = None,
) -> Facts:
    """Assemble what is known for `request` from a customer as last seen.

    `family` is the family group the request names, with the wallets that pay for it; None: this till cannot say.

    Raises:
        CannotJudgeOfflineError: what would pay, or its program, is not kept on this till.
    """
    if request.family_group is not None and family is None:
        raise CannotJudgeOfflineError("the points of this family group are not kept on this till")
    known = {each.program_id: each for each in (*record.programs, *programs)}
    default = next((each for each in known.values() if each.is_default), None)
    if default is None and len(known) == 1:
        default = next(iter(known.values()))
    program = default if request.program_id is None else known.get(request.program_id)
    if program is None:
        raise CannotJudgeOfflineError("the rules of this program were never seen on this till")
    if request.program_group and default is None:
        raise CannotJudgeOfflineError("the default program was never seen on this till")
    today = today_of(organisation, now)
    wallets = [_unexpired(each, today) for each in record.wallets]
    wallet: Wallet | None
    if family is not None and request.family_group is not None:
        ruling = (default or program) if request.program_group else program
        wallet = _of_family(family, ruling.program_id, today, organisation.family_group_pooling)
    elif request.program_group:
        wallet = _sum_of(wallets, (default or program).program_id)
    else:
        wallet = next((each for each in wallets if each.program_id == program.program_id), None)
    return Facts(
        organisation=organisation,
        today=today,
        customer=record.customer,
        program=program,
        default_program=default or program,
        wallet=wallet,
        family_group=None if family is None or request.family_group is None else family.group,
        proof=Proof.CANNOT_TELL,
    )


def _of_family(family: FamilyRecord, program_id: int, today: date, pooling: Pooling) -> Wallet | None:
    """What a family group spends in one program: its own wallet, or its members' together (contract 2.5).

    Where several pay together a paused one stays out: its owner wants it left alone. All paused: the answer says so.
    """
    paying = [_unexpired(each, today) for each in family.wallets if each.program_id == program_id]
    if not paying or pooling is Pooling.WALLET:
        return next(iter(paying), None)
    together = [each for each in paying if not each.is_paused] or paying
    return replace(_sum_of(together, program_id), is_paused=all(each.is_paused for each in together))


def _unexpired(wallet: Wallet, today: date) -> Wallet:
    """The wallet without the points that expired since it was seen: a lot counts to the end of its last day."""
    gone = total(lot.points for lot in wallet.lots if lot.expires_on is not None and lot.expires_on < today)
    if not gone:
        return wallet
    lots = tuple(lot for lot in wallet.lots if lot.expires_on is None or lot.expires_on >= today)
    return replace(
        wallet, balance=max(wallet.balance - gone, ZERO), available=max(wallet.available - gone, ZERO), lots=lots
    )


def _sum_of(wallets: Sequence[Wallet], program_id: int) -> Wallet:
    """All her wallets as one, for a redemption over the program group (contract 2.4)."""
    return Wallet(
        program_id=program_id,
        balance=total(each.balance for each in wallets),
        available=total(each.available for each in wallets),
        lifetime_points=total(each.lifetime_points for each in wallets),
        lifetime_purchases=sum((each.lifetime_purchases for each in wallets), Decimal(0)),
        promised_points=total(each.promised_points for each in wallets),
        is_paused=any(each.is_paused for each in wallets),
        redeemed_days=_days_of(wallets),
        lots=tuple(lot for each in wallets for lot in each.lots),
    )


def _days_of(wallets: Sequence[Wallet]) -> tuple[tuple[date, Points], ...] | None:
    """What was redeemed a day over all wallets; None as soon as it is not known of one."""
    days: dict[date, Points] = {}
    for wallet in wallets:
        if wallet.redeemed_days is None:
            return None
        for day, points in wallet.redeemed_days:
            days[day] = days.get(day, ZERO) + points
    return tuple(sorted(days.items()))
