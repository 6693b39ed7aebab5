"""Brings a backup back into an empty ledger, and gives it an epoch of its own (sync-api 2, reliability 4.4).

Tills see the new epoch, take a new snapshot and offer what they redeemed since the backup again; known keys replay.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from pos_app.files.folders import replace_file
from pos_app.ledger import schema
from pos_app.ledger.care import audit
from pos_app.ledger.care.backup_file import TABLES, BackupFile, BadBackupError, pepper_mark
from pos_app.ledger.databases.bulk import AlreadyThereError
from pos_app.ledger.databases.database import Store
from pos_app.ledger.databases.locks import hold_setup

_BATCH: Final = 2000
_ANY: Final = 0
"""Nothing of what comes in is noted for tills, of any organisation: they will see another epoch."""

_FRESH_LOGINS: Final = "else no till can log in until `pos-app ledger till rotate` gave it a new password"

Progress = Callable[[str, int], None]


class CannotRestoreError(Exception):
    """Nothing was restored; the message is a sentence for the administrator."""


def restore(store: Store, backup: BackupFile, *, now: datetime, progress: Progress | None = None) -> int:
    """Fill an empty ledger from a backup, all of it or nothing; returns its new epoch.

    Raises:
        CannotRestoreError: the ledger holds something.
        BadBackupError: the file says otherwise than its manifest.
        LedgerBusyError: the database was not had in time.
    """

    def work(connection: Connection) -> int:
        hold_setup(connection)
        _check_empty(connection)
        connection.execute(insert(schema.feed_muted), {"org": _ANY})
        for kept in backup.manifest.tables:
            table, rows, count = schema.metadata.tables[kept.name], backup.rows(kept), 0
            while batch := list(islice(rows, _BATCH)):
                store.bulk.insert(connection, table, kept.columns, batch)
                count += len(batch)
                if progress is not None:
                    progress(kept.name, count)
            if count != kept.rows:
                raise BadBackupError(f"The backup promises {kept.rows} rows of {kept.name} and holds {count}.")
        store.number_on(connection, TABLES)
        connection.execute(delete(schema.feed_muted))
        epoch = _set_numbers(connection, backup.manifest.numbers, now)
        detail = {"epoch": epoch, "made_at": backup.manifest.made_at, "rows": backup.manifest.rows}
        audit.record(connection, at=now, org=None, act="ledger.restore", who=audit.COMMAND_LINE, detail=detail)
        return epoch

    try:
        return store.writing(work)
    except AlreadyThereError as error:
        raise CannotRestoreError("The rows of this backup contradict each other; nothing was restored.") from error


def _check_empty(connection: Connection) -> None:
    for table in TABLES:
        if connection.execute(select(*table.primary_key.columns).limit(1)).first() is not None:
            raise CannotRestoreError(
                "This ledger already holds something, and a restore must not mix two ledgers: name an empty database."
            )


def _set_numbers(connection: Connection, kept: dict[str, int], now: datetime) -> int:
    """The numbers of the backup, with an epoch that no ledger had before.

    The next number would not do: the same backup restored twice would have the same epoch twice, and tills would not
    notice the second time. The second of the restore comes only once.
    """
    epoch = max(kept["epoch"] + 1, int(now.timestamp()))
    numbers = kept | {"epoch": epoch, "rules_version": kept["rules_version"] + 1}
    connection.execute(delete(schema.job))
    connection.execute(delete(schema.meta))
    connection.execute(insert(schema.meta), [{"name": name, "number": number} for name, number in numbers.items()])
    return numbers["epoch"]


# --- Secrets (sync-api 14) -----------------------------------------------------------------------------------------


def check_secrets(backup: BackupFile, folder: Path) -> None:
    """Make sure that bringing the backup's secrets back overwrites no others.

    Raises:
        CannotRestoreError: it would.
    """
    for name in backup.manifest.secrets:
        file = folder / name
        if file.exists() and file.read_bytes() != backup.secret(name):
            raise CannotRestoreError(
                f"{file} is another secret than the backup's, and is not overwritten: name another folder by --secrets."
            )


def restore_secrets(backup: BackupFile, folder: Path) -> str:
    """Write the secrets a backup brings along, and say in a sentence how it stands with the ledger's secrets."""
    for name in backup.manifest.secrets:
        replace_file(folder / name, backup.secret(name))
    if backup.manifest.secrets:
        return f"The secrets were restored to {folder}."
    pepper = folder / "pepper"
    if pepper.is_file() and pepper_mark(pepper.read_bytes()) == backup.manifest.pepper:
        return f"The secrets in {folder} are those of this ledger."
    found = "are not those of this ledger" if pepper.is_file() else "are missing"
    return f"The secrets in {folder} {found}: put the old folder there before the ledger is served, {_FRESH_LOGINS}."
