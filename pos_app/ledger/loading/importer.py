"""Loads a ledger from JSON Lines (import format): streaming, all or nothing unless told otherwise."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple, TextIO

from pos_app.domain.points import ZERO, Points
from pos_app.ledger.book import Book
from pos_app.ledger.databases.database import LostRaceError
from pos_app.ledger.errors import LedgerBusyError
from pos_app.ledger.loading.customer_lines import (
    PlainCustomer,
    StatedCustomer,
    decode_plain,
    read_plain_customer,
)
from pos_app.ledger.loading.customers import keep_customers, read_customer
from pos_app.ledger.loading.families import keep_groups, read_group
from pos_app.ledger.loading.fields import FaultyLineError, Fields
from pos_app.ledger.loading.history import keep_redemptions, read_redemption
from pos_app.ledger.loading.setup import (
    Site,
    check_defaults,
    keep_operator,
    keep_organisation,
    keep_program,
    keep_till,
)

BATCH: Final = 1000
LINE_MAX: Final = 16 * 1024 * 1024
KINDS: Final = ("organisation", "program", "till", "operator", "customer", "family_group", "redemption")
"""In the order they come in."""

_ORDER: Final = {kind: number for number, kind in enumerate(KINDS)}
_CUSTOMER: Final = _ORDER["customer"]
_SIMPLE: Final = {
    "organisation": keep_organisation,
    "program": keep_program,
    "till": keep_till,
    "operator": keep_operator,
}
_TOGETHER: Final[dict[str, tuple[Callable[..., Any], Callable[..., list[Any]]]]] = {
    "customer": (read_customer, keep_customers),
    "family_group": (read_group, keep_groups),
    "redemption": (read_redemption, keep_redemptions),
}
"""Kinds that come by the million: each line is read by itself, and a batch of them is written together."""


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

    @property
    def rows(self) -> int:
        """All lines that were dealt with."""
        good = (self.organisations, self.programs, self.tills, self.operators, self.customers, self.family_groups)
        return sum(good) + self.redemptions + self.refused

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


class _Line(NamedTuple):
    number: int
    kind: str
    document: dict[str, Any] | PlainCustomer
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
        if self._kind == _CUSTOMER:
            plain = decode_plain(raw)
            if plain is not None:
                return _Line(number, "customer", plain, raw)
        document = _decoded(raw)
        kind = document.pop("kind", None)
        order = _ORDER.get(kind) if isinstance(kind, str) else None
        if order is None:
            raise FaultyLineError("kind", "an unknown kind" if kind else "nothing", "one of " + ", ".join(KINDS))
        if order < self._kind:
            found = f"{kind} after {KINDS[self._kind]}"
            raise FaultyLineError("kind", found, "the kinds in order: " + ", ".join(KINDS))
        self._kind = order
        return _Line(number, kind, document, raw)

    def load(self, batches: Iterable[Sequence[_Line]]) -> None:
        """Write everything: in one transaction, or in one for each batch where good lines are kept."""
        store, pepper = self._book.store, self._book.secrets.pepper
        site = Site(pepper, store.bulk, self._book.clock.wall(), keep_good=self._keep_good)
        try:
            with _seldom_collecting():
                if self._keep_good:
                    for batch in batches:
                        with store.write() as connection, site.within(connection):
                            self._write(site, batch)
                    batches = ()
                with store.write() as connection, site.within(connection):
                    for batch in batches:
                        self._write(site, batch)
                    self._check_defaults(site)
                    if self.total.rows >= BATCH:
                        store.bulk.take_stock(connection)
        except LostRaceError as error:
            raise LedgerBusyError from error

    def _write(self, site: Site, batch: Sequence[_Line]) -> None:
        kind = batch[0].kind
        if kind != "program":
            self._check_defaults(site)
        if self._keep_good:
            self._raw = {line.number: line.raw for line in batch}
        if kind in _TOGETHER:
            self._write_together(site, kind, batch)
        else:
            for line in batch:
                try:
                    _SIMPLE[kind](site, Fields(_document_of(line)), line.number)
                except FaultyLineError as fault:
                    self._tell(line.number, fault)
                else:
                    self._count(kind, 1)
        if self._progress is not None:
            self._progress(self.total)

    def _write_together(self, site: Site, kind: str, batch: Sequence[_Line]) -> None:
        """All of a batch, except that who comes twice waits for the first line to be written."""
        read, keep = _TOGETHER[kind]
        waiting: dict[tuple[object, ...], Any] = {}

        def flush() -> None:
            taken = keep(site, list(waiting.values()), site.now, self._tell)
            self._count(kind, len(taken), Points(sum([each.points for each in taken])))
            waiting.clear()

        for line in batch:
            try:
                stated = _stated(site, line) or read(site, Fields(_document_of(line)), line.number)
            except FaultyLineError as fault:
                self._tell(line.number, fault)
            else:
                if stated.key in waiting:
                    flush()
                waiting[stated.key] = stated
        flush()

    def _check_defaults(self, site: Site) -> None:
        found = check_defaults(site)
        if found is not None:
            site.last_program.clear()
            self._tell(*found)

    def _count(self, kind: str, count: int, points: Points = ZERO) -> None:
        name = f"{kind}s"
        counted = {name: getattr(self.total, name) + count}
        self.total = replace(self.total, **counted, points=self.total.points + points)

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


def _decoded(raw: bytes) -> dict[str, Any]:
    """The JSON object of one line.

    Raises:
        FaultyLineError: it has none.
    """
    try:
        document = _JSON.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FaultyLineError("line", "something that is no JSON in UTF-8", "one JSON object") from error
    if not isinstance(document, dict):
        raise FaultyLineError("line", "something else", "one JSON object")
    return document


def _stated(site: Site, line: _Line) -> StatedCustomer | None:
    """A customer whose line could be read the quick way."""
    if isinstance(line.document, PlainCustomer):
        return read_plain_customer(site.organisations, line.document, line.number)
    return None


def _document_of(line: _Line) -> dict[str, Any]:
    """A line as the careful way reads it."""
    if isinstance(line.document, PlainCustomer):
        document = _decoded(line.raw)
        del document["kind"]
        return document
    return line.document


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


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Search for garbage a hundred times less often: rows by the million hold none, and the search takes its time."""
    usual = gc.get_threshold()
    gc.set_threshold(100 * usual[0], *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _no_constant(_name: str) -> None:
    raise ValueError


_JSON: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)
