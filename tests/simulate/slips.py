"""What the customers hold in their hands: receipts, and what they were told was not done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pos_app.domain.redemption import Kind, Redemption

if TYPE_CHECKING:
    from simulate.till import SimTill
    from simulate.world import World


@dataclass(slots=True)
class Slip:
    """One redemption as its customer knows it."""

    key: str
    login: str
    customer_id: int | None
    program_id: int
    points: int
    """Thousandths."""
    kind: Kind
    restores_seen: int
    """How often the ledger had been restored when it was said."""
    lease_id: str | None = None
    is_printed: bool = False
    is_not_done: bool = False


class Slips:
    """All slips of one schedule, by key."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.by_key: dict[str, Slip] = {}

    def printed(self, till: SimTill, row: Redemption) -> None:
        """A receipt was handed over; a second one of the same key says that it is a copy."""
        slip = self._slip(till, row)
        if slip.is_not_done and not self._world.is_excused(slip):
            self._world.fail("P4", f"{row.key} was told not done, and now there is a receipt ({row.state})")
        if not slip.is_printed:
            self._world.count(f"receipts {row.kind}")
            slip.is_printed, slip.restores_seen = True, self._world.central.restores

    def not_done(self, till: SimTill, row: Redemption) -> None:
        """The customer was told that nothing was taken."""
        slip = self._slip(till, row)
        if slip.is_printed and not self._world.is_excused(slip):
            self._world.fail("P3", f"{row.key} has a receipt, and now it is {row.state}")
        if not slip.is_not_done:
            slip.is_not_done, slip.restores_seen = True, self._world.central.restores

    def _slip(self, till: SimTill, row: Redemption) -> Slip:
        if row.key not in self.by_key:
            self.by_key[row.key] = Slip(
                row.key,
                till.login,
                row.customer_id,
                row.program_id or 0,
                row.points.thousandths,
                row.kind,
                self._world.central.restores,
                row.lease_id,
            )
        return self.by_key[row.key]
