"""Remembers which code is out, for which points of whom, and whether the customer was confirmed (contract 2.6).

No code is here but in the `Confirmation`, in memory only, and that is forgotten with the customer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pos_app.domain.points import Points
from pos_app.domain.request import AskedPoints, AskedValue, RedemptionRequest, ValidationType
from pos_app.services.ports import Clock
from pos_app.services.results import Checked
from pos_app.ui.code_sendings import Sendings
from pos_app.ui.question import is_same_purse
from pos_app.ui.serving import Serving
from pos_app.ui.verdict_words import Confirmation


@dataclass(frozen=True, slots=True)
class SentCode:
    """A code that is out: what it was asked for, up to how many points, and until when (`is_about`: our guess)."""

    question: RedemptionRequest
    points: Points
    sent_at: datetime
    expires_at: datetime
    is_about: bool

    def covers(self, question: RedemptionRequest) -> bool:
        """Say whether it serves a question: the same purse, and not more points (2.6)."""
        if not is_same_purse(self.question, question):
            return False
        if question.amount == self.question.amount:
            return True
        if isinstance(question.amount, AskedPoints):
            return question.amount.points <= self.points
        if isinstance(question.amount, AskedValue) and isinstance(self.question.amount, AskedValue):
            return question.amount.value <= self.question.amount.value
        return False


class CodeMemory:
    """One window's memory of codes. `validity_s` is the till's own guess, used when nobody tells (B.5)."""

    def __init__(self, clock: Clock, serving: Serving, validity_s: int, resend_waits_s: tuple[int, ...]) -> None:
        self._clock = clock
        self._serving = serving
        self._validity_s = validity_s
        self._confirmation: Confirmation | None = None
        self._confirmed: RedemptionRequest | None = None
        self.sent: SentCode | None = None
        self.redeemed: RedemptionRequest | None = None
        self.sendings = Sendings(clock, resend_waits_s)

    def is_out_for(self, question: RedemptionRequest) -> bool:
        """Say whether a code is out that serves this question and has not run out: no second one is asked for."""
        return self.sent is not None and self._covers(question) and self._clock.wall() < self.sent.expires_at

    def goes_with(self, question: RedemptionRequest) -> bool:
        """Say whether a check of this question may send a code: none is out for it.

        What was redeemed just now (`redeemed`) is asked about without: an Enter too many must not send another code,
        F7 does.
        """
        is_new = self.redeemed is None or self._serving.settled(question) != self.redeemed
        return is_new and not self.is_out_for(question)

    def confirmation_for(self, question: RedemptionRequest) -> Confirmation | None:
        """The confirmation that holds for this question: the same way, the same purse, no more than was covered."""
        about = self._confirmed
        if self._confirmation is None or about is None or about.validation_type != question.validation_type:
            return None
        settled = self._serving.settled
        is_held = (
            self._covers(question) if self._confirmation.code else is_same_purse(settled(about), settled(question))
        )
        return self._confirmation if is_held else None

    def take(self, checked: Checked) -> None:
        """Learn from an answer: a code went out with it, or the call was seen."""
        if checked.is_code_out:
            self.remember(checked)
        elif checked.is_confirmed and checked.request.validation_type is ValidationType.MISSED_CALL:
            self.confirm(checked, "")

    def take_late(self, checked: Checked) -> None:
        """A check that nobody waits for any more sent a code: it is out all the same, unless a newer one is."""
        if checked.is_code_out and self.sent is None:
            self.remember(checked)

    def confirm(self, checked: Checked, code: str) -> None:
        """The ledger found this code right, or the call (""); it is kept for the redemption."""
        self._confirmation = Confirmation(checked.asked_at, code)
        self._confirmed = replace(checked.request, validation_code=None)

    def unconfirm(self) -> None:
        """The ledger did not take the proof after all: it confirms nothing any more."""
        self._confirmation = None
        self._confirmed = None

    def remember(self, checked: Checked) -> None:
        """A code is out. What was confirmed before counts no more, unless it is the same code again."""
        question = replace(checked.request, issue_otp=False, validation_code=None)
        before = self.sent if self.is_out_for(question) else None
        if before is None:
            self.unconfirm()
            self.sendings.begin()
        else:
            self.sendings.again()
        validity = timedelta(seconds=checked.organisation.otp_validity_s or self._validity_s)
        if checked.otp is not None:
            sent_at, expires_at, is_about = checked.otp.sent_at, checked.otp.expires_at, False
        elif before is not None:
            sent_at, expires_at, is_about = checked.as_of, before.expires_at, before.is_about
        else:
            sent_at, expires_at, is_about = checked.as_of, checked.as_of + validity, True
        self.sent = SentCode(question, checked.points, sent_at, expires_at, is_about)

    def forget(self) -> None:
        """The code was used up, or another customer came."""
        self.sent = None
        self.unconfirm()

    def _covers(self, question: RedemptionRequest) -> bool:
        if self.sent is None:
            return False
        settled = self._serving.settled
        return replace(self.sent, question=settled(self.sent.question)).covers(settled(question))
