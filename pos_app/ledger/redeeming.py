"""`redeem`: once under its key, and only what the rules allow (contract 4, reliability 4.2).

The order within the one transaction: the wallets are locked; the key; then the facts, the rules and the proof; then
the lots, the entries, the code used up, and the answer under the key. Either all of it is kept or nothing. The code
itself is looked at before, because its wrong tries must be counted even where the rest is rolled back; the key is
looked up before that too, so that a repeat whose code is long used up still gets its first answer.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, select

from pos_app.domain.answers import Effect, RedeemAnswer, Share
from pos_app.domain.commands import Redeem
from pos_app.domain.crash_points import reach
from pos_app.domain.facts import Pooling, Proof
from pos_app.domain.money import worth_of
from pos_app.domain.points import ZERO, Points
from pos_app.domain.refusals import Refusal
from pos_app.domain.rules import judge
from pos_app.domain.verdict import Purpose, Verdict
from pos_app.ledger import schema
from pos_app.ledger.answering import Asked, extension_of, identity_of, in_order, is_for_a_hold, wallet_view
from pos_app.ledger.calls import use_up as use_call_up
from pos_app.ledger.checking import judged, with_proof
from pos_app.ledger.code_rows import LETTERS_AND_DIGITS
from pos_app.ledger.codes import Proved, use_up
from pos_app.ledger.databases.database import made_id
from pos_app.ledger.databases.locks import hold_wallets
from pos_app.ledger.entries import Entry, EntryKind, append
from pos_app.ledger.errors import LedgerBusyError
from pos_app.ledger.facts import Known
from pos_app.ledger.glance import see
from pos_app.ledger.idempotency import (
    CANCELLED,
    HISTORY,
    NOT_REMEMBERED,
    REDEEMED,
    REFUSED,
    REVERSED,
    find_key,
    fingerprint,
    is_same,
    keep_key,
    read_outcome,
    write_outcome,
)
from pos_app.ledger.leases.closing import give_back_in
from pos_app.ledger.leases.holds import want_back, with_hold
from pos_app.ledger.leases.kept import wallets_of
from pos_app.ledger.lots import Draw, find_lots, plan, take
from pos_app.ledger.people import find_person
from pos_app.ledger.rulebook import from_day, to_ms
from pos_app.ledger.staff.approvals import NOBODY, SecondPerson, skip_approved
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools
from pos_app.wire.codes import Endpoint

_AHEAD_MAX: Final = timedelta(minutes=5)
_BACK_MAX: Final = timedelta(hours=72)
_ID_LENGTH: Final = 10
_USED_BEFORE: Final = Proved(is_right=False, reason="code_expired")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt at a redemption: who asked what, when, and what was known then."""

    till: Till
    command: Redeem
    moment: Moment
    known: Known
    proved: Proved | None = None
    second: SecondPerson = NOBODY

    def asked(self, verdict: Verdict, refusals: tuple[Refusal, ...]) -> Asked:
        """What its answer is made of."""
        return Asked(
            endpoint=Endpoint.REDEEM,
            till=self.till,
            epoch=self.moment.epoch,
            now=self.moment.now,
            known=self.known,
            verdict=verdict,
            refusals=refusals,
            proved=self.proved,
        )


def redeem(tools: Tools, till: Till, command: Redeem) -> RedeemAnswer:
    """Redeem points, once under the command's key. A command without a key is simply carried out."""
    with tools.store.read() as connection:
        attempt = _gathered(tools, connection, till, command)
        row = find_key(connection, till.organisation_id, command.key)
        if row is not None:
            return _repeat(tools, connection, attempt, row)
    if attempt.known.customer_id is not None:
        tools.visits.note(till, attempt.known.customer_id, attempt.known.facts.today)
    try:
        found = judged(tools, till, command.request, attempt.known, Purpose.REDEEM, command.cashier)
        payers = {each.wallet_id for each in attempt.known.wallets}
        return tools.store.writing(lambda connection: _once(tools, connection, till, command, found.proved, payers))
    except LedgerBusyError:
        busy = (Refusal.CUSTOMER_BUSY,)
        return _refused(attempt, judge(command.request, attempt.known.facts, Purpose.REDEEM), busy)


def _gathered(tools: Tools, connection: Connection, till: Till, command: Redeem) -> Attempt:
    moment, known = see(tools, connection, till, command.request)
    return Attempt(till=till, command=command, moment=moment, known=known)


def _held(tools: Tools, connection: Connection, till: Till, command: Redeem, payers: set[int]) -> Attempt:
    """Lock the wallets that will pay, `payers` as far as is known, and gather behind the lock what is judged.

    The wallets of leases that are given back are locked with them, all in one order.
    """
    given_back = command.request.give_back
    payers = payers | wallets_of(connection, [each.lease_id for each in given_back])
    hold_wallets(connection, payers)
    attempt = _gathered(tools, connection, till, command)
    late = {each.wallet_id for each in attempt.known.wallets} - payers
    if late:  # A wallet that came since: it was read before it was locked.
        hold_wallets(connection, late)
        attempt = _gathered(tools, connection, till, command)
    return attempt


def _once(
    tools: Tools, connection: Connection, till: Till, command: Redeem, proved: Proved | None, payers: set[int]
) -> RedeemAnswer:
    """The transaction itself."""
    attempt = replace(_held(tools, connection, till, command, payers), proved=proved)
    row = find_key(connection, till.organisation_id, command.key)
    if row is not None:
        return _repeat(tools, connection, attempt, row)
    if command.request.give_back:
        # Whatever becomes of the redemption: the till has promised never to spend under them again (sync-api 6).
        give_back_in(connection, attempt.moment, till, command.request.give_back)
        attempt = replace(_gathered(tools, connection, till, command), proved=proved)
    known = with_proof(attempt.known, command.request, proved)
    attempt = replace(attempt, known=with_hold(connection, known, till))
    verdict = judge(command.request, attempt.known.facts, Purpose.REDEEM)
    attempt = replace(attempt, second=skip_approved(tools, connection, attempt.moment, till, command))
    refusals = in_order((*verdict.refusals, *_only_here(connection, attempt)))
    if not refusals and not _is_proof_used_up(connection, attempt):
        # Somebody used the same code for another redemption since it was looked at.
        attempt, refusals = replace(attempt, proved=_USED_BEFORE), (Refusal.CODE_WRONG,)
    if refusals:
        answer = _refused(attempt, verdict, refusals)
        if is_for_a_hold(attempt.asked(verdict, refusals)):
            want_back(connection, attempt.moment, till, [each.wallet_id for each in attempt.known.wallets])
        if refusals[0] not in NOT_REMEMBERED:
            _remember(tools, connection, attempt, REFUSED, answer, None)
        return answer
    return _charge(tools, connection, attempt, verdict)


def _is_proof_used_up(connection: Connection, attempt: Attempt) -> bool:
    """Use up the code that was given, or the call that was seen; False: it was a code, and it no longer can be."""
    known, now = attempt.known, attempt.moment.now
    if attempt.proved is not None and attempt.proved.otp_id is not None:
        return use_up(connection, attempt.proved.otp_id, now)
    if known.facts.proof is Proof.CALL_SEEN and known.call_id is not None:
        use_call_up(connection, known.call_id, attempt.command.key, now)
    return True


def _only_here(connection: Connection, attempt: Attempt) -> list[Refusal]:
    """The refusals of a redemption that only the ledger can know: 859, 904, no second person (contract section 4)."""
    refusals = [] if attempt.second.refusal is None else [Refusal.PROOF_MISSING]
    said, now = attempt.command.redemption_time, attempt.moment.now
    if said is not None:
        moment = _with_zone(said, attempt)
        if moment > now + _AHEAD_MAX or moment < now - _BACK_MAX:
            refusals.append(Refusal.TIME_NOT_ACCEPTED)
    organisation = attempt.moment.rules.organisation
    for ref in attempt.command.also_named:
        other, _ = find_person(connection, organisation.organisation_id, ref, organisation.country_code)
        if other is not None and other.customer.customer_id != attempt.known.customer_id:
            refusals.append(Refusal.CUSTOMER_MISMATCH)
    return refusals


def _with_zone(said: datetime, attempt: Attempt) -> datetime:
    """v1.1 writes moments in the organisation's time zone (1.1)."""
    return said.replace(tzinfo=attempt.moment.rules.zone) if said.tzinfo is None else said


# --- Taking the points ---------------------------------------------------------------------------------------------


def _charge(tools: Tools, connection: Connection, attempt: Attempt, verdict: Verdict) -> RedeemAnswer:
    """Take the points, soonest to expire first, and write down everything about it."""
    known, command = attempt.known, attempt.command
    lots = find_lots(connection, [each.wallet_id for each in known.wallets], known.facts.today)
    draws = plan(lots, verdict.points)
    take(connection, draws)
    redemption_id = "".join(secrets.choice(LETTERS_AND_DIGITS) for _ in range(_ID_LENGTH))
    number = _keep_redemption(connection, attempt, verdict.points, redemption_id, draws)
    versions = append(
        connection,
        [
            Entry(
                at=to_ms(attempt.moment.now),
                kind=EntryKind.REDEEM,
                wallet_id=draw.lot.wallet_id,
                lot_id=draw.lot.lot_id,
                delta=-draw.points.thousandths,
                redemption_id=redemption_id,
                key=command.key,
                cashier=command.cashier,
                till=attempt.till.login,
                supervisor=attempt.second.supervisor,
            )
            for draw in draws
        ],
    )
    attempt = replace(attempt, known=_with_versions(known, versions))
    answer = _redeemed(attempt, verdict, redemption_id, number, draws)
    _remember(tools, connection, attempt, REDEEMED, answer, number)
    return answer


def _keep_redemption(
    connection: Connection, attempt: Attempt, points: Points, redemption_id: str, draws: Sequence[Draw]
) -> int:
    command, known = attempt.command, attempt.known
    said = command.redemption_time
    kept = connection.execute(
        schema.redemption.insert(),
        {
            "org": attempt.till.organisation_id,
            "redemption_id": redemption_id,
            "customer_id": known.customer_id,
            "program_id": known.program_id,
            "family_group_id": known.family_group_id,
            "points": points.thousandths,
            "at": to_ms(attempt.moment.now),
            "key": command.key,
            "bill_number": command.bill_number,
            "till": attempt.till.login,
            "cashier": command.cashier,
            "otp_id": None if attempt.proved is None else attempt.proved.otp_id,
            "said_at": None if said is None else to_ms(_with_zone(said, attempt)),
            "till_said": command.till_id,
            "notes": command.notes,
            "proof": _proof_word(attempt),
            "supervisor": attempt.second.supervisor,
            "approval": attempt.second.record,
        },
    )
    number = made_id(kept)
    connection.execute(
        schema.share.insert(),
        [
            {
                "redemption": number,
                "wallet_id": draw.lot.wallet_id,
                "lot_id": draw.lot.lot_id,
                "day": known.facts.today.isoformat(),
                "points": draw.points.thousandths,
                "expires_on": draw.lot.expires_on,
            }
            for draw in draws
        ],
    )
    return number


def _proof_word(attempt: Attempt) -> str:
    """How the customer confirmed, as the redemption's row says it; a wish to skip beats all else (2.6)."""
    if attempt.command.request.skip_validation:
        return "skip"
    return {Proof.CODE_RIGHT: "code", Proof.CALL_SEEN: "call"}.get(attempt.known.facts.proof, "none")


def _with_versions(known: Known, versions: dict[int, int]) -> Known:
    wallets = tuple(replace(each, version=versions.get(each.wallet_id, each.version)) for each in known.wallets)
    return replace(known, wallets=wallets)


# --- Answers -------------------------------------------------------------------------------------------------------


def _redeemed(
    attempt: Attempt, verdict: Verdict, redemption_id: str, number: int, draws: Sequence[Draw]
) -> RedeemAnswer:
    asked, known, command = attempt.asked(verdict, ()), attempt.known, attempt.command
    wallet = wallet_view(known.wallets, less=verdict.points, hold=known.hold)
    pools = known.rules.organisation.family_group_pooling is Pooling.MEMBERS
    return RedeemAnswer(
        identity=identity_of(known, command.request.customer),
        customer_id=known.customer_id,
        redemption_id=redemption_id,
        points=verdict.points,
        worth=asked.worth,
        local_worth=asked.local_worth,
        balance=ZERO if wallet is None else wallet.balance,
        refusal=None,
        code=asked.code,
        message=asked.message,
        effects=(
            Effect(effect_id=number, points=verdict.points, worth=asked.worth, bill_number=command.bill_number or ""),
        ),
        is_group_redemption=command.request.family_group is not None and pools,
        extension=extension_of(
            asked,
            key=command.key,
            wallet=wallet,
            breakdown=tuple(
                Share(
                    wallet_id=draw.lot.wallet_id,
                    lot_id=draw.lot.lot_id,
                    points=draw.points,
                    expires_on=from_day(draw.lot.expires_on),
                )
                for draw in draws
            ),
        ),
    )


def _refused(attempt: Attempt, verdict: Verdict, refusals: tuple[Refusal, ...]) -> RedeemAnswer:
    asked, known = attempt.asked(verdict, refusals), attempt.known
    wallet = known.facts.wallet
    reason = attempt.second.refusal if asked.refusal is Refusal.PROOF_MISSING else None
    return RedeemAnswer(
        identity=identity_of(known, attempt.command.request.customer),
        customer_id=None,
        redemption_id=None,
        points=verdict.points,
        worth=asked.worth,
        local_worth=asked.local_worth,
        balance=ZERO if wallet is None else wallet.balance,
        refusal=asked.refusal,
        code=asked.code,
        message=asked.message,
        extension=extension_of(asked, key=attempt.command.key, reason=reason),
    )


def _remember(
    tools: Tools, connection: Connection, attempt: Attempt, state: str, answer: RedeemAnswer, number: int | None
) -> None:
    """Keep the answer under the key, in the transaction that made it true."""
    command, known = attempt.command, attempt.known
    if not command.key:
        return
    keep_key(
        connection,
        {
            "org": attempt.till.organisation_id,
            "key": command.key,
            "state": state,
            "fingerprint": fingerprint(command, known, tools.pepper, is_customer_known=known.customer_id is not None),
            "customer_id": known.customer_id,
            "till": attempt.till.login,
            "outcome": write_outcome(answer),
            "redemption": number,
            "created_at": to_ms(attempt.moment.now),
        },
    )
    reach("C3")


def _repeat(tools: Tools, connection: Connection, attempt: Attempt, row: Any) -> RedeemAnswer:
    """The answer to a key that is known: the first one again, or why it cannot be (903)."""
    if row.state in (CANCELLED, REVERSED):
        return _about_key(attempt, Refusal.KEY_CANCELLED)
    if not is_same(row, attempt.command, attempt.known, tools.pepper):
        return _about_key(attempt, Refusal.KEY_MISMATCH)
    if row.state == HISTORY:
        return _from_history(connection, attempt, row)
    answer = read_outcome(row.outcome, identity_of(attempt.known, attempt.command.request.customer))
    if answer.extension is None:
        return answer
    moment = attempt.moment
    return replace(answer, extension=replace(answer.extension, epoch=moment.epoch, server_time=moment.now))


def _about_key(attempt: Attempt, refusal: Refusal) -> RedeemAnswer:
    verdict = judge(attempt.command.request, attempt.known.facts, Purpose.REDEEM)
    answer = _refused(attempt, replace(verdict, nearest=()), (refusal,))
    return replace(answer, extension=None if answer.extension is None else replace(answer.extension, wallet=None))


def _from_history(connection: Connection, attempt: Attempt, row: Any) -> RedeemAnswer:
    """An imported redemption, answered as redeemed; its worth is that of today's ratio, its balance today's."""
    known = attempt.known
    kept = connection.execute(select(schema.redemption).where(schema.redemption.c.id == row.redemption)).one()
    points, program = Points(kept.points), known.facts.program
    ratio = None if program is None else program.ratio
    worth = None if ratio is None else worth_of(points, ratio, known.rules.organisation.currency)
    verdict = Verdict(points=points, worth=worth, ratio=ratio)
    answer = _redeemed(attempt, verdict, kept.redemption_id, kept.id, ())
    wallet = wallet_view(known.wallets)
    extension = answer.extension
    return replace(
        answer,
        balance=ZERO if wallet is None else wallet.balance,
        extension=None if extension is None else replace(extension, replayed=True, wallet=wallet),
    )
