"""One seed decides everything: while a schedule runs, the product's own randomness is drawn from the seed too."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def seeded_chance(seed: str) -> Iterator[None]:
    """Let keys, codes, redemption ids and waiting times come from `seed` until the end of the block."""
    rng = random.Random(seed)
    drawn = {
        (os, "urandom"): rng.randbytes,
        (secrets, "token_bytes"): lambda count=32: rng.randbytes(count),
        (secrets, "token_hex"): lambda count=32: rng.randbytes(count).hex(),
        (secrets, "choice"): rng.choice,
        (secrets, "randbelow"): rng.randrange,
        (random, "uniform"): rng.uniform,
    }
    kept = {place: getattr(*place) for place in drawn}
    for (module, name), draw in drawn.items():
        setattr(module, name, draw)
    try:
        yield
    finally:
        for (module, name), plain in kept.items():
            setattr(module, name, plain)
