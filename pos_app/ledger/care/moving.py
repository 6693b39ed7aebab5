"""Loading a ledger from a file and writing it into one, from the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from pos_app.files.clock import SystemClock
from pos_app.files.folders import replacing
from pos_app.ledger.book import Book
from pos_app.ledger.commands import BROKEN, BUSY, DIFFERS, DONE, TROUBLE, CannotOpenError, LedgerPlace, Say
from pos_app.ledger.databases.database import Store
from pos_app.ledger.errors import LedgerBusyError
from pos_app.ledger.loading.exporter import UnknownOrganisationError, count_rows, export_ledger
from pos_app.ledger.loading.importer import ControlTotal, ImportRefusedError, import_file
from pos_app.ledger.loading.progress import CountedLines, Progress


def import_into(place: LedgerPlace, file: Path, *, keep_good: bool, say: Say) -> int:
    """Load a file in the import format. Exit 1 when lines were refused."""
    is_input = str(file) == "-"
    try:
        opened = sys.stdin.buffer if is_input else file.open("rb")
        size = None if is_input or not file.is_file() else file.stat().st_size
    except OSError as error:
        say(f"{file} cannot be read ({error.strerror}).")
        return TROUBLE
    with opened as lines:
        try:
            book = place.open()
        except CannotOpenError as error:
            say(str(error))
            return TROUBLE
        name = "standard input" if is_input else str(file)
        with closing(book):
            return _load(book, lines, name, size=size, keep_good=keep_good, say=say)


def _load(book: Book, lines: Iterable[bytes], name: str, *, size: int | None, keep_good: bool, say: Say) -> int:
    progress, counted = Progress(book.clock, sys.stderr, whole=size), CountedLines(lines)

    def tell(total: ControlTotal) -> None:
        progress.tell(total.rows, counted.count_bytes)

    try:
        total = import_file(book, counted, file_name=name, keep_good=keep_good, progress=tell)
    except ImportRefusedError as error:
        progress.close()
        say(str(error))
        return DIFFERS
    except (LedgerBusyError, DBAPIError) as error:
        progress.close()
        why = "was busy for too long" if isinstance(error, LedgerBusyError) else "went away, or is damaged"
        kept = "What was loaded before is kept; load the same file again." if keep_good else "Nothing was loaded."
        say(f"The ledger's database {why}. {kept}")
        return TROUBLE
    progress.close()
    say(str(total))
    return DIFFERS if total.refused else DONE


def export_from(place: LedgerPlace, file: Path, *, organisation_id: int | None, say: Say) -> int:
    """Write a ledger, or one organisation of it, in the import format. The file is its owner's alone."""
    try:
        store = place.open_store(must_exist=True)
    except CannotOpenError as error:
        say(str(error))
        return TROUBLE
    is_output = str(file) == "-"
    try:
        if is_output:
            count = _write(store, sys.stdout.buffer.write, organisation_id)
            sys.stdout.buffer.flush()
        else:
            with replacing(file) as out:
                count = _write(store, out.write, organisation_id)
    except UnknownOrganisationError as error:
        say(str(error))
        return DIFFERS
    except (LedgerBusyError, DBAPIError) as error:
        say(BUSY if isinstance(error, LedgerBusyError) else BROKEN)
        return TROUBLE
    except OSError as error:
        say(f"{'Standard output' if is_output else file} cannot be written ({error.strerror}).")
        return TROUBLE
    finally:
        store.close()
    if not is_output:
        say(
            f"{count} lines were written to {file}. "
            "Keep them like the ledger itself: they hold its customers and hashes."
        )
    return DONE


def _write(store: Store, write: Callable[[bytes], object], organisation_id: int | None) -> int:
    progress = Progress(SystemClock(), sys.stderr, whole=count_rows(store, organisation_id))
    try:
        return export_ledger(
            store, write, organisation_id=organisation_id, progress=lambda count: progress.tell(count, count)
        )
    finally:
        progress.close()
