"""One schedule: the shop, its people and its faults, all drawn from one seed."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from simulate.central import Central, Face
from simulate.invariants import check_ledger, check_tills
from simulate.network import Network
from simulate.shop_lines import LOGINS
from simulate.shops import Shop, Shops
from simulate.slips import Slip, Slips
from simulate.swarm import Swarm
from simulate.till import SimTill, copy_file
from simulate.virtual import LedgerKilledError, TillKilledError, Time
from simulate.watch import Watch
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from sqlcipher3 import dbapi2

from pos_app.ledger.databases.backend import WRITER

SAFETY, LIVENESS = "safety", "liveness"


class PromiseBrokenError(BaseException):
    """The product broke what it promises; nothing may catch this on its way out."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a schedule is played: its folder, and what all schedules of a process share."""

    folder: Path
    shops: Shops
    faces: tuple[Face, Face]


class World:
    """What a schedule knows. The product sees only clocks, lines and folders of it."""

    def __init__(
        self,
        seed: int,
        mode: str,
        shop: Shop,
        place: Place,
        skipped: frozenset[int] = frozenset(),
        *,
        swarm: Swarm | None = None,
    ) -> None:
        self.seed = seed
        self.mode = mode
        self.folder = folder = place.folder
        self.skipped = skipped
        """Events that are left out, to shrink a failure."""
        self.rng = random.Random(f"events {seed}")
        self.swarm = swarm or Swarm.drawn(random.Random(f"swarm {seed}"))
        self.time = Time()
        self.log: list[str] = []
        self.counts: Counter[str] = Counter()
        self.kind = shop.kind
        self.settings = shop.settings
        self.central = Central(folder, place.shops, shop, self.time, place.faces)
        self.network = Network(self)
        self.slips = Slips(self)
        self.watch = Watch(self)
        if place.shops.tills(shop).exists():
            shutil.copytree(place.shops.tills(shop), folder, dirs_exist_ok=True, copy_function=copy_file)
        self.tills = [SimTill(self, login, login, folder / login) for login in LOGINS]
        self.cloned: set[str] = set()
        """Logins that two machines use."""
        self.shared_keys: set[str] = set()
        """Redemptions that stood in a journal when it was copied: two machines act on them, each for itself."""
        self.acted: list[SimTill] = []
        """Tills that did something since the last check."""
        self.acting: list[SimTill] = []
        """Tills in the middle of an act: the last one waits for nobody."""
        self.ledger_dies_in: int | None = None
        self.asked_for: tuple[int, int] | None = None
        """Customer and program of the redemption that the ledger answers at this moment."""
        self.race_in: int | None = None
        """After so many statements of a writing transaction another request comes in between."""
        self.depth = 0
        self.act_elsewhere = _nothing
        """What another till may do meanwhile; set by whoever plays the schedule."""
        self._seen_version = -1
        self.time.on_passing(self.network.deliver_late)

    @property
    def lifetime_s(self) -> float:
        """How long a lease is held here at most, but in strict mode."""
        return float(self.settings.term_s + self.settings.settle_window_s)

    # --- Notes -------------------------------------------------------------------------------------------------------

    def note(self, line: str) -> None:
        """One line of the event log."""
        self.log.append(f"{self.time.seconds:.3f} {line}")

    def count(self, name: str, by: int = 1) -> None:
        """Count something that was covered."""
        self.counts[name] += by

    def fail(self, promise: str, detail: str) -> None:
        """A promise is broken.

        Raises:
            PromiseBrokenError: always.
        """
        raise PromiseBrokenError(f"{promise}: {detail}")

    def check(self) -> None:
        """I1 to I6 after an event; looked up only when somebody has written."""
        version = self.central.version()
        if version != self._seen_version:
            self._seen_version = version
            check_ledger(self)
        check_tills(self, self.acted)
        self.acted.clear()

    # --- Who is there ------------------------------------------------------------------------------------------------

    def living(self) -> list[SimTill]:
        """Tills that are not lost."""
        return [till for till in self.tills if not till.is_lost]

    def is_excused(self, slip: Slip, *, after_heal: bool = False) -> bool:
        """Say whether this slip may differ: a cloned till, or a ledger that was restored since it was said.

        After the heal a till that is there has told the restored ledger of it again (reliability 4.4).
        """
        if slip.key in self.shared_keys:
            return True
        is_gone = any(till.is_lost and till.login == slip.login for till in self.tills)
        if after_heal and is_gone and slip.kind != "ONLINE":
            return True  # Nobody ever tells the ledger of it.
        if slip.restores_seen == self.central.restores:
            return False
        return not after_heal or is_gone

    def is_excused_key(self, key: str) -> bool:
        """Say whether a charge without a receipt may be: nobody can print at a till that is lost or was copied."""
        login = self.central.rows("SELECT till FROM redemption WHERE key = ?", key)[0][0]
        return key in self.shared_keys or any(till.is_lost for till in self.tills if till.login == login)

    # --- What may happen in between ----------------------------------------------------------------------------------

    def meanwhile(self, name: str) -> None:
        """While one till waits for the line another one may do something."""
        if self.depth == 0 and self.rng.random() < self.swarm.meanwhile:
            self.depth += 1
            try:
                self.act_elsewhere(name)
            finally:
                self.depth -= 1

    @contextmanager
    def ledger_at_risk(self, *, is_redeem: bool) -> Iterator[None]:
        """The ledger may die at a commit of what it does here, or behind the last one; then it starts again."""
        if self.central.serving:
            yield
            return
        may_die = self.rng.random() < self.swarm.ledger_crash
        self.ledger_dies_in = self.rng.randrange(5) if may_die else None
        likely = self.swarm.race * (6 if is_redeem else 1)
        self.race_in = self.rng.randrange(5 if is_redeem else 12) if self.rng.random() < likely else None
        try:
            yield
            if self.ledger_dies_in is not None and self.rng.random() < 0.3:
                raise LedgerKilledError  # noqa: TRY301 - it dies behind its last commit, and is caught as everywhere
        except LedgerKilledError:
            self.count("ledger crashes")
            self.ledger_dies_in = self.race_in = None
            self.central.restart(is_killed=True)
            raise
        finally:
            self.ledger_dies_in = self.race_in = None

    def reached(self, point: str) -> None:
        """A crash point of reliability 4.2 was reached: whoever is at work may die here (`domain.crash_points`)."""
        self.count(f"reached {point}")
        if self.central.serving:
            if self.central.serving == 1 and self.rng.random() < self.swarm.ledger_crash * 0.3:
                self.count(f"ledger killed at {point}")
                raise LedgerKilledError
        elif self.acting and self.rng.random() < self.swarm.till_crash * 0.2:
            self.count(f"till killed at {point}")
            raise TillKilledError

    def commit_begins(self, point: str) -> None:
        """The commit of a crash point comes next; `committing` sees it."""

    def commit_ended(self, point: str) -> None:
        """It was made, or it failed."""

    def executing(self, connection: Connection) -> None:
        """The ledger is in the middle of writing: another till may ask its second process now. Called by the engine."""
        if self.race_in is None or self.central.serving != 1 or not connection.get_execution_options().get(WRITER):
            return
        self.race_in -= 1
        if self.race_in < 0 and self.depth == 0:
            self.race_in = None
            self.count("races of two ledger processes")
            self.depth += 1
            dies_in, self.ledger_dies_in = self.ledger_dies_in, None
            try:
                self.act_elsewhere("the ledger")
            finally:
                self.depth -= 1
                self.ledger_dies_in = dies_in

    def committing(self, connection: Connection) -> None:
        """Whoever commits may die here, or have no room: called by the database's engine."""
        if self.central.serving or self.central.is_at_work:
            if self.ledger_dies_in is not None:
                self.ledger_dies_in -= 1
                if self.ledger_dies_in < 0:
                    self.ledger_dies_in = None
                    raise LedgerKilledError
            return
        if not self.acting:
            return
        match self.acting[-1].committing(is_write=_has_written(connection)):
            case "dies":
                self.acting[-1].held = connection.connection.driver_connection
                raise TillKilledError
            case "full":
                self.count("disk full")
                full = dbapi2.OperationalError("database or disk is full")
                raise OperationalError("COMMIT", None, full)

    def close(self) -> None:
        """End of the schedule."""
        for till in self.tills:
            till.die()
        self.central.close()


def _has_written(connection: Connection) -> bool:
    changes = connection.connection.driver_connection.total_changes  # type: ignore[union-attr]
    before = connection.info.get("changes_seen", 0)
    connection.info["changes_seen"] = changes
    return bool(changes != before)


def _nothing(_name: str) -> None:
    """Nobody does anything."""
