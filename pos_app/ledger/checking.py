"""`isredeemable` and `validationcode` (contract 2 and 3): they move no points."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pos_app.domain.answers import CODE_ISSUED, CheckAnswer, CodeAnswer, CodeView, Extension
from pos_app.domain.commands import SendCode
from pos_app.domain.facts import Proof
from pos_app.domain.points import ZERO, Points
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import RedemptionRequest, UnreadableAmount, ValidationType
from pos_app.domain.rules import judge
from pos_app.domain.verdict import Purpose, Verdict
from pos_app.ledger.answering import NOTHING, Asked, extension_of, identity_of, is_for_a_hold, proof_of
from pos_app.ledger.code_rows import Question
from pos_app.ledger.codes import Issued, Proved
from pos_app.ledger.errors import LedgerBusyError
from pos_app.ledger.facts import Known
from pos_app.ledger.glance import glance, see
from pos_app.ledger.leases.holds import ask_back, is_held, with_free, with_hold
from pos_app.ledger.people import Person, find_person, sent_identity
from pos_app.ledger.tills import Till
from pos_app.ledger.tools import Moment, Tools
from pos_app.wire.codes import Endpoint, code_for, code_issued_message, message_for


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rules said, and what the ledger found of the code that was given."""

    verdict: Verdict
    proved: Proved | None


def judged(
    tools: Tools, till: Till, request: RedemptionRequest, known: Known, purpose: Purpose, cashier: int | None
) -> Judged:
    """Judge a request; a code that was given is checked, and a wrong one counted, but not used up.

    Raises:
        LedgerBusyError: the try could not be counted.
    """
    proved = None
    code = None if request.skip_validation else request.validation_code
    if code is not None and known.person is not None:
        points = judge(request, known.facts, purpose).points
        proved = tools.codes.prove(known.rules, known.person, question_of(request, known, points), code, till, cashier)
    return Judged(judge(request, with_proof(known, request, proved).facts, purpose), proved)


def with_proof(known: Known, request: RedemptionRequest, proved: Proved | None) -> Known:
    """The facts and what is known of the customer's proof."""
    asks_for_call = request.validation_type is ValidationType.MISSED_CALL
    proof = proof_of(proved, asks_for_call=asks_for_call, has_call=known.call_id is not None)
    if proof is Proof.NONE:
        return known
    return replace(known, facts=replace(known.facts, proof=proof))


def question_of(request: RedemptionRequest, known: Known, points: Points | None) -> Question:
    """What a code would be for."""
    return Question(
        points=points,
        program_id=request.program_id,
        effective_program_id=known.program_id,
        family_group_id=known.family_group_id,
        program_group=request.program_group,
    )


def check(
    tools: Tools, till: Till, request: RedemptionRequest, cashier: int | None, *, with_extension: bool = True
) -> CheckAnswer:
    """May this customer redeem this now? With `issue_otp` a code goes out once everything else has passed (2.6)."""
    moment, known = _seen(tools, till, request, with_extension=with_extension)
    if known.person is not None:
        tools.visits.note(till, known.person.customer.customer_id, known.facts.today)
    try:
        found = judged(tools, till, request, known, Purpose.CHECK, cashier)
        issued = _issue(tools, till, request, known, found, cashier)
    except LedgerBusyError:
        found, issued = Judged(Verdict(refusals=(Refusal.CUSTOMER_BUSY,)), None), None
    asked = Asked(
        endpoint=Endpoint.ISREDEEMABLE,
        till=till,
        epoch=moment.epoch,
        now=moment.now,
        known=known,
        verdict=found.verdict,
        refusals=found.verdict.refusals,
        proved=found.proved,
    )
    if is_for_a_hold(asked):
        ask_back(tools, till, moment, known)
    is_unsent = issued is not None and not issued.is_sent
    unsent = Refusal.CODE_NOT_SENT
    return CheckAnswer(
        identity=identity_of(known, request.customer),
        points=found.verdict.points,
        worth=asked.worth,
        local_worth=asked.local_worth,
        by_value=_is_by_value(request),
        ratio=NOTHING if found.verdict.ratio is None else found.verdict.ratio,
        refusal=asked.refusal,
        code=code_for(asked.endpoint, unsent) if is_unsent else asked.code,
        message=message_for(asked.endpoint, unsent) if is_unsent else asked.message,
        extension=_extension_of(asked, issued) if with_extension else None,
    )


def _seen(tools: Tools, till: Till, request: RedemptionRequest, *, with_extension: bool) -> tuple[Moment, Known]:
    """All there is to know, in one statement where that is enough: it needs no transaction.

    Leases that would be given back count as free; who holds the rest is asked only where it is told.
    """
    if not request.give_back:
        with tools.store.glance() as connection:
            found = glance(tools, connection, till, request)
        if found is not None and not (with_extension and is_held(found[1])):
            return found
    with tools.store.read() as connection:
        moment, known = see(tools, connection, till, request)
        known = with_free(connection, moment, known, till, request.give_back)
        return moment, with_hold(connection, known, till) if with_extension else known


def _extension_of(asked: Asked, issued: Issued | None) -> Extension:
    if issued is None:
        return extension_of(asked)
    return extension_of(asked, reason=issued.reason, otp=issued.view)


def _issue(
    tools: Tools, till: Till, request: RedemptionRequest, known: Known, found: Judged, cashier: int | None
) -> Issued | None:
    """Send a code where one is wanted and nothing stands against the redemption; a code already given needs none."""
    is_wanted = request.issue_otp and not request.skip_validation and found.proved is None
    if not is_wanted or request.validation_type is ValidationType.MISSED_CALL:
        return None
    if known.person is None or not found.verdict.is_allowed:
        return None
    question = question_of(request, known, found.verdict.points)
    return tools.codes.issue(known.rules, known.person, question, till, cashier)


def _is_by_value(request: RedemptionRequest) -> bool:
    if isinstance(request.amount, UnreadableAmount):
        return request.amount.by_value
    return hasattr(request.amount, "value")


def send_code(tools: Tools, till: Till, command: SendCode, cashier: int | None) -> CodeAnswer:
    """Send the customer a code; no redeem condition is looked at (contract 3)."""
    with tools.store.read() as connection:
        moment = tools.moment(connection, till)
        organisation = moment.rules.organisation
        person, is_usable = find_person(
            connection, organisation.organisation_id, command.customer, organisation.country_code
        )
    refusals = _refusals_of_sending(command, person, is_usable)
    issued = None
    if not refusals and person is not None:
        points = command.points if isinstance(command.points, Points) else None
        try:
            question = Question(points=points, names_scope=False)
            issued = tools.codes.issue(moment.rules, person, question, till, cashier)
        except LedgerBusyError:
            refusals = (Refusal.CUSTOMER_BUSY,)
        else:
            refusals = () if issued.is_sent else (_why_unsent(issued),)
    return _code_answer(command, moment, person, refusals, issued)


def _refusals_of_sending(command: SendCode, person: Person | None, is_usable: bool) -> tuple[Refusal, ...]:
    refusals = []
    if isinstance(command.points, UnreadableAmount):
        refusals.append(command.points.refusal)
    if not is_usable or not command.customer.is_well_formed:
        refusals.append(Refusal.IDENTIFIER_MALFORMED)
    elif person is None:
        refusals.append(Refusal.CUSTOMER_UNKNOWN)
    elif person.customer.is_campaign_only or not person.customer.is_registered:
        refusals.append(Refusal.NOT_REGISTERED)
    if person is not None and person.customer.is_blocked:
        refusals.append(Refusal.NEEDS_SUPERVISOR)
    return tuple(refusals)


def _why_unsent(issued: Issued) -> Refusal:
    return Refusal.TOO_MANY_CODES if issued.reason == "sends_used_up" else Refusal.CODE_NOT_SENT


def _code_answer(
    command: SendCode, moment: Moment, person: Person | None, refusals: tuple[Refusal, ...], issued: Issued | None
) -> CodeAnswer:
    endpoint = Endpoint.VALIDATIONCODE
    refusal = refusals[0] if refusals else None
    view: CodeView | None = None if issued is None else issued.view
    if refusal is None:
        code, message = CODE_ISSUED, code_issued_message("" if view is None else view.channel)
    else:
        code, message = code_for(endpoint, refusal), message_for(endpoint, refusal)
    points = command.points.shown if isinstance(command.points, UnreadableAmount) else command.points
    return CodeAnswer(
        identity=sent_identity(command.customer) if person is None else person.identity,
        points=points or ZERO,
        refusal=refusal,
        code=code,
        message=message,
        extension=Extension(
            epoch=moment.epoch,
            server_time=moment.now,
            reason=None if issued is None else issued.reason,
            refusals=tuple(code_for(endpoint, each) for each in refusals),
            customer_id=None if person is None else person.customer.customer_id,
            otp=view,
        ),
    )
