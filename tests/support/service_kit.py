"""A till's services over fakes, wired as bootstrap wires the real ones."""

from __future__ import annotations

import random
from typing import Any

from support.builders import NOW, a_request, an_organisation, by_mobile
from support.clock import FakeClock
from support.fake_ledger import a_check_answer
from support.memory_cache import MemoryCache
from support.memory_journal import MemoryJournal

from pos_app.domain.redemption import Redemption
from pos_app.services.line import Line
from pos_app.services.lookup import LookupService
from pos_app.services.ports import Ledger, Waits
from pos_app.services.redemption import RedemptionService
from pos_app.services.results import Checked, Source
from pos_app.services.validation import ValidationService


class Till:
    """One till's services. `restarted` makes the same till anew over the files (journal, cache) of the old one."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        journal: Any = None,
        cache: Any = None,
        clock: Any = None,
        seed: int = 1,
        waits: Waits = Waits(),  # noqa: B008 - a frozen value
        **settings: Any,
    ) -> None:
        self.ledger = ledger
        self.journal = journal if journal is not None else MemoryJournal()
        self.cache = cache if cache is not None else MemoryCache()
        self.clock = clock if clock is not None else FakeClock()
        self._seed = seed
        self._settings = {"waits": waits, **settings}
        self.line = Line(ledger, self.clock)
        self.lookup = LookupService(ledger, self.cache, self.line, self.clock)
        self.validation = ValidationService(ledger, self.cache, self.line, self.clock)
        self.redemptions = RedemptionService(
            ledger=ledger,
            journal=self.journal,
            cache=self.cache,
            line=self.line,
            clock=self.clock,
            random_bytes=random.Random(seed).randbytes,
            waits=waits,
            **settings,
        )

    def restarted(self, ledger: Ledger | None = None) -> Till:
        """The till after its process died: only its files and the time are left."""
        again = Till(
            ledger or self.ledger,
            journal=self.journal,
            cache=self.cache,
            clock=self.clock,
            seed=self._seed + 1,
            **self._settings,
        )
        again.redemptions.resume()
        return again

    def start(self, count: int = 100, **changes: Any) -> Redemption:
        """A redemption the cashier has just asked for."""
        return self.redemptions.start(a_checked(count), customer_id=50001, customer_label="Ada F.", **changes)

    def drain_all(self, rounds: int = 60) -> None:
        """Let the outbox work until nothing can be sent by itself any more."""
        for _ in range(rounds):
            self.redemptions.drain()
            self.clock.advance(61)


def a_checked(count: int = 100, **changes: Any) -> Checked:
    """The ledger's yes to so many points."""
    answer = a_check_answer(count)
    members: dict[str, Any] = {
        "request": a_request(count),
        "source": Source.LEDGER,
        "as_of": NOW,
        "asked_at": NOW,
        "is_redeemable": True,
        "points": answer.points,
        "worth": answer.worth,
        "organisation": an_organisation(),
    }
    return Checked(**{**members, **changes})


ADA = by_mobile()
