"""What 100,000 schedules must have met at least, or they prove little (reliability 5.4)."""

from __future__ import annotations

from collections import Counter

FULL = 100_000
MINIMUMS = {
    "receipts LEASE": 100_000,
    "late settlements": 20_000,
    "clones": 1_000,
    "lost tills": 1_000,
    "clock jumps": 1_000,
    "ledger restarts": 1_000,
    "family group leases": 1_000,
    "expiry inside a lease": 1_000,
    "cancel overtook its request": 1_000,
    "code consumed, reply lost": 1_000,
    "give-backs": 1_000,
    "epoch changes": 1_000,
}


def shortfalls(counts: Counter[str], schedules: int) -> list[str]:
    """What was met too seldom, for so many schedules; a sentence each."""
    wanted = {name: least * schedules // FULL for name, least in MINIMUMS.items()}
    return [f"{name}: {counts[name]:,} of at least {least:,}" for name, least in wanted.items() if counts[name] < least]
