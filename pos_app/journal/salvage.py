"""Saves from a journal that cannot be read what can be read of it, row by row (reliability 4.8).

The damaged file is never changed or deleted: it is moved aside as `journal.bad-<time>`, and beside it lies an export
for support. Each row says by its hash whether it is whole, and by its commit number which of two copies is newer.
Leases that were open are given back: what was spent of them is known, what else the journal knew may not be.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, exc

from pos_app.domain.leases import LeaseState
from pos_app.domain.redemption import Kind
from pos_app.domain.trouble import StorageError
from pos_app.files.columns import moment_text
from pos_app.files.database import bring_up_to_date, open_encrypted
from pos_app.files.folders import replacing, sync_folder
from pos_app.journal.audit import note_in
from pos_app.journal.commit import Commit
from pos_app.journal.export import write_export
from pos_app.journal.file import PRAGMAS, in_own_words
from pos_app.journal.hashes import is_whole, row_hash
from pos_app.journal.pages import FoundRow, Pages
from pos_app.journal.reserve import Reserve
from pos_app.journal.rows import redemption_of
from pos_app.journal.steps import STEPS
from pos_app.journal.tables import FACT, KEPT, LEASE, MARK, REDEMPTION, Kept
from pos_app.services.offline_port import JournalHealth, JournalState

REPORT: Final = "journal.damage"
"""The fact under which a journal says what it was made of."""

_COLUMNS: Final = {each: [column.name for column in each.table.columns] for each in KEPT}
_OF_VERSION_1: Final = _COLUMNS[REDEMPTION][: _COLUMNS[REDEMPTION].index("kind")]
_SINCE_VERSION_1: Final = dict.fromkeys(_COLUMNS[REDEMPTION][len(_OF_VERSION_1) :]) | {
    "kind": Kind.ONLINE.value,
    "sent_by_itself": 0,
    "commit_no": 0,
}

_log = logging.getLogger(__name__)


@dataclass
class Saved:
    """What was found: whole rows by table and key, and how much was not whole."""

    rows: dict[Kept, dict[tuple[Any, ...], dict[str, Any]]] = field(default_factory=lambda: {each: {} for each in KEPT})
    broken_rows: int = 0
    pages: int = 0
    broken_pages: int = 0

    def take(self, kept: Kept, row: dict[str, Any]) -> None:
        """Keep a row, unless a newer copy of it was found: a page that was given up still holds what was in it."""
        key = tuple(row[name] for name in kept.key)
        known = self.rows[kept].get(key)
        if known is None or known["commit_no"] < row["commit_no"]:
            self.rows[kept][key] = row

    def of(self, kept: Kept) -> list[dict[str, Any]]:
        """The rows of a table, in the order in which they began."""
        return sorted(self.rows[kept].values(), key=lambda row: row["id"])


def finish(path: Path) -> None:
    """End a rescue that a crash cut off after the damaged file was moved aside: what was saved lies ready."""
    ready = _ready_at(path)
    if not path.exists() and ready.exists():
        ready.replace(path)


def save(path: Path, key_hex: str, wall: datetime) -> None:
    """Put a new journal in the place of one that cannot be read, with all its rows that are whole.

    Raises:
        StorageError: there is no room for it, or no right; the damaged file is where it was.
    """
    try:
        saved = _read(path, key_hex)
        bad, export = _names(path, wall)
        told = _report(saved, bad, export)
        try:
            _make(path, key_hex, saved, told, wall)
        except StorageError:
            if not Reserve(path.parent).give_up():
                raise
            _make(path, key_hex, saved, told, wall)
        with replacing(export) as file:
            write_export(file, {each.name: saved.of(each) for each in KEPT}, _counts(saved), bad.name, wall)
        _swap(path, bad)
    except OSError as error:
        raise StorageError(
            "The journal of this till is damaged, and its disk does not take what could be saved of it: free some"
            " space, then start again."
        ) from error
    _log.error("the damaged journal was set aside as %s; saved: %s", bad.name, _counts(saved))


def read_report(told: str | None) -> JournalHealth:
    """What a journal says of the damaged one it was made of."""
    tree = json.loads(told or "{}")
    return JournalHealth(JournalState.DAMAGED, tree.get("set_aside"), tree.get("export"), tree.get("message", ""))


# --- Reading -------------------------------------------------------------------------------------------------------


def _read(path: Path, key_hex: str) -> Saved:
    saved = Saved()
    with path.open("rb") as content:
        pages = Pages(content, path.stat().st_size, key_hex)
        saved.pages = pages.count
        saved.broken_pages = sum(not pages.is_sealed(number) for number in range(1, pages.count + 1))
        for found in pages.rows():
            for kept, row in _meanings(found):
                if _is_good(kept, row, found):
                    saved.take(kept, row)
                    break
            else:
                saved.broken_rows += any(True for _ in _meanings(found))
    return saved


def _meanings(found: FoundRow) -> Iterator[tuple[Kept, dict[str, Any]]]:
    """The rows of ours this may be, by how many columns it has; SQLite keeps the first one, the number, apart."""
    if found.values[:1] != [None]:
        return
    for kept, columns in _COLUMNS.items():
        if len(columns) == len(found.values):
            yield kept, dict(zip(columns, found.values, strict=True)) | {"id": found.rowid}
    if len(found.values) == len(_OF_VERSION_1):
        row = dict(zip(_OF_VERSION_1, found.values, strict=True)) | {"id": found.rowid}
        yield REDEMPTION, row | _SINCE_VERSION_1


def _is_good(kept: Kept, row: Mapping[str, Any], found: FoundRow) -> bool:
    if len(found.values) == len(_COLUMNS[kept]):
        return is_whole(kept.name, row)
    try:
        redemption_of(row)
    except (TypeError, ValueError, ArithmeticError, AssertionError, KeyError, AttributeError):
        return False
    return found.is_sealed  # Version 1 had no hashes: only a page that is whole can be believed.


# --- Writing -------------------------------------------------------------------------------------------------------


def _make(path: Path, key_hex: str, saved: Saved, told: str, wall: datetime) -> None:
    """Make the new journal beside the damaged one, whole or not at all."""
    ready = _ready_at(path)
    _remove(ready)
    engine = open_encrypted(ready, key_hex, pragmas=PRAGMAS)

    def fill() -> None:
        with engine.connect() as connection:
            bring_up_to_date(connection, STEPS, path=ready)
            with connection.begin():
                _fill(connection, saved, told, wall)

    try:
        in_own_words(fill)
    finally:
        engine.dispose()
    _with_suffix(ready, "-journal").unlink(missing_ok=True)


def _fill(connection: Connection, saved: Saved, told: str, wall: datetime) -> None:
    for kept in KEPT:
        for row in saved.of(kept):
            if kept is not MARK:
                _add(connection, kept, row, saved)
    _set_mark(connection, saved)
    commit = Commit(connection)
    for row in saved.of(LEASE):
        if row["state"] == LeaseState.OPEN:
            spent = min(row["amount"], max(row["spent"], _spent_of(row["lease_id"], saved)))
            commit.put(LEASE, row | {"state": LeaseState.CLOSING.value, "spent": spent})
    fact = {"name": REPORT, "value": told, "kept_at": moment_text(wall)}
    commit.remove(FACT, fact)
    commit.add(FACT, fact)
    note_in(commit, wall, "journal_salvaged", None, "journal", _counts(saved))
    commit.mark(offline_blocked=JournalState.DAMAGED.value)
    commit.end(wall)


def _add(connection: Connection, kept: Kept, row: dict[str, Any], saved: Saved) -> None:
    """Add a row as it was. Two that cannot both be true are an older and a newer copy: the first found stays."""
    row["row_hash"] = row_hash(kept.name, row)  # Rows of version 1 had none.
    try:
        with connection.begin_nested():
            kept.add(connection, row)
    except exc.IntegrityError:
        saved.broken_rows += 1


def _set_mark(connection: Connection, saved: Saved) -> None:
    """The marking row as it was; without it, what the other rows tell of commits and epochs."""
    known = saved.rows[MARK].get((1,), {"id": 1, "high_water": None, "till_epoch": 0, "offline_blocked": None})
    every = [row for kept in KEPT for row in saved.of(kept)]
    epochs = [row["till_epoch"] for row in every if "till_epoch" in row]
    epochs += [json.loads(row["lease"])["till_epoch"] for row in saved.of(LEASE)]
    mark = known | {
        "commit_no": max((row["commit_no"] for row in every), default=0),
        "till_epoch": max(epochs, default=0),
    }
    MARK.put(connection, mark | {"row_hash": row_hash(MARK.name, mark)})


def _spent_of(lease_id: str, saved: Saved) -> int:
    """What the rows say was spent of a lease, in thousandths."""
    return sum(
        row["points"] for row in saved.of(REDEMPTION) if row["lease_id"] == lease_id and row["kind"] == Kind.LEASE
    )


def _counts(saved: Saved) -> dict[str, object]:
    return {
        "rows": {each.name: len(saved.rows[each]) for each in KEPT},
        "rows_broken": saved.broken_rows,
        "pages": saved.pages,
        "pages_broken": saved.broken_pages,
    }


def _report(saved: Saved, bad: Path, export: Path) -> str:
    message = (
        f"The journal of this till was damaged: {len(saved.rows[REDEMPTION])} redemptions were saved from it, and"
        f" {saved.broken_pages} of its {saved.pages} parts could not be read. It was set aside as {bad.name}: give it"
        f" and {export.name} to support, and enrol this till again. Until then nothing is redeemed here without a line."
    )
    return json.dumps({"set_aside": str(bad), "export": str(export), "message": message})


# --- Files ---------------------------------------------------------------------------------------------------------


def _ready_at(path: Path) -> Path:
    return _with_suffix(path, ".salvaged")


def _with_suffix(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _names(path: Path, wall: datetime) -> tuple[Path, Path]:
    """Where the damaged file goes, and the export beside it."""
    stem = f"{path.stem}.bad-{wall:%Y%m%dT%H%M%SZ}"
    names = (stem if number == 1 else f"{stem}-{number}" for number in range(1, 1_000_000))
    bad = next(each for each in map(path.with_name, names) if not each.exists())
    return bad, _with_suffix(bad, ".jsonl")


def _swap(path: Path, bad: Path) -> None:
    """Move the damaged file aside with what belongs to it, then the new one into its place; see `finish`."""
    beside = _with_suffix(path, "-journal")
    if beside.exists():
        beside.replace(_with_suffix(bad, "-journal"))
    path.replace(bad)
    sync_folder(path.parent)
    finish(path)
    sync_folder(path.parent)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _with_suffix(path, "-journal").unlink(missing_ok=True)
