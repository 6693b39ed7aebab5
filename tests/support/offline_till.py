"""A whole till over a real ledger in this process: real files, a line that can be cut or lose answers.

    with an_offline_shop(tmp_path) as shop:
        till = shop.till()
        till.look_up()
        till.cable.is_cut = True
        till.spend(100)

`till.restarted()` is the same till after its process died: only its files are left.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.a_ledger import by_id
from support.clock import FakeClock
from support.crashing import CrashPoints
from support.lease_kit import LeaseKit, a_lease_kit
from support.ledger_server import CUSTOMER, LOGIN, PROGRAM

from pos_app.bootstrap import join_services
from pos_app.cache import SqlCache
from pos_app.domain.leases import LeaseState, Owner, OwnerKind
from pos_app.domain.points import Points
from pos_app.domain.redemption import Redemption
from pos_app.domain.request import AskedPoints, RedemptionRequest
from pos_app.domain.trouble import LineDownError, UnclearAnswerError
from pos_app.files.secrets import TillSecrets
from pos_app.journal import SqlJournal
from pos_app.ledger.local import LocalLedger
from pos_app.services.covered import Spent
from pos_app.services.joining import Choices

COMMITS = frozenset(
    {"add", "put", "add_closing", "spend", "ask_lease", "answer_lease", "mark_lease", "seal_online", "remember"}
)


@dataclass
class Cable:
    """The line between a till and its ledger.

    `loses` names calls whose next answers are lost, in order; `refuses` what a call meets instead of its ledger, once.
    """

    is_cut: bool = False
    loses: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refuses: dict[str, Exception] = field(default_factory=dict)

    def carry(self, name: str, call: Callable[[], Any]) -> Any:
        """Carry one call, or not."""
        if name == "is_up":
            return not self.is_cut and call()
        if self.is_cut:
            raise LineDownError("the line is cut")
        self.asked.append(name)
        if name in self.refuses:
            raise self.refuses.pop(name)
        answer = call()
        if name in self.loses:
            self.loses.remove(name)
            raise UnclearAnswerError("the answer is lost")
        return answer


class Wired:
    """Anything with calls, at the other end of a cable."""

    def __init__(self, target: Any, cable: Cable) -> None:
        self._target = target
        self._cable = cable
        if hasattr(target, "sync"):
            self.sync = Wired(target.sync, cable)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._target, name)
        return lambda *args, **named: self._cable.carry(name, lambda: call(*args, **named))


class MortalTillJournal:
    """A journal whose till may die ahead of each commit (nothing is kept) and behind it (the row is safe)."""

    def __init__(self, journal: Any, points: CrashPoints) -> None:
        self._journal = journal
        self._points = points

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._journal, name)
        if name not in COMMITS:
            return call

        def committed(*args: Any, **named: Any) -> Any:
            self._points.passed(f"before {name}")
            kept = call(*args, **named)
            self._points.passed(f"after {name}")
            return kept

        return committed


class OfflineTill:
    """One till: its files in `folder`, its services, its cable."""

    def __init__(
        self,
        shop: Shop,
        folder: Path,
        login: str,
        *,
        points: CrashPoints | None = None,
        choices: dict[str, Any] | None = None,
        seed: int = 1,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.shop, self.folder, self.login = shop, folder, login
        self._choices, self._seed = choices or {}, seed
        self.cable = Cable()
        kept = TillSecrets.open(folder, service="", use_keyring=False)
        key = kept.database_key()
        self.journal = SqlJournal.open(folder / "journal.db", key, shop.kit.clock)
        self.cache = SqlCache.open(folder / "cache.db", key, shop.kit.clock)
        self.services = join_services(
            Wired(LocalLedger(shop.kit.book, login), self.cable),  # type: ignore[arg-type]
            self.journal if points is None else MortalTillJournal(self.journal, points),  # type: ignore[arg-type]
            self.cache,
            shop.kit.clock,
            Choices(version="1.4.0", platform="linux", **self._choices),
            kept=kept,
            login=login,
            random_bytes=random.Random(f"{login} {seed}").randbytes,
        )
        shop.open_tills.append(self)
        shop.clock.advance(1)  # A start takes time.

    # --- What happens to it ------------------------------------------------------------------------------------------

    def enrolled(self) -> OfflineTill:
        """Enrol it, learn the rules, take the feed."""
        self.services.enrolment.enrol()
        self.services.lookup.refresh_rules()
        self.services.rounds.run_all()
        return self

    def close(self) -> None:
        """Close its files."""
        self.journal.close()
        self.cache.close()

    def restarted(self, *, without_cache: bool = False, points: CrashPoints | None = None) -> OfflineTill:
        """The till after its process died."""
        self.close()
        self.shop.open_tills.remove(self)
        if without_cache:
            for file in self.folder.glob("cache.db*"):
                file.unlink()
        again = OfflineTill(
            self.shop, self.folder, self.login, points=points, choices=self._choices, seed=self._seed + 1
        )
        again.cable.is_cut = self.cable.is_cut
        again.services.redemptions.resume()
        again.services.settling.resume()
        return again

    # --- What its cashier does ---------------------------------------------------------------------------------------

    def asking(self, count: int, customer_id: int = CUSTOMER, **changes: Any) -> RedemptionRequest:
        """May she redeem so many points?"""
        plain = {"customer": by_id(customer_id), "amount": AskedPoints(Points.of(count)), "program_id": PROGRAM}
        return RedemptionRequest(**{**plain, **changes})

    def look_up(self, customer_id: int = CUSTOMER) -> None:
        """Look her up with the line, and let the till get its lease."""
        self.services.lookup.find(by_id(customer_id))
        self.services.leases.tend()

    def spend(self, count: int, customer_id: int = CUSTOMER, **how: Any) -> Spent:
        """Redeem without a line."""
        return self.services.spending.redeem(
            self.asking(count, customer_id), customer_label="Tom S.", bill_number="B-1", cashier=7, **how
        )

    def redeem(self, count: int, customer_id: int = CUSTOMER) -> Redemption:
        """Redeem at the ledger."""
        row = self.services.redemptions.begin(
            self.asking(count, customer_id),
            points=Points.of(count),
            program_id=PROGRAM,
            customer_id=customer_id,
            customer_label="Tom S.",
        )
        return self.services.redemptions.submit(row.key)

    @property
    def allowance(self) -> Points | None:
        """What is left under her lease; None: no open one."""
        found = self.services.allowances.of(Owner(OwnerKind.CUSTOMER, CUSTOMER), PROGRAM)
        return None if found is None else found.left

    def lease_states(self) -> list[LeaseState]:
        """The states of all leases it ever had, oldest first."""
        return [each.state for each in self.journal.leases(with_closed=True)]


@dataclass
class Shop:
    """A ledger and its tills."""

    kit: LeaseKit
    folder: Path
    open_tills: list[OfflineTill] = field(default_factory=list)

    @property
    def clock(self) -> FakeClock:
        """The one clock of ledger and tills."""
        return self.kit.clock

    def till(self, login: str = LOGIN, *, points: CrashPoints | None = None, **choices: Any) -> OfflineTill:
        """A till that was enrolled and took the feed."""
        return OfflineTill(self, self.folder / login, login, points=points, choices=choices).enrolled()


@contextmanager
def an_offline_shop(folder: Path, lines: Any = None, **changes: Any) -> Iterator[Shop]:
    """A ledger with one customer of 500 points, whose program may be redeemed offline. Sound at the end."""
    with a_lease_kit(folder, lines, **changes) as kit:
        shop = Shop(kit, folder)
        try:
            yield shop
        finally:
            for till in list(shop.open_tills):
                till.close()
