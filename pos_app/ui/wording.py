"""Turns an answer into what the cashier reads: a headline, a fact, a next step and at most two buttons (ux B.12).

The sentences are data in `wording_table` and `wording_situations`; here the right one is picked, translated and
filled in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from string import Formatter
from typing import Final

from PySide6.QtCore import QCoreApplication

from pos_app.domain.refusals import Refusal
from pos_app.domain.trouble import SlowDownError, SyncRefusedError, Trouble
from pos_app.services.covered import NoWay
from pos_app.ui.wording_offline import NO_WAYS
from pos_app.ui.wording_people import SAID_NO, SAID_NO_BECAUSE
from pos_app.ui.wording_row import Note, Row, Situation, Text, VerdictState, Way
from pos_app.ui.wording_situations import (
    KIND_WORDS,
    NOTES,
    REDEEM_MAY_HAVE_ACTED,
    SERVICE_PROBLEM,
    SINGULAR,
    SITUATIONS,
    TROUBLES,
    UNKNOWN_ROW,
    WAYS,
)
from pos_app.ui.wording_table import CANNOT_UNDO_FACTS, REFUSALS, REFUSALS_BY_CODE, REFUSALS_BY_REASON

__all__ = [
    "Grade",
    "Note",
    "Situation",
    "VerdictState",
    "Way",
    "WordingFacts",
    "Words",
    "age_phrase",
    "age_text",
    "all_texts",
    "for_no_way",
    "for_offline",
    "for_refusal",
    "for_situation",
    "for_success",
    "for_trouble",
    "kind_words",
    "note",
    "way_labels",
]

CONTEXT: Final = "wording"
BUTTONS_MAX: Final = 2
F7_WAYS: Final = frozenset({Way.SEND_CODE, Way.ENTER_CODE})
"""Ways that belong to the send code button, whatever it says: they take no other button's place."""
ISOLATES: Final = "\u2066\u2069"
"""Invisible signs around a number in a language that runs from right to left (`formats.isolated`)."""
FRESH_S: Final = 60
RECENT_S: Final = 15 * 60
AGEING_S: Final = 4 * 3600
HIDDEN_S: Final = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class WordingFacts:
    """What is known for the sentences; "" and None mean not known. Amounts and times are formatted already.

    `balance` is what may be spent, `total` is that and what is set aside elsewhere. `nearest` are amounts that would
    pass, the lower first. `kind` is how a sentence names the identifier (`kind_words`). `code` is the service's own
    number. `has_missed_call` and `has_supervisor` say whether those ways are offered here. `approver` is a second
    person, `why` her reason.
    """

    name: str = field(default="", repr=False)
    masked: str = field(default="", repr=False)
    kind: str = ""
    program: str = ""
    program_id: str = ""
    points: str = ""
    worth: str = ""
    balance: str = ""
    total: str = ""
    left: str = ""
    step: str = ""
    least: str = ""
    most: str = ""
    required: str = ""
    nearest: tuple[str, ...] = ()
    held: str = ""
    store: str = ""
    until: str = ""
    due: str = ""
    fits: str = ""
    tries_left: int | None = None
    minutes: int | None = None
    seconds: int | None = None
    time: str = ""
    as_of: str = ""
    age: str = ""
    allowance: str = ""
    loss: str = ""
    approver: str = ""
    why: str = ""
    redemption_id: str = ""
    reference: str = ""
    message: str = field(default="", repr=False)
    code: int | None = None
    has_missed_call: bool = False
    has_supervisor: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """What the verdict panel shows. `buttons` are at most two, in their order on screen (`way_labels` names them)."""

    headline: str
    reason: str
    next_step: str
    buttons: tuple[Way, ...]
    state: VerdictState


class Grade(StrEnum):
    """How far a figure may be trusted by its age (ux B.4, Freshness)."""

    LIVE = "live"
    RECENT = "recent"
    AGEING = "ageing"
    OLD = "old"
    HIDDEN = "hidden"


NOTHING_KNOWN: Final = WordingFacts()


def for_refusal(refusal: Refusal, facts: WordingFacts = NOTHING_KNOWN, *, reason: str | None = None) -> Words:
    """The words of a "no". `reason` is the ledger's finer word (sync-api 2), `facts.code` the service's number."""
    row = REFUSALS_BY_REASON.get((refusal, reason or ""))
    if row is None and facts.code is not None:
        row = REFUSALS_BY_CODE.get((refusal, facts.code))
    words = _words(row or REFUSALS[refusal], facts)
    if refusal is Refusal.CANNOT_UNDO and facts.code is not None and facts.code in CANNOT_UNDO_FACTS:
        fact = _translated(CANNOT_UNDO_FACTS[facts.code])
        return Words(words.headline, fact, words.next_step, words.buttons, words.state)
    return words


def for_trouble(trouble: Trouble, *, is_redeem: bool = False) -> Words:
    """The words of a failure of the world. After a redemption was sent, a lost answer is "not known", never "no"."""
    if is_redeem and isinstance(trouble, REDEEM_MAY_HAVE_ACTED):
        return _words(UNKNOWN_ROW, NOTHING_KNOWN)
    if isinstance(trouble, SyncRefusedError):
        tries = trouble.told.get("tries_left")
        facts = WordingFacts(tries_left=tries if isinstance(tries, int) else None)
        return _words(SAID_NO_BECAUSE.get(trouble.reason, SAID_NO), facts)
    row = next((TROUBLES[each] for each in type(trouble).__mro__ if each in TROUBLES), SERVICE_PROBLEM)
    seconds = max(1, round(trouble.retry_after_s)) if isinstance(trouble, SlowDownError) else None
    return _words(row, WordingFacts(seconds=seconds))


def for_situation(situation: Situation, facts: WordingFacts = NOTHING_KNOWN) -> Words:
    """The words of a state of the panel that is neither a refusal nor trouble."""
    return _words(SITUATIONS[situation], facts)


def for_success(
    facts: WordingFacts, *, is_redeemed: bool = False, needs_proof: bool = False, confirmed_at: str = ""
) -> Words:
    """The words of a yes: of a committed redemption (`is_redeemed`), else of a check.

    `confirmed_at` is the time the customer's code was found right; without it `needs_proof` asks for one.
    """
    if is_redeemed:
        return for_situation(Situation.REDEEMED, facts)
    if confirmed_at:
        known = {each.name: getattr(facts, each.name) for each in fields(facts)} | {"time": confirmed_at}
        return for_situation(Situation.CONFIRMED_BY_CODE, WordingFacts(**known))
    return for_situation(Situation.CONFIRM_FIRST if needs_proof else Situation.REDEEMABLE, facts)


def for_offline(facts: WordingFacts, *, is_yes: bool, grade: Grade, refusal: Refusal | None = None) -> Words:
    """The words of an answer worked out here. Data over four hours old never give a "probably yes" (ux B.4).

    Give `facts.as_of` and `facts.age` (`age_phrase`). With a refusal its fact is told too.
    """
    if grade in (Grade.OLD, Grade.HIDDEN) and (is_yes or grade is Grade.HIDDEN):
        return for_situation(Situation.TOO_OLD_TO_SAY, facts)
    if is_yes:
        return for_situation(Situation.PROBABLY_YES, facts)
    words = for_situation(Situation.PROBABLY_NO, facts)
    if refusal is None:
        return words
    because = for_refusal(refusal, facts).reason
    return Words(words.headline, f"{because}\n{words.reason}", words.next_step, words.buttons, words.state)


def for_no_way(reason: NoWay, facts: WordingFacts = NOTHING_KNOWN, *, refusal: Refusal | None = None) -> Words:
    """The words of "it cannot be redeemed here without a line". Give `facts.allowance` and `facts.until`.

    `refusal` is what the rules said where they are the reason.
    """
    if reason is NoWay.RULES and refusal is not None:
        return for_refusal(refusal, facts)
    return _words(NO_WAYS[reason], facts)


def note(which: Note, facts: WordingFacts = NOTHING_KNOWN) -> str:
    """A short line beside a field or under the verdict."""
    return _sentence(NOTES[which], _known(facts))


def way_labels(buttons: tuple[Way, ...], facts: WordingFacts = NOTHING_KNOWN) -> tuple[str, ...]:
    """What each button says. The first USE_NEAREST stands for `facts.nearest[0]`, the second for `[1]`."""
    nearest = iter(facts.nearest)
    known = dict(_known(facts))
    labels = []
    for way in buttons:
        if way is Way.USE_NEAREST:
            known["nearest_one"] = next(nearest, "")
        labels.append(_sentence(WAYS[way], known))
    return tuple(labels)


def kind_words(kind: str) -> str:
    """How a sentence names an identifier kind (the value of `IdentifierKind`): "mobile number"."""
    return _translated(KIND_WORDS[kind])


def age_text(seconds: float) -> tuple[str, Grade]:
    """Say how old data is, and how far to trust it: to 60 s live, to 15 min recent, to 4 h ageing, to 24 h old.

    A clock that was set back gives a negative age; it counts as live.
    """
    if seconds <= FRESH_S:
        return _translated("live"), Grade.LIVE
    age = age_phrase(seconds)
    if seconds <= RECENT_S:
        return _translated("{age} ago").format(age=age), Grade.RECENT
    if seconds <= AGEING_S:
        return _translated("ageing, {age} old").format(age=age), Grade.AGEING
    if seconds <= HIDDEN_S:
        return _translated("old, from {age} ago").format(age=age), Grade.OLD
    return _translated("too old to show, from {age} ago").format(age=age), Grade.HIDDEN


def age_phrase(seconds: float) -> str:
    """An age in words: "less than a minute", "47 min", "2 h 10 min", "3 days"."""
    minutes = max(0, int(seconds // 60))
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return _translated("{days} days").format(days=hours // 24)
    if hours and rest:
        return _translated("{hours} h {minutes} min").format(hours=hours, minutes=rest)
    if hours:
        return _translated("{hours} h").format(hours=hours)
    return _translated("{minutes} min").format(minutes=minutes) if minutes else _translated("less than a minute")


def all_texts() -> Iterator[str]:
    """Every sentence of the tables, for translators and for the test of words that are never used."""
    rows = [*REFUSALS.values(), *REFUSALS_BY_REASON.values(), *REFUSALS_BY_CODE.values()]
    rows += [
        *SITUATIONS.values(),
        *NO_WAYS.values(),
        SAID_NO,
        *SAID_NO_BECAUSE.values(),
        *TROUBLES.values(),
        SERVICE_PROBLEM,
    ]
    for row in rows:
        yield from (*row.headline, *row.reason, *row.next_step)
    for text in (*NOTES.values(), *WAYS.values()):
        yield from text
    yield from (singular for _, singular in SINGULAR.values())
    yield from CANNOT_UNDO_FACTS.values()
    yield from KIND_WORDS.values()


def _words(row: Row, facts: WordingFacts) -> Words:
    known = _known(facts)
    return Words(
        _sentence(row.headline, known),
        _sentence(row.reason, known),
        _sentence(row.next_step, known),
        _buttons(row.ways, facts),
        row.state,
    )


def _buttons(ways: tuple[Way, ...], facts: WordingFacts) -> tuple[Way, ...]:
    """Only ways that lead somewhere: an amount that is not known or a call that is not offered is left out."""
    shown: list[Way] = []
    for way in ways:
        if way is Way.USE_NEAREST:
            shown += [way] * len(facts.nearest)
        elif not _leads_nowhere(way, facts):
            shown.append(way)
    has_f7 = bool(shown) and shown[0] in F7_WAYS
    return tuple(shown[: BUTTONS_MAX + has_f7])


def _leads_nowhere(way: Way, facts: WordingFacts) -> bool:
    return (
        (way is Way.USE_FITTING and not facts.fits)
        or (way is Way.MISSED_CALL and not facts.has_missed_call)
        or (way is Way.SUPERVISOR and not facts.has_supervisor)
    )


def _known(facts: WordingFacts) -> Mapping[str, str]:
    """The facts that are known, as text; the nearest amounts also as `lower` and `higher`."""
    values = {each.name: getattr(facts, each.name) for each in fields(facts) if each.name != "nearest"}
    known = {name: str(value) for name, value in values.items() if value is not None and value != ""}
    known |= dict(zip(("lower", "higher"), facts.nearest, strict=False))
    return known


def _sentence(text: Text, known: Mapping[str, str]) -> str:
    """The first sentence whose every name is known, translated and filled in; "" when there is none."""
    for sentence in text:
        needed = {name for _, name, _, _ in Formatter().parse(sentence) if name}
        if needed <= known.keys():
            counted = SINGULAR.get(sentence)
            if counted and known[counted[0]].strip(ISOLATES) == "1":
                sentence = counted[1]
            return _translated(sentence).format_map(known)
    return ""


def _translated(sentence: str) -> str:
    return QCoreApplication.translate(CONTEXT, sentence)
