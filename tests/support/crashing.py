"""A till whose process can die between any two steps: behind each commit, ahead of each call, behind each call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from support.fake_ledger import LossyLedger

from pos_app.domain.answers import CancelAnswer, RedeemAnswer
from pos_app.domain.commands import Cancel, Redeem
from pos_app.domain.redemption import Redemption
from pos_app.services.ports import Journal, Ledger

Result = TypeVar("Result")


class Killed(BaseException):
    """The process is gone. No code of the till may catch this."""


class CrashPoints:
    """Counts the points a till passes and dies at the chosen one. `names` are the points passed, in order."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.names: list[str] = []
        self._dies_at = dies_at

    def passed(self, name: str) -> None:
        """Note the point, and die here if it is the one."""
        self.names.append(name)
        if len(self.names) - 1 == self._dies_at:
            raise Killed(name)


class MortalLedger(LossyLedger):
    """A bad line whose till may die ahead of a call (nothing was sent) and behind it (nobody read the answer)."""

    def __init__(self, ledger: Ledger, points: CrashPoints, losses: Any = ()) -> None:
        super().__init__(ledger, losses)
        self._points = points

    def redeem(self, command: Redeem) -> RedeemAnswer:
        return self._mortal("redeem", lambda: LossyLedger.redeem(self, command))

    def cancel(self, command: Cancel) -> CancelAnswer | None:
        return self._mortal("cancel", lambda: LossyLedger.cancel(self, command))

    def _mortal(self, name: str, call: Callable[[], Result]) -> Result:
        self._points.passed(f"before {name}")
        try:
            return call()
        finally:
            self._points.passed(f"after {name}")


class MortalJournal:
    """Any journal, whose till may die ahead of each commit (nothing is kept) and behind it (the row is safe)."""

    def __init__(self, journal: Journal, points: CrashPoints) -> None:
        self._journal = journal
        self._points = points

    def add(self, redemption: Redemption) -> None:
        self._commit(self._journal.add, redemption)

    def put(self, redemption: Redemption) -> None:
        self._commit(self._journal.put, redemption)

    def get(self, key: str) -> Redemption:
        return self._journal.get(key)

    def open_redemptions(self) -> Sequence[Redemption]:
        return self._journal.open_redemptions()

    def recent(self, limit: int) -> Sequence[Redemption]:
        return self._journal.recent(limit)

    def remember(self, name: str, value: str) -> None:
        self._journal.remember(name, value)

    def recall(self, name: str) -> str | None:
        return self._journal.recall(name)

    def _commit(self, keep: Callable[[Redemption], None], row: Redemption) -> None:
        self._points.passed(f"before {row.state}")
        keep(row)
        self._points.passed(f"after {row.state}")
