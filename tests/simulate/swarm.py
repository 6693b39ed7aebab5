"""Which faults a schedule meets, and how often: each seed switches kinds on and off, so that rare pairs happen."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Swarm:
    """Chances from 0 to 1: of a parcel's fate on the line, or weights of what may happen between two acts."""

    drop_request: float
    drop_reply: float
    delay: float
    duplicate: float
    garbage: float
    portal: float
    server_error: float
    busy: float
    strange_reply: float
    outage: float
    weather: float
    till_crash: float
    ledger_crash: float
    ledger_restart: float
    ledger_restore: float
    clock_jump: float
    clock_rate: float
    disk_full: float
    lost_till: float
    clone: float
    marked_lost: float
    enrolled_again: float
    meanwhile: float
    race: float

    @classmethod
    def drawn(cls, rng: random.Random) -> Swarm:
        """The faults of one seed; about one seed in ten meets none."""
        if rng.random() < 0.1:
            return cls(**{each.name: 0.0 for each in fields(cls)})
        strength = rng.choice((0.05, 0.15, 0.3))
        return cls(**{each.name: rng.random() * strength if rng.random() < 0.5 else 0.0 for each in fields(cls)})

    @property
    def names(self) -> list[str]:
        """The kinds that are switched on."""
        return [each.name for each in fields(self) if getattr(self, each.name) > 0]


NONE = Swarm(**{each.name: 0.0 for each in fields(Swarm)})
"""No faults at all."""
