"""Says how the till itself is: how far the sync is, and what a supervisor must know (reliability 4.3, 4.8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from PySide6.QtCore import QCoreApplication

from pos_app.domain.trouble import SyncRefusedError, Trouble
from pos_app.services.clock_trust import Distrust
from pos_app.services.covered import NoWay
from pos_app.services.enrolment import CODE_NEEDED
from pos_app.services.feed_port import CacheState
from pos_app.services.offline_port import JournalState
from pos_app.services.syncing import SyncStep, SyncView
from pos_app.ui.formats import count_text, time_text
from pos_app.ui.wording import age_phrase, for_no_way, for_trouble
from pos_app.ui.wording_people import SAID_NO_BECAUSE

CONTEXT: Final = "status"
ENROL: Final = "enrol"
"""What can be done about a notice: enrol this till."""

JOURNALS: Final = MappingProxyType(
    {
        JournalState.NEWER: "The records of this till are from a newer version of this program. Update it.",
        JournalState.FULL: "The disk is full: nothing can be redeemed until there is room. Call a supervisor.",
        JournalState.DAMAGED: "The records of this till were damaged. It must be enrolled again to redeem offline.",
        JournalState.MISSING: "The records of this till are missing. It must be enrolled again to redeem offline.",
    }
)
ENROL_AGAIN: Final = "This till must be enrolled again to redeem offline."
CACHES: Final = MappingProxyType(
    {
        CacheState.UNAVAILABLE: "This till cannot keep customers now. It works with a line; allowances stay usable.",
        CacheState.FULL: "The disk is full: no new customers are kept here. Call a supervisor.",
    }
)
LOST_EXTENSION: Final = "The service sets nothing aside any more. Call a supervisor."
_TILL_STATES: Final = MappingProxyType({"FROZEN": "till_frozen", "LOST": "till_lost", "DISABLED": "till_disabled"})
_STEPS: Final = MappingProxyType(
    {
        SyncStep.SNAPSHOT: "Loading customers {done} of {total}",
        SyncStep.INDEXING: "Preparing the search",
        SyncStep.CATCHING_UP: "Catching up",
    }
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing somebody must know. `way` is what can be done about it here: `ENROL`, or "" for nothing."""

    text: str
    way: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a till is, as its services say; plain values, read away from the window's thread."""

    journal: JournalState = JournalState.OK
    must_enrol_again: bool = False
    enrolment_refused: str | None = None
    till_state: str = ""
    has_lost_extension: bool = False
    distrust: Distrust | None = None
    cache: str = CacheState.OK.value
    troubles: tuple[Trouble, ...] = ()
    sync: SyncView | None = None


def notices_of(health: Health) -> tuple[Notice, ...]:
    """What must be known, the gravest first, each once."""
    return tuple({each.text: each for each in _notices(health)}.values())


def _notices(health: Health) -> Iterator[Notice]:
    if health.journal in JOURNALS:
        is_lost = health.journal in {JournalState.DAMAGED, JournalState.MISSING}
        yield Notice(_translated(JOURNALS[health.journal]), ENROL if is_lost else "")
    said = [_TILL_STATES.get(health.till_state, ""), health.enrolment_refused or "", *_reasons(health.troubles)]
    for reason in dict.fromkeys(each for each in said if each in SAID_NO_BECAUSE):
        yield Notice(_said_no(reason), "" if reason == "till_disabled" else ENROL)
    if health.must_enrol_again and health.journal not in JOURNALS and not any(said):
        yield Notice(_translated(ENROL_AGAIN), ENROL)
    if health.has_lost_extension:
        yield Notice(_translated(LOST_EXTENSION))
    if health.distrust is not None:
        yield Notice(for_no_way(NoWay.CLOCK_NOT_TRUSTED).reason)
    if health.cache in set(CACHES):
        yield Notice(_translated(CACHES[CacheState(health.cache)]))


def _reasons(troubles: Iterable[Trouble]) -> list[str]:
    """Words of the service that stay until somebody acts."""
    lasting = {"stale_till_epoch", "till_frozen", "till_lost", "till_disabled", "not_enrolled", CODE_NEEDED}
    return [each.reason for each in troubles if isinstance(each, SyncRefusedError) and each.reason in lasting]


def _said_no(reason: str) -> str:
    words = for_trouble(SyncRefusedError(reason))
    return " ".join(part if part.endswith(".") else f"{part}." for part in (words.headline, words.next_step) if part)


def sync_texts(view: SyncView, now: datetime) -> tuple[str, str, str] | None:
    """What the header says of the sync, its accessible name and its description; None: there is nothing to tell."""
    step = _STEPS.get(view.step)
    if step is not None:
        counts = {"done": count_text(view.rows_done), "total": count_text(view.rows_total)}
        text = _translated(step).format(**counts)
        left = "" if view.left_s is None else _translated("{time} left").format(time=age_phrase(view.left_s))
        return text, _translated("Last sync: {step}").format(step=text), left
    if view.fresh_at is None:
        return None
    time = time_text(view.fresh_at)
    ago = _translated("{age} ago").format(age=age_phrase((now - view.fresh_at).total_seconds()))
    return _translated("Synced {time}").format(time=time), _translated("Last sync {time}").format(time=time), ago


def _translated(sentence: str) -> str:
    return QCoreApplication.translate(CONTEXT, sentence)
