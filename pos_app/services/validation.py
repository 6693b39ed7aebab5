"""The shared validation service: may this customer redeem N points now?"""

from __future__ import annotations

import itertools
import logging
from dataclasses import replace
from datetime import datetime
from typing import Final

from pos_app.domain.answers import CAN_BE_REDEEMED, CheckAnswer, CodeAnswer
from pos_app.domain.commands import SendCode
from pos_app.domain.facts import CustomerRecord, Facts, Organisation, Program
from pos_app.domain.points import Points
from pos_app.domain.refusals import AMOUNT_RULES, Refusal
from pos_app.domain.request import RedemptionRequest, ValidationType
from pos_app.domain.rules import judge
from pos_app.domain.trouble import (
    LineDownError,
    NotSafeError,
    NotTheServiceError,
    SlowDownError,
    Trouble,
    UnclearAnswerError,
)
from pos_app.domain.verdict import Verdict
from pos_app.services.covered import Covered
from pos_app.services.learning import keep_balance
from pos_app.services.line import Line
from pos_app.services.lookup import AGES_AGO, NO_LINE
from pos_app.services.offline import facts_from
from pos_app.services.ports import Cache, Clock, Ledger
from pos_app.services.repeating import BUSY_PAUSES_S
from pos_app.services.results import CannotJudgeOfflineError, CannotLookUpOfflineError, Checked, LineState, Source
from pos_app.services.spending import OfflineSpending
from pos_app.services.wishes import InTheWay

_log: Final = logging.getLogger(__name__)

_ANSWERED_HERE: Final = (LineDownError, NotTheServiceError, UnclearAnswerError, SlowDownError)
"""Troubles that leave the question to the till. With any other the service is there and somebody has to act."""


class ValidationService:
    """Asks the ledger while the line is up, answers from the cache when it is not, and says which it did."""

    def __init__(
        self,
        ledger: Ledger,
        cache: Cache,
        line: Line,
        clock: Clock,
        *,
        in_the_way: InTheWay | None = None,
        spending: OfflineSpending | None = None,
    ) -> None:
        """Join its ports. `in_the_way` knows leases that a check counts as free, `spending` what they allow here."""
        self._in_the_way = in_the_way
        self._spending = spending
        self._ledger = ledger
        self._cache = cache
        self._line = line
        self._clock = clock
        self._references = itertools.count(int(clock.wall().timestamp()))

    def check(self, request: RedemptionRequest) -> Checked:
        """Check. Without a line the answer is worked out here from what was last seen, with its age.

        Raises:
            CannotLookUpOfflineError: no line, and this customer was never seen here.
            Trouble: the line is up but the service gave no answer to this question (login, address, 400, 5xx).
        """
        asked_at = self._clock.wall()
        view = self._line.view
        if view.state is LineState.OFFLINE:
            if isinstance(view.trouble, NotSafeError):
                raise NotSafeError(str(view.trouble))
            return self._check_here(request, asked_at, view.trouble or LineDownError("the line is down"))
        try:
            answer = self._ask(request)
        except _ANSWERED_HERE as trouble:
            self._line.met(trouble)
            return self._check_here(request, asked_at, trouble)
        except Trouble as trouble:
            self._line.met(trouble)
            raise
        return self._checked_there(request, asked_at, answer)

    def _ask(self, request: RedemptionRequest) -> CheckAnswer:
        """Ask the ledger; a customer served elsewhere (521) is asked about again after 1, 2 and 4 s (contract 11).

        A question that sends a code is never repeated by itself.
        """
        if self._in_the_way is not None:
            request = replace(request, give_back=self._in_the_way.give_back(request))
        answer = self._ledger.check(request)
        for pause_s in BUSY_PAUSES_S:
            if answer.refusal is not Refusal.CUSTOMER_BUSY or _sends_code(request):
                break
            self._clock.sleep(pause_s)
            answer = self._ledger.check(request)
        return answer

    def check_code(self, request: RedemptionRequest) -> Checked:
        """Check with the customer's code, at the ledger only: a code is never judged here.

        Raises: Trouble, LineDownError among it.
        """
        asked_at = self._clock.wall()
        try:
            answer = self._ask(request)
        except Trouble as trouble:
            self._line.met(trouble)
            raise
        return self._checked_there(request, asked_at, answer)

    def send_code(self, command: SendCode) -> CodeAnswer:
        """Send a code, or the live one again. Never repeated by itself.

        Raises: Trouble.
        """
        try:
            answer = self._ledger.send_code(command)
        except Trouble as trouble:
            self._line.met(trouble)
            raise
        self._line.met(None)
        return answer

    def _checked_there(self, request: RedemptionRequest, asked_at: datetime, answer: CheckAnswer) -> Checked:
        """What the ledger answered, and what the till knows beside it."""
        self._line.met(None)
        now = self._clock.wall()
        extension = answer.extension
        wallet = extension.wallet if extension is not None else None
        program = self._program_of(request)
        if wallet is not None and request.family_group is None and not request.program_group:
            keep_balance(
                self._cache,
                request.customer,
                program.program_id if program is not None else request.program_id,
                balance=wallet.balance,
                available=wallet.available,
                at=now,
                version=wallet.version,
            )
        organisation = self._cache.organisation() or Organisation()
        is_yes = answer.is_redeemable
        checked = Checked(
            request=request,
            source=Source.LEDGER,
            as_of=now,
            asked_at=asked_at,
            is_redeemable=is_yes,
            points=answer.points,
            worth=answer.worth if is_yes and (answer.ratio or answer.worth) else None,
            points_after=wallet.balance - answer.points if is_yes and wallet is not None else None,
            refusals=() if answer.refusal is None else (answer.refusal,),
            nearest=extension.nearest if extension is not None else self._nearest(request, answer, now),
            code=answer.code,
            message=answer.message,
            reason=extension.reason if extension is not None else None,
            is_code_out=is_yes and answer.code == CAN_BE_REDEEMED and _sends_code(request),
            is_code_missing=answer.is_code_missing,
            is_confirmed=is_yes and _proves(request),
            needs_proof=organisation.validation_required,
            otp=extension.otp if extension is not None else None,
            wallet=wallet,
            program=program,
            organisation=organisation,
            reference=self._next_reference(),
        )
        return _logged(checked)

    def _check_here(self, request: RedemptionRequest, asked_at: datetime, trouble: Trouble) -> Checked:
        """Work the answer out from the cache. Codes and calls are not judged.

        Raises:
            CannotLookUpOfflineError: never seen here, or what would pay is not kept here.
            Trouble: the service is there but had no time, and the till cannot answer either.
        """
        covered = self._spending.look(request) if self._spending is not None else None
        if covered is not None and covered.allowance is not None:
            return self._covered_here(covered, asked_at, trouble)
        record = self._cache.find_customer(request.customer)
        if record is None:
            if isinstance(trouble, NO_LINE):
                raise CannotLookUpOfflineError("no line, and never seen on this till") from None
            raise trouble
        facts = self._facts(record, request, self._clock.wall())
        organisation = facts.organisation
        verdict = judge(request, facts)
        checked = Checked(
            request=request,
            source=Source.CACHE,
            as_of=record.as_of or AGES_AGO,
            asked_at=asked_at,
            is_redeemable=verdict.is_allowed,
            points=verdict.points,
            worth=verdict.worth,
            points_after=verdict.points_after,
            refusals=verdict.refusals,
            nearest=verdict.nearest,
            needs_proof=organisation.validation_required,
            program=facts.default_program if request.program_group else facts.program,
            organisation=organisation,
            trouble=trouble,
            reference=self._next_reference(),
            offline=covered,
        )
        return _logged(checked)

    def _covered_here(self, covered: Covered, asked_at: datetime, trouble: Trouble) -> Checked:
        """The answer where a lease, or the shop's risk, stands behind it: firm, whatever the age of the cache."""
        payer = covered.payer
        record = payer.record if payer is not None else None
        checked = Checked(
            request=covered.request,
            source=Source.CACHE,
            as_of=(record.as_of if record is not None else None) or AGES_AGO,
            asked_at=asked_at,
            is_redeemable=covered.is_covered,
            points=covered.points,
            worth=covered.worth,
            refusals=() if covered.is_covered else covered.refusals,
            nearest=covered.nearest,
            needs_proof=covered.needs_proof,
            program=payer.program if payer is not None else None,
            organisation=payer.organisation if payer is not None else Organisation(),
            trouble=trouble,
            reference=self._next_reference(),
            offline=covered,
        )
        return _logged(checked)

    def _program_of(self, request: RedemptionRequest) -> Program | None:
        """The program whose words and rules count: the asked one, or the default one (contract 2.3, 2.4)."""
        if request.program_id is not None and not request.program_group:
            return self._cache.program(request.program_id)
        return next((program for program in self._cache.programs() if program.is_default), None)

    def _nearest(self, request: RedemptionRequest, answer: CheckAnswer, now: datetime) -> tuple[Points, ...]:
        """Amounts near the refused one, worked out here for a service that does not tell. Each is checked again."""
        if answer.refusal not in AMOUNT_RULES:
            return ()
        verdict = self._own_verdict(request, now)
        return tuple(each for each in verdict.nearest if each != answer.points) if verdict is not None else ()

    def _own_verdict(self, request: RedemptionRequest, now: datetime) -> Verdict | None:
        record = self._cache.find_customer(request.customer)
        if record is None:
            return None
        try:
            return judge(request, self._facts(record, request, now))
        except CannotJudgeOfflineError:
            return None

    def _facts(self, record: CustomerRecord, request: RedemptionRequest, now: datetime) -> Facts:
        """What this till knows for a request. Raises: CannotJudgeOfflineError."""
        family = None
        if request.family_group is not None:
            family = self._cache.find_family(request.family_group, record.customer)
        return facts_from(
            record,
            request,
            organisation=self._cache.organisation() or Organisation(),
            programs=self._cache.programs(),
            now=now,
            family=family,
        )

    def _next_reference(self) -> str:
        """Four hexadecimal characters that tell checks of one day apart in talk with support (ux B.4)."""
        return f"{next(self._references) & 0xFFFF:04X}"


def _proves(request: RedemptionRequest) -> bool:
    """Say whether a yes to this question also proved the customer: a code or a call was looked at (2.6)."""
    if request.skip_validation:
        return False
    return request.validation_code is not None or request.validation_type is ValidationType.MISSED_CALL


def _sends_code(request: RedemptionRequest) -> bool:
    """Say whether a yes to this question sends a code: not with a code, a call or a skip beside it (2.6)."""
    return request.issue_otp and not request.skip_validation and not _proves(request)


def _logged(checked: Checked) -> Checked:
    """Leave a line that names the check by its reference and nobody by anything."""
    said = "yes" if checked.is_redeemable else ", ".join(checked.refusals)
    _log.info("check %s: %s said %s (%s)", checked.reference, checked.source, said, checked.code)
    return checked
