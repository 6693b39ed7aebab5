"""What an administrator does to look after a whole ledger: verify, backup, restore."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from pos_app.files.clock import SystemClock
from pos_app.ledger.care.backup import Progress, back_up
from pos_app.ledger.care.backup_file import BackupFile, BadBackupError
from pos_app.ledger.care.restore import CannotRestoreError, check_secrets, restore, restore_secrets
from pos_app.ledger.care.verify import find_differences
from pos_app.ledger.commands import BROKEN, BUSY, DIFFERS, DONE, TROUBLE, CannotOpenError, LedgerPlace, Say
from pos_app.ledger.errors import LedgerBusyError


def verify_ledger(place: LedgerPlace, say: Say) -> int:
    """Recompute everything from the entries, as of one moment, while tills go on. Exit 1 on a difference."""
    try:
        store = place.open_store(must_exist=True)
    except CannotOpenError as error:
        say(str(error))
        return TROUBLE
    count, slices = 0, _counting("checked")
    try:
        with store.read_aside() as connection:
            for difference in find_differences(connection, after_slice=slices):
                say(str(difference))
                count += 1
    except (LedgerBusyError, DBAPIError) as error:
        say(BUSY if isinstance(error, LedgerBusyError) else BROKEN)
        return TROUBLE
    finally:
        store.close()
        _end_line()
    say("The ledger is clean." if not count else f"{count} differences.")
    return DIFFERS if count else DONE


def back_up_ledger(place: LedgerPlace, file: Path, *, with_secrets: bool, say: Say) -> int:
    """Write a backup of one moment, while tills go on."""
    try:
        store = place.open_store(must_exist=True)
    except CannotOpenError as error:
        say(str(error))
        return TROUBLE
    try:
        manifest = back_up(
            store,
            file,
            secrets=place.secrets,
            with_secrets=with_secrets,
            now=SystemClock().wall(),
            progress=_progress("Backing up"),
        )
    except (LedgerBusyError, DBAPIError) as error:
        say(BUSY if isinstance(error, LedgerBusyError) else BROKEN)
        return TROUBLE
    except OSError as error:
        say(f"{file} cannot be written ({error.strerror}).")
        return TROUBLE
    finally:
        store.close()
        _end_line()
    say(f"Backed up {manifest.rows:,} rows to {file}, which only you can read.")
    if manifest.secrets:
        say(f"It also holds the ledger's secrets ({', '.join(manifest.secrets)}): keep it as safe as they are.")
    else:
        say(f"It holds no secrets: keep a copy of {place.secrets} in a safe place, or back up with --with-secrets.")
    return DONE


def restore_ledger(place: LedgerPlace, file: Path, say: Say) -> int:
    """Bring a backup back into an empty ledger. Exit 1 when file or ledger will not do."""
    try:
        backup = BackupFile(file)
    except OSError as error:
        say(f"{file} cannot be read ({error.strerror}).")
        return TROUBLE
    except BadBackupError as error:
        say(str(error))
        return DIFFERS
    try:
        check_secrets(backup, place.secrets)
        store = place.open_store(must_exist=False)
        try:
            epoch = restore(store, backup, now=SystemClock().wall(), progress=_progress("Restoring"))
        finally:
            store.close()
            _end_line()
        about_secrets = restore_secrets(backup, place.secrets)
    except (CannotRestoreError, BadBackupError) as error:
        say(str(error))
        return DIFFERS
    except CannotOpenError as error:
        say(str(error))
        return TROUBLE
    except (LedgerBusyError, DBAPIError) as error:
        say(BUSY if isinstance(error, LedgerBusyError) else BROKEN)
        return TROUBLE
    except OSError as error:
        say(f"The secrets cannot be written to {place.secrets} ({error.strerror}).")
        return TROUBLE
    finally:
        backup.close()
    say(f"Restored {backup.manifest.rows:,} rows as of {backup.manifest.made_at}. The ledger's epoch is now {epoch}.")
    say(about_secrets)
    return DONE


# --- Progress, on a terminal only ----------------------------------------------------------------------------------


def _progress(doing: str) -> Progress | None:
    if not sys.stderr.isatty():
        return None
    return lambda table, rows: _show(f"{doing} {table}: {rows:,} rows")


def _counting(done: str) -> Callable[[], None] | None:
    if not sys.stderr.isatty():
        return None
    slices = 0

    def after_slice() -> None:
        nonlocal slices
        slices += 1
        _show(f"{slices * 500:,} rows {done}")

    return after_slice


def _show(line: str) -> None:
    sys.stderr.write(f"\r\x1b[K{line}")
    sys.stderr.flush()


def _end_line() -> None:
    if sys.stderr.isatty():
        _show("")
