"""Loads a ledger from JSON Lines (import format): streaming, all or nothing unless told otherwise."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TextIO

from pos_app.domain.points import ZERO, Points
from pos_app.ledger.book import Book
from pos_app.ledger.import_fields import FaultyLineError, Fields
from pos_app.ledger.import_history import keep_redemption
from pos_app.ledger.import_people import StatedCustomer, keep_customers, keep_family_group, read_customer
from pos_app.ledger.import_setup import (
    Site,
    check_defaults,
    keep_operator,
    keep_organisation,
    keep_program,
    keep_till,
)

BATCH: Final = 500
LINE_MAX: Final = 16 * 1024 * 1024
KINDS: Final = ("organisation", "program", "till", "operator", "customer", "family_group", "redemption")
"""In the order they come in."""

_SIMPLE: Final = {
    "organisation": keep_organisation,
    "program": keep_program,
    "till": keep_till,
    "operator": keep_operator,
    "redemption": keep_redemption,
}


class ImportRefusedError(Exception):
    """The file was refused and nothing of it is kept; the message names file, line, field, found and expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlTotal:
    """What a file held: good lines by kind, the points they state, and how many lines were refused."""

    organisations: int = 0
    programs: int = 0
    tills: int = 0
    operators: int = 0
    customers: int = 0
    family_groups: int = 0
    redemptions: int = 0
    points: Points = ZERO
    refused: int = 0

    def __str__(self) -> str:
        """The last line of an import."""
        counted = ", ".join(
            f"{count} {name}"
            for name, count in (
                ("organisations", self.organisations),
                ("programs", self.programs),
                ("tills", self.tills),
                ("operators", self.operators),
                ("customers", self.customers),
                ("family groups", self.family_groups),
                ("redemptions", self.redemptions),
            )
        )
        refused = f", {self.refused} lines refused" if self.refused else ""
        return f"{counted}, {self.points} points{refused}"


Progress = Callable[[ControlTotal], None]


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    kind: str
    document: dict[str, Any]
    raw: bytes


def import_file(
    book: Book,
    lines: Iterable[bytes],
    *,
    file_name: str,
    keep_good: bool = False,
    progress: Progress | None = None,
) -> ControlTotal:
    """Load lines into a ledger. The same file again changes nothing.

    With `keep_good` faulty lines go to `FILE.refused.jsonl`, each with its reason, and the others are kept.
    `progress` hears the total so far after each batch.

    Raises:
        ImportRefusedError: a line is faulty and `keep_good` is off.
        LedgerBusyError: the database was not had in time.
    """
    run = _Run(book, file_name, keep_good, progress)
    try:
        run.load(_batches(run.read(lines)))
    finally:
        run.close()
    return run.total


class _Run:
    """One import on its way: what it counted, and what it does about faulty lines."""

    def __init__(self, book: Book, file_name: str, keep_good: bool, progress: Progress | None) -> None:
        self.total = ControlTotal()
        self._book = book
        self._file_name = file_name
        self._keep_good = keep_good
        self._progress = progress
        self._refused: TextIO | None = None
        self._raw: dict[int, bytes] = {}
        self._kind = 0

    def read(self, lines: Iterable[bytes]) -> Iterator[_Line]:
        """Read the lines one by one; a faulty one is told about, and left out."""
        for number, raw in enumerate(lines, start=1):
            text = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
            if not text.strip():
                continue
            try:
                yield self._line(number, text)
            except FaultyLineError as fault:
                self._raw[number] = text
                self._tell(number, fault)

    def _line(self, number: int, raw: bytes) -> _Line:
        if len(raw) > LINE_MAX:
            raise FaultyLineError("line", f"{len(raw)} bytes", f"at most {LINE_MAX}")
        try:
            document = json.loads(raw.decode("utf-8"), parse_float=Decimal, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise FaultyLineError("line", "something that is no JSON in UTF-8", "one JSON object") from error
        if not isinstance(document, dict):
            raise FaultyLineError("line", "something else", "one JSON object")
        kind = document.pop("kind", None)
        if kind not in KINDS:
            raise FaultyLineError("kind", "an unknown kind" if kind else "nothing", "one of " + ", ".join(KINDS))
        if KINDS.index(kind) < self._kind:
            found = f"{kind} after {KINDS[self._kind]}"
            raise FaultyLineError("kind", found, "the kinds in order: " + ", ".join(KINDS))
        self._kind = KINDS.index(kind)
        return _Line(number, kind, document, raw)

    def load(self, batches: Iterable[Sequence[_Line]]) -> None:
        """Write everything: in one transaction, or in one for each batch where good lines are kept."""
        store, pepper = self._book.store, self._book.secrets.pepper
        site = Site(pepper, keep_good=self._keep_good)
        if self._keep_good:
            for batch in batches:
                with store.write() as connection, site.within(connection):
                    self._write(site, batch)
            with store.write() as connection, site.within(connection):
                self._check_defaults(site)
        else:
            with store.write() as connection, site.within(connection):
                for batch in batches:
                    self._write(site, batch)
                self._check_defaults(site)

    def _write(self, site: Site, batch: Sequence[_Line]) -> None:
        kind = batch[0].kind
        if kind != "program":
            self._check_defaults(site)
        if self._keep_good:
            self._raw = {line.number: line.raw for line in batch}
        if kind == "customer":
            self._write_customers(site, batch)
        else:
            for line in batch:
                with self._told(line.number):
                    self._write_one(site, line)
        if self._progress is not None:
            self._progress(self.total)

    def _write_one(self, site: Site, line: _Line) -> None:
        fields, points = Fields(line.document), ZERO
        if line.kind == "family_group":
            points = keep_family_group(site, fields, self._book.clock.wall()).points
        else:
            _SIMPLE[line.kind](site, fields, line.number)
        self._count(line.kind, points)

    def _write_customers(self, site: Site, batch: Sequence[_Line]) -> None:
        """Customers go together, except that one who comes twice waits for her first line to be written."""
        waiting: dict[tuple[int, int], StatedCustomer] = {}
        for line in batch:
            with self._told(line.number):
                stated = read_customer(site, Fields(line.document), line.number)
                if stated.key in waiting:
                    self._flush(site, waiting)
                waiting[stated.key] = stated
        self._flush(site, waiting)

    def _flush(self, site: Site, waiting: dict[tuple[int, int], StatedCustomer]) -> None:
        for each in keep_customers(site, list(waiting.values()), self._book.clock.wall(), self._tell):
            self._count("customer", each.holdings.points)
        waiting.clear()

    def _check_defaults(self, site: Site) -> None:
        found = check_defaults(site)
        if found is not None:
            site.last_program.clear()
            self._tell(*found)

    @contextmanager
    def _told(self, number: int) -> Iterator[None]:
        """Around the reading of one line: a fault in it is told about with its number."""
        try:
            yield
        except FaultyLineError as fault:
            self._tell(number, fault)

    def _count(self, kind: str, points: Points) -> None:
        name = f"{kind}s"
        self.total = replace(self.total, **{name: getattr(self.total, name) + 1}, points=self.total.points + points)

    def _tell(self, number: int, fault: FaultyLineError) -> None:
        """Refuse the file, or only this line.

        Raises:
            ImportRefusedError: the file.
        """
        if not self._keep_good:
            raise ImportRefusedError(f"{self._file_name}, line {number}, {fault}") from fault
        if self._refused is None:
            path = Path(f"{self._file_name}.refused.jsonl")
            with suppress(FileNotFoundError):
                path.unlink()
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._refused = os.fdopen(handle, "w", encoding="utf-8")
        reason = {"file": self._file_name, "number": number, "field": fault.field}
        reason |= {"found": fault.found, "expected": fault.expected}
        raw = self._raw.pop(number, b"").decode("utf-8", "replace").rstrip("\r\n")
        self._refused.write(json.dumps({**reason, "line": raw}, ensure_ascii=False) + "\n")
        self.total = replace(self.total, refused=self.total.refused + 1)

    def close(self) -> None:
        """Close the file of refused lines."""
        if self._refused is not None:
            self._refused.close()


def _batches(lines: Iterable[_Line]) -> Iterator[list[_Line]]:
    """Neighbouring lines of one kind, at most `BATCH` at a time."""
    batch: list[_Line] = []
    for line in lines:
        if batch and (line.kind != batch[0].kind or len(batch) >= BATCH):
            yield batch
            batch = []
        batch.append(line)
    if batch:
        yield batch


def _no_constant(_name: str) -> None:
    raise ValueError
