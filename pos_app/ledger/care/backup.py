"""Backs a ledger up while tills go on (reliability 4.5): everything of one moment, in a file that fits any database."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy import Connection, Table, select, tuple_

from pos_app import __version__
from pos_app.files.folders import FILE_MODE, make_private_folder
from pos_app.ledger import schema
from pos_app.ledger.care import audit
from pos_app.ledger.care.backup_file import (
    MANIFEST,
    SECRET_NAMES,
    TABLES,
    KeptTable,
    Manifest,
    RowForm,
    pepper_mark,
    secret_path,
    table_path,
)
from pos_app.ledger.databases.database import Store
from pos_app.wire.moments import write_moment

_PAGE: Final = 2000
_EFFORT: Final = 3
"""Of the compression: rows are alike, and more effort costs more time than it saves room."""

Progress = Callable[[str, int], None]
"""Told the table and how many of its rows are done."""


def back_up(
    store: Store, file: Path, *, secrets: Path, with_secrets: bool, now: datetime, progress: Progress | None = None
) -> Manifest:
    """Write a backup. A file that was there is replaced once the new one is whole; only its owner can read it.

    Args:
        store: the ledger; it may be in use.
        file: where to.
        secrets: the ledger's secrets folder; it need not exist.
        with_secrets: also copy the secrets that are there.
        now: the ledger's clock.
        progress: told how far it is.

    Raises:
        LedgerBusyError: the database was not had in time.
        OSError: the file cannot be written.
    """
    make_private_folder(file.parent)
    beside = file.with_name(file.name + ".new")
    handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    try:
        with os.fdopen(handle, "wb") as opened:
            beside.chmod(FILE_MODE)
            with ZipFile(opened, "w", ZIP_DEFLATED, compresslevel=_EFFORT) as archive:
                manifest = _write(store, archive, secrets, with_secrets=with_secrets, now=now, progress=progress)
            opened.flush()
            os.fsync(opened.fileno())
        beside.replace(file)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    detail = {"rows": manifest.rows, "secrets": with_secrets}
    store.writing(
        lambda connection: audit.record(
            connection, at=now, org=None, act="ledger.backup", who=audit.COMMAND_LINE, detail=detail
        )
    )
    return manifest


def _write(
    store: Store, archive: ZipFile, secrets: Path, *, with_secrets: bool, now: datetime, progress: Progress | None
) -> Manifest:
    with store.read_aside() as connection:
        meta = connection.execute(select(schema.meta.c.name, schema.meta.c.number).order_by(schema.meta.c.name))
        numbers = {row.name: row.number for row in meta}
        tables = tuple(_write_table(connection, archive, table, progress) for table in TABLES)
    copied = {}
    for name in SECRET_NAMES if with_secrets else ():
        if (secrets / name).is_file():
            content = (secrets / name).read_bytes()
            copied[name] = hashlib.sha256(content).hexdigest()
            archive.writestr(secret_path(name), content)
    pepper = secrets / "pepper"
    manifest = Manifest(
        schema=schema.SCHEMA,
        made_at=write_moment(now),
        program=__version__,
        numbers=numbers,
        tables=tables,
        secrets=copied,
        pepper=pepper_mark(pepper.read_bytes()) if pepper.is_file() else None,
    )
    archive.writestr(MANIFEST, manifest.write())
    return manifest


def _write_table(connection: Connection, archive: ZipFile, table: Table, progress: Progress | None) -> KeptTable:
    columns, digest, count = tuple(table.c.keys()), hashlib.sha256(), 0
    form = RowForm(table, columns)
    with archive.open(table_path(table.name), "w", force_zip64=True) as file:
        for page in _pages(connection, table):
            lines = b"".join(map(form.write, page))
            digest.update(lines)
            file.write(lines)
            count += len(page)
            if progress is not None:
                progress(table.name, count)
    return KeptTable(table.name, columns, count, digest.hexdigest())


def _pages(connection: Connection, table: Table) -> Iterator[Sequence[Any]]:
    """All rows in the order of their keys, some at a time: each page begins behind the last key of the one before."""
    keys = tuple(table.primary_key.columns)
    places = [list(table.c).index(key) for key in keys]
    statement = select(table).order_by(*keys).limit(_PAGE)
    page = connection.execute(statement).all()
    while page:
        yield page
        if len(page) < _PAGE:
            return
        last = [page[-1][place] for place in places]
        page = connection.execute(statement.where(tuple_(*keys) > tuple_(*last))).all()
