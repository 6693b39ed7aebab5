"""Plays one schedule from its seed, and says what came of it."""

from __future__ import annotations

import logging
import random
import shutil
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from simulate.acts import CODED_ONLY, FAULTS, MEANWHILE, PEOPLE
from simulate.central import Face
from simulate.chance import seeded_chance
from simulate.compiled import compiled_once
from simulate.healing import heal
from simulate.invariants import check_books
from simulate.leasing_acts import FIRST_LEASES, LEASING, LEASING_FAULTS
from simulate.shop_lines import CODED, PLAIN
from simulate.shops import Shop, Shops
from simulate.swarm import NONE
from simulate.till import SimTill
from simulate.virtual import Time, VirtualClock
from simulate.world import LIVENESS, SAFETY, Place, PromiseBrokenError, World
from sqlalchemy import Connection, Engine, event

from pos_app.domain.crash_points import arm
from pos_app.ledger.care import jobs
from pos_app.ledger.databases import sqlite

EVENTS = (8, 20)
_FAULT_WEIGHT = 8.0


@dataclass
class Played:
    """One schedule: its event log, what it covered, and what it broke."""

    seed: int
    mode: str
    log: list[str]
    counts: Counter[str]
    broken: str = ""
    events: int = 0
    trace: str = ""
    skipped: frozenset[int] = field(default=frozenset())


class Stage:
    """Where schedules are played: one process, one folder in memory, one world at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shops = Shops(folder / "shops")
        clock = VirtualClock(Time())
        self._faces = Face(clock), Face(clock)
        self._world: World | None = None

    def open_all(self) -> None:
        """Open every kind of shop now, not when a seed asks for it: no fault of a mutant may get into them."""
        for shop in Shop.all():
            if not self._shops.tills(shop).exists():
                self._open(shop)

    def _open(self, shop: Shop) -> None:
        """Let the tills of a shop enrol and ask for some leases, once: each schedule begins from there."""
        place = self._place(f"opening-{shop.name}")
        with seeded_chance(shop.name):
            world = World(0, SAFETY, shop, place, swarm=NONE)
            for till, owners in zip(world.tills, FIRST_LEASES, strict=True):
                services = till.start()
                services.line.probe()
                services.enrolment.enrol()
                services.rounds.run_all()
                for customer_id, owner, program_id in owners:
                    till.ask_for_lease(customer_id, owner, program_id)
                till.die()
            world.close()
        self._shops.keep(shop, place.folder)

    def _place(self, name: str) -> Place:
        folder = self._folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return Place(folder, self._shops, self._faces)

    def __enter__(self) -> Stage:
        logging.disable(logging.CRITICAL)
        self._stack = ExitStack()
        self._stack.enter_context(compiled_once())
        event.listen(Engine, "commit", self._committing)
        # What waits in real time does not wait here: nobody else has a thread in which he could get ready.
        self._rest_s, jobs._REST_S = jobs._REST_S, 0.0
        self._busy_ms, sqlite.BUSY_TIMEOUT_MS = sqlite.BUSY_TIMEOUT_MS, 0
        return self

    def __exit__(self, *_: object) -> None:
        jobs._REST_S, sqlite.BUSY_TIMEOUT_MS = self._rest_s, self._busy_ms
        event.remove(Engine, "commit", self._committing)
        self._stack.close()
        logging.disable(logging.NOTSET)

    def play(self, seed: int, mode: str | None = None, skipped: frozenset[int] = frozenset()) -> Played:
        """Play the schedule of a seed; even seeds end in a heal, unless a mode is asked for."""
        mode = mode or (SAFETY if seed % 2 else LIVENESS)
        shop = Shop.drawn(random.Random(f"shop {seed}"))
        if not self._shops.tills(shop).exists():
            self._open(shop)
        with seeded_chance(f"product {seed}"):
            world = self._world = World(seed, mode, shop, self._place("world"), skipped)
            arm(world)
            races = world.swarm.race > 0
            if races:  # It costs something at every statement.
                event.listen(Engine, "before_cursor_execute", self._executing)
            played = Played(seed, mode, world.log, world.counts, skipped=skipped)
            try:
                _play(world, played)
            except PromiseBrokenError as broken:
                played.broken = str(broken)
                played.trace = traceback.format_exc()
            except Exception as error:
                played.broken = f"FAULT: {type(error).__name__}: {error}"
                played.trace = traceback.format_exc()
            finally:
                arm(None)
                if races:
                    event.remove(Engine, "before_cursor_execute", self._executing)
                self._world = None
                world.close()
        return played

    @contextmanager
    def by_hand(self, kind: str = PLAIN) -> Iterator[World]:
        """A shop without faults, for a test that says itself what happens."""
        shop = Shop(kind, 0)
        if not self._shops.tills(shop).exists():
            self._open(shop)
        with seeded_chance("by hand"):
            world = self._world = World(0, LIVENESS, shop, self._place("world"), swarm=NONE)
            try:
                yield world
            finally:
                self._world = None
                world.close()

    def _committing(self, connection: Connection) -> None:
        if self._world is not None:
            self._world.committing(connection)

    def _executing(self, connection: Connection, *_: object) -> None:
        if self._world is not None and self._world.race_in is not None:
            self._world.executing(connection)


def _play(world: World, played: Played) -> None:
    swarm = world.swarm
    people = PEOPLE + LEASING + (CODED_ONLY if world.kind == CODED else ())
    kinds = FAULTS + LEASING_FAULTS
    faults = [(act, getattr(swarm, name) * _FAULT_WEIGHT) for act, name in kinds if getattr(swarm, name)]
    acts, weights = zip(*people, *faults, strict=True)

    def act_elsewhere(name: str) -> None:
        others = [till for till in world.living() if till not in world.acting]
        if others:
            choice = MEANWHILE if world.central.serving else people
            act = world.rng.choices([each for each, _ in choice], [weight for _, weight in choice])[0]
            world.note(f"  meanwhile, while {name} waits:")
            act(world, world.rng.choice(others))

    world.act_elsewhere = act_elsewhere
    world.note(f"seed {world.seed}, {world.mode}, {world.kind}; faults: {' '.join(swarm.names)}")
    played.events = world.rng.randint(*EVENTS)
    for number in range(played.events):
        act = world.rng.choices(acts, weights)[0]
        till = world.rng.choice(world.living())
        if number in world.skipped:
            continue
        _one(world, act, till)
    if world.mode == LIVENESS:
        heal(world)
    check_books(world)


def _one(world: World, act: object, till: SimTill) -> None:
    world.count("events")
    act(world, till)  # type: ignore[operator]
    world.check()
