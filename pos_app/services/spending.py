"""Redeems without a line: under a lease, or at the shop's risk where the organisation allows it (reliability 4.3).

One commit is the redemption: the row, its place in the chain that will be settled, and what the lease has spent. The
rules are the ledger's own (`domain.rules.judge`), over what this till knows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from pos_app.domain.commands import Approval, ApprovalPurpose
from pos_app.domain.crash_points import committing, reach
from pos_app.domain.facts import Proof
from pos_app.domain.keys import KEY_BYTES, key_from
from pos_app.domain.passes import NotAPassError
from pos_app.domain.points import ZERO
from pos_app.domain.redemption import Kind, Redemption, State
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import AskedPoints, CustomerRef, IdentifierKind, RedemptionRequest, ValidationType
from pos_app.domain.rules import judge
from pos_app.domain.settling import OfflineProof, Spend, SpendKind
from pos_app.domain.verdict import Purpose, Verdict
from pos_app.services.allowances import Allowance, Allowances, Unusable
from pos_app.services.covered import Covered, NoWay, Spent
from pos_app.services.offline_port import TillJournal
from pos_app.services.paying import Payer, Payers
from pos_app.services.ports import Clock
from pos_app.services.proving import PassTrouble, Proven, by_approval, by_pass, look_at_pass
from pos_app.services.risking import Risking
from pos_app.services.seals_port import Seals

LOCAL_ID_CHARACTERS: Final = 10
_UNUSABLE: Final = {
    Unusable.PAST_TERM: NoWay.PAST_TERM,
    Unusable.CLOCK: NoWay.CLOCK_NOT_TRUSTED,
    Unusable.NOT_GENUINE: NoWay.LEASE_NOT_GENUINE,
}


class OfflineSpending:
    """Says what may be redeemed here, and redeems it. Safe to use from any thread; asks nobody.

    `random_bytes(n)` is the source of keys, `key_prefix` is "TR-" in training, `login` names this till.
    """

    def __init__(
        self,
        *,
        journal: TillJournal,
        payers: Payers,
        allowances: Allowances,
        risking: Risking,
        seals: Seals,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        login: str,
        key_prefix: str = "",
    ) -> None:
        self._journal = journal
        self._payers = payers
        self._allowances = allowances
        self._risking = risking
        self._seals = seals
        self._clock = clock
        self._random_bytes = random_bytes
        self._login = login
        self._key_prefix = key_prefix
        self._lock = threading.Lock()

    def look(
        self, request: RedemptionRequest, *, pass_text: str | None = None, approval: Approval | None = None
    ) -> Covered:
        """Say whether it may be redeemed here and now. Nothing is written."""
        return self._look(request, pass_text, approval)[0]

    def redeem(
        self,
        request: RedemptionRequest,
        *,
        customer_label: str,
        bill_number: str | None = None,
        cashier: int | None = None,
        pass_text: str | None = None,
        approval: Approval | None = None,
    ) -> Spent:
        """Redeem here and now: the row comes back as it was committed (LOCAL_DONE), or the reason why there is none.

        Raises:
            StorageError: nothing was redeemed (crash point C10).
        """
        with self._lock:
            covered, proven = self._look(request, pass_text, approval)
            payer = covered.payer
            if not covered.is_allowed or payer is None:
                return Spent(covered=covered)
            row = self._row(covered, payer, customer_label, bill_number, cashier)
            reach("C10")
            try:
                with committing("C10"):
                    kept = self._journal.spend(row, self._sealing(row, payer, proven.proof), proven.use)
            except ValueError:  # The journal knows of a spend that was not seen here.
                short = replace(covered, reason=NoWay.ALLOWANCE_TOO_SMALL, refusals=(Refusal.BALANCE_TOO_LOW,))
                return Spent(covered=short)
            reach("C11")
            return Spent(covered=covered, row=kept)

    def customer_of_pass(self, text: str) -> CustomerRef:
        """Whose lease a pass belongs to: with a line a pass only finds the customer (sync-api 10).

        Raises:
            NotAPassError: nobody we know signed it, or this till does not hold its lease.
        """
        told = self._seals.read_pass(text)
        try:
            held = self._journal.lease(told.lease_id)
        except KeyError:
            raise NotAPassError("this till does not hold the lease of this pass") from None
        return CustomerRef(IdentifierKind.ID, str(held.asked.customer_id))

    # --- Looking -----------------------------------------------------------------------------------------------------

    def _look(
        self, request: RedemptionRequest, pass_text: str | None, approval: Approval | None
    ) -> tuple[Covered, Proven]:
        plain = replace(request, validation_code=None, issue_otp=False, give_back=())
        asked = request.amount.points if isinstance(request.amount, AskedPoints) else ZERO
        no = Covered(request=request, points=asked)
        if self._journal.offline_blocked() is not None:
            return replace(no, reason=NoWay.ENROL_AGAIN), Proven()
        if self._journal.chain_head().till_epoch == 0:
            return replace(no, reason=NoWay.NOT_OFFERED), Proven()
        if request.program_group:
            return replace(no, reason=NoWay.PROGRAM_GROUP), Proven()
        payer = self._payers.find(request)
        if payer is None:
            return replace(no, reason=NoWay.NOT_KNOWN_HERE), Proven()
        no = replace(no, payer=payer, can_skip=payer.organisation.skip_validation_allowed)
        allowance = self._allowances.of(payer.owner, payer.program.program_id)
        now = self._clock.wall()
        if allowance is None or allowance.unusable is not None:
            why = NoWay.NO_LEASE if allowance is None else _UNUSABLE[allowance.unusable or Unusable.PAST_TERM]
            if allowance is not None:
                no = replace(no, until=allowance.until, distrust=allowance.distrust)
            return self._at_risk(replace(no, reason=why), plain, payer, approval, now)
        no = replace(no, lease_id=allowance.held.lease.lease_id, allowance=allowance.left, until=allowance.until)
        return self._under_lease(no, plain, payer, allowance, pass_text, approval, now)

    def _under_lease(
        self,
        no: Covered,
        plain: RedemptionRequest,
        payer: Payer,
        allowance: Allowance,
        pass_text: str | None,
        approval: Approval | None,
        now: datetime,
    ) -> tuple[Covered, Proven]:
        proven = self._proven(allowance, pass_text, approval, now)
        verdict = self._judged(plain, payer, allowance, proven, now)
        told = self._told(no, payer, verdict)
        if told.reason in {None, NoWay.PROOF_NEEDED} and proven.trouble is not None:
            return replace(told, reason=NoWay(proven.trouble.value)), Proven()
        use = proven.use
        if told.is_allowed and use is not None and self._journal.pass_spent(use.nonce) + told.points > use.at_most:
            return replace(told, reason=NoWay.PASS_USED_UP), Proven()
        return told, proven

    def _proven(self, allowance: Allowance, pass_text: str | None, approval: Approval | None, now: datetime) -> Proven:
        if pass_text is not None:
            lease_id = allowance.held.lease.lease_id
            told = look_at_pass(self._seals, pass_text, till=self._login, lease_id=lease_id, now=now)
            return Proven(trouble=told) if isinstance(told, PassTrouble) else by_pass(told, pass_text)
        return by_approval(approval) if approval is not None else Proven()

    def _judged(
        self, plain: RedemptionRequest, payer: Payer, allowance: Allowance, proven: Proven, now: datetime
    ) -> Verdict:
        facts = self._payers.facts(payer, allowance.left, proven.seen, now)
        return judge(_as_confirmed(plain, proven), facts, Purpose.REDEEM)

    def _told(self, no: Covered, payer: Payer, verdict: Verdict) -> Covered:
        """The verdict in the words of this room; a missing proof is told apart, for it has ways out."""
        others = tuple(each for each in verdict.refusals if each is not Refusal.PROOF_MISSING)
        is_proof_missing = len(others) < len(verdict.refusals)
        reason = None
        if others:
            is_short = no.allowance is not None and verdict.points > no.allowance
            reason = NoWay.ALLOWANCE_TOO_SMALL if is_short and others[0] is Refusal.BALANCE_TOO_LOW else NoWay.RULES
        elif is_proof_missing:
            reason = NoWay.PROOF_NEEDED
        return replace(
            no,
            points=verdict.points,
            worth=verdict.worth,
            reason=reason,
            refusals=verdict.refusals,
            nearest=verdict.nearest,
            needs_proof=payer.organisation.validation_required,
        )

    def _at_risk(
        self, no: Covered, plain: RedemptionRequest, payer: Payer, approval: Approval | None, now: datetime
    ) -> tuple[Covered, Proven]:
        """Without a lease: refused, but where the organisation takes the risk and a supervisor says so."""
        room = self._risking.room(payer, now)
        if room is None or no.reason is NoWay.CLOCK_NOT_TRUSTED:
            return no, Proven()
        proven = Proven() if approval is None else by_approval(approval)
        proven = replace(proven, skips=payer.organisation.validation_required)
        facts = self._payers.facts(payer, room.balance, Proof.NONE, now)
        verdict = judge(_as_confirmed(plain, proven), facts, Purpose.REDEEM)
        told = self._told(replace(no, kind=Kind.RISK, allowance=room.most), payer, verdict)
        if not told.is_allowed:
            return told, Proven()
        why = room.why_not(verdict.points)
        if why is None and (approval is None or approval.purpose is not ApprovalPurpose.RISK):
            why = NoWay.RISK_APPROVAL_NEEDED
        return replace(told, reason=why), proven

    # --- Redeeming ---------------------------------------------------------------------------------------------------

    def _row(
        self, covered: Covered, payer: Payer, label: str, bill_number: str | None, cashier: int | None
    ) -> Redemption:
        now = self._clock.wall()
        asked = covered.request
        return Redemption(
            key=self._key_prefix + key_from(self._random_bytes(KEY_BYTES)),
            state=State.LOCAL_DONE,
            kind=covered.kind,
            customer=asked.customer,
            customer_id=payer.customer_id,
            customer_label=label,
            program_id=payer.program.program_id,
            family_group=asked.family_group,
            points=covered.points,
            worth=covered.worth if covered.worth is not None else Decimal(0),
            skip_validation=asked.skip_validation,
            validation_type=asked.validation_type,
            bill_number=bill_number,
            cashier=cashier,
            created_at=now,
            changed_at=now,
            lease_id=covered.lease_id,
            redemption_id=key_from(self._random_bytes(KEY_BYTES))[-LOCAL_ID_CHARACTERS:],
        )

    def _sealing(self, row: Redemption, payer: Payer, proof: OfflineProof) -> Callable[[int, str], Spend]:
        def seal(seq: int, prev_hash: str) -> Spend:
            return self._seals.seal(
                Spend(
                    seq=seq,
                    key=row.key,
                    kind=SpendKind(row.kind.value),
                    owner=payer.owner,
                    customer_id=payer.customer_id,
                    program_id=payer.program.program_id,
                    points=row.points,
                    at=row.created_at,
                    redemption_id=row.redemption_id or "",
                    lease_id=row.lease_id,
                    transaction_number=row.bill_number or None,
                    cashier=row.cashier,
                    proof=proof,
                    prev_hash=prev_hash,
                )
            )

        return seal


def _as_confirmed(plain: RedemptionRequest, proven: Proven) -> RedemptionRequest:
    """The request as it is confirmed here: calls and codes cannot be, and skipping needs somebody's word."""
    if proven.skips:
        return replace(plain, skip_validation=True, validation_type=ValidationType.INVALID)
    kind = None if plain.validation_type is ValidationType.INVALID else plain.validation_type
    return replace(plain, skip_validation=False, validation_type=kind)
