"""Counts what customers got on paper against what the ledger took, by a program that shares no code with either.

Receipts are counted from the lines the tills printed, charges from the ledger's entries, read with the interpreter's
own SQLite (or psycopg for a PostgreSQL address). Run as `python tests/support/counting.py LEDGER.db OUTPUT...`.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

THOUSAND = Decimal(1000)


@dataclass
class Counted:
    """What was found; `complaints` are sentences, none when all is well."""

    receipts: int = 0
    duplicates: int = 0
    charged: Decimal = Decimal(0)
    lost_by_store: Decimal = Decimal(0)
    complaints: list[str] = field(default_factory=list)


def events_of(output: Iterable[str]) -> list[dict[str, Any]]:
    """The events of a till's output. What a killed till could not finish writing is the end of its output."""
    events = []
    for line in output:
        try:
            events.append(json.loads(line))
        except ValueError:
            continue
    return events


def entries_of(database: str) -> list[tuple[str, str, str, int]]:
    """(key, kind, redemption id, delta in thousandths) of every entry that has a key."""
    return _rows(database, "SELECT key, kind, redemption_id, delta FROM entry WHERE key IS NOT NULL")


def reversed_of(database: str) -> dict[str, int]:
    """Points given back of each redemption number, in thousandths, and those that had expired meanwhile."""
    question = "SELECT d.redemption_id, r.points FROM reversal r JOIN redemption d ON d.id = r.redemption"
    found: dict[str, int] = defaultdict(int)
    for redemption_id, points in _rows(database, question):
        found[redemption_id] += points
    return found


def losses_of(database: str) -> dict[str, int]:
    """What the store lost, in thousandths, by key."""
    found: dict[str, int] = defaultdict(int)
    for key, points in _rows(database, "SELECT key, points FROM loss"):
        found[key] += points
    return found


def overdrawn_in(database: str) -> list[tuple[Any, ...]]:
    """Lots that hold less than nothing, or set aside more than they hold."""
    return _rows(database, "SELECT id, rem, res FROM lot WHERE rem < 0 OR res < 0 OR res > rem")


def _rows(database: str, question: str) -> list[Any]:
    if database.startswith("postgresql"):
        import psycopg

        with psycopg.connect(database.replace("postgresql+psycopg://", "postgresql://")) as connection:
            return connection.execute(question).fetchall()
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(question).fetchall()
    finally:
        connection.close()


def count(database: str, outputs: Iterable[Iterable[str]]) -> Counted:
    """Hold every receipt against the ledger, and every charge against the receipts.

    To be asked when everything is settled: each key with a receipt was charged once, whole, or what is missing is the
    store's loss; each key that was charged and not given back has a receipt; no key has two receipts that are not
    marked as duplicates; nobody was told "cancelled" of what is charged.
    """
    told = Counted()
    printed: dict[str, Decimal] = {}
    originals: dict[str, int] = defaultdict(int)
    cancelled: set[str] = set()
    for output in outputs:
        for event in events_of(output):
            if event.get("event") == "receipt":
                told.receipts += not event["duplicate"]
                told.duplicates += event["duplicate"]
                originals[event["key"]] += not event["duplicate"]
                printed[event["key"]] = Decimal(event["points"])
            elif event.get("outcome") == "cancelled" and event.get("key"):
                cancelled.add(event["key"])
    _hold(told, database, printed, originals, cancelled)
    return told


def _hold(
    told: Counted,
    database: str,
    printed: dict[str, Decimal],
    originals: dict[str, int],
    cancelled: set[str],
) -> None:
    taken: dict[str, Decimal] = defaultdict(Decimal)
    numbers: dict[str, set[str]] = defaultdict(set)
    for key, kind, redemption_id, delta in entries_of(database):
        if kind == "REDEEM":
            taken[key] -= delta / THOUSAND
            numbers[key].add(redemption_id)
    losses = {key: points / THOUSAND for key, points in losses_of(database).items()}
    given_back = reversed_of(database)
    for key, points in printed.items():
        paid = taken.get(key, Decimal(0)) + losses.get(key, Decimal(0))
        if paid != points:
            told.complaints.append(f"{key}: the receipt says {points}, the ledger took {paid}")
        if originals[key] > 1:
            told.complaints.append(f"{key}: {originals[key]} receipts, none of the later ones marked")
    for key, points in taken.items():
        if len(numbers[key]) != 1:
            told.complaints.append(f"{key}: charged under {len(numbers[key])} numbers")
        back = sum(given_back.get(number, 0) for number in numbers[key]) / THOUSAND
        if key not in printed and back != points:
            told.complaints.append(f"{key}: {points} were taken, {back} given back, and there is no receipt")
        if key in cancelled and back != points:
            told.complaints.append(f"{key}: told as cancelled, {points} were taken and {back} given back")
        told.charged += points - back
    told.lost_by_store = sum(losses.values(), Decimal(0))
    told.complaints += [f"lot {lot}: {rem} left, {res} set aside" for lot, rem, res in overdrawn_in(database)]


def main() -> int:
    database, *files = sys.argv[1:]
    told = count(database, [Path(file).read_text(encoding="utf-8").splitlines() for file in files])
    print(f"{told.receipts} receipts, {told.duplicates} duplicates, {told.charged} points charged")
    for complaint in told.complaints:
        print(complaint)
    return 1 if told.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
