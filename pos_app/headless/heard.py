"""A ledger that keeps in mind what was said beside its answers: services keep what they need, scripts want all."""

from __future__ import annotations

import threading
from typing import Any, Final

from pos_app.domain.answers import CheckAnswer, Extension, RedeemAnswer, ReverseAnswer
from pos_app.domain.commands import Redeem, Reverse
from pos_app.domain.request import RedemptionRequest
from pos_app.gateway import HttpLedger


class Heard:
    """What was said last, for each thread: a command asks and reads in one and the same."""

    def __init__(self) -> None:
        self._here = threading.local()

    def forget(self) -> None:
        """A command begins."""
        self._here.extension = None

    def hear(self, answer: CheckAnswer | RedeemAnswer | ReverseAnswer) -> None:
        """An answer came."""
        self._here.extension = answer.extension

    @property
    def last(self) -> Extension | None:
        """What was said last in this thread since its command began."""
        found: Extension | None = getattr(self._here, "extension", None)
        return found

    def about(self, key: str) -> Extension | None:
        """The same, when it is about this key."""
        last = self.last
        return last if last is not None and last.key == key else None


class HeardLedger(HttpLedger):
    """`HttpLedger`; `heard` knows what was said."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As `HttpLedger`."""
        super().__init__(*args, **kwargs)
        self.heard: Final = Heard()

    def check(self, request: RedemptionRequest) -> CheckAnswer:
        """Ask `isredeemable`, once."""
        answer = super().check(request)
        self.heard.hear(answer)
        return answer

    def redeem(self, command: Redeem) -> RedeemAnswer:
        """Redeem under the command's key. One attempt."""
        answer = super().redeem(command)
        self.heard.hear(answer)
        return answer

    def reverse(self, command: Reverse) -> ReverseAnswer:
        """Give points back. One attempt."""
        answer = super().reverse(command)
        self.heard.hear(answer)
        return answer


def heard_by(ledger: HttpLedger) -> Heard:
    """What a ledger said beside its answers; nothing where it is not one that keeps it."""
    return ledger.heard if isinstance(ledger, HeardLedger) else Heard()
