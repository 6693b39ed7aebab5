"""What a backup file looks like: a zip with one file of JSON lines a table, and a manifest that vouches for them.

    tables/NAME.jsonl   one row a line, a JSON array in the order of the manifest's columns
    secrets/NAME        the ledger's secrets, only where they were asked for
    manifest.json       what it is, of which version, how many rows, and the SHA-256 of every other file

The rows are plain values (bytes as base64), so that a ledger may come back on another kind of database.
"""

from __future__ import annotations

import errno
import hashlib
import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final
from zipfile import BadZipFile, ZipFile

from sqlalchemy import LargeBinary, Table

from pos_app.ledger import schema

FORMAT: Final = "points-desk-ledger-backup"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
SECRET_NAMES: Final = ("pepper", "signing.key", "admin.token", "smtp.password", "webhook.key")
_NOT_KEPT: Final = ("meta", "job", "change_feed", "feed_mark", "feed_muted")
TABLES: Final = tuple(each for each in schema.metadata.sorted_tables if each.name not in _NOT_KEPT)
"""What a ledger holds, each table after those it refers to. `meta` has the manifest's numbers, jobs begin anew.

So does the change feed: a restored ledger has another epoch, at which tills take a new snapshot.
"""

_MANIFEST_MAX: Final = 1024 * 1024
_BLOCK: Final = 1024 * 1024
_DAMAGE: Final = (BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, RuntimeError)


class BadBackupError(Exception):
    """This file cannot be restored; the message is a sentence for the administrator."""


@dataclass(frozen=True, slots=True)
class KeptTable:
    """One table of a backup."""

    name: str
    columns: tuple[str, ...]
    rows: int
    sha256: str

    @property
    def path(self) -> str:
        """Its file in the zip."""
        return table_path(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself. `numbers` are the rows of `meta`, `pepper` tells which secrets belong to it."""

    schema: int
    made_at: str
    program: str
    numbers: dict[str, int]
    tables: tuple[KeptTable, ...]
    secrets: dict[str, str]
    pepper: str | None

    @property
    def rows(self) -> int:
        """How many rows all tables have."""
        return sum(each.rows for each in self.tables)

    def write(self) -> bytes:
        """The manifest as a file."""
        return json.dumps({"format": FORMAT, "version": VERSION, **asdict(self)}, indent=1).encode("utf-8")


def table_path(name: str) -> str:
    """Where a table's rows are in the zip."""
    return f"tables/{name}.jsonl"


def secret_path(name: str) -> str:
    """Where a secret is in the zip."""
    return f"secrets/{name}"


def pepper_mark(pepper: bytes) -> str:
    """Tells whether a pepper is the one of a backup, without telling the pepper."""
    return hashlib.sha256(b"points-desk-pepper" + pepper).hexdigest()


# --- Rows ----------------------------------------------------------------------------------------------------------


class RowForm:
    """How rows of some columns of a table are written and read."""

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        self._bytes = [place for place, name in enumerate(columns) if isinstance(table.c[name].type, LargeBinary)]
        self._count = len(columns)

    def write(self, row: Sequence[Any]) -> bytes:
        """One line."""
        values = list(row)
        for place in self._bytes:
            values[place] = b64encode(values[place]).decode("ascii")
        return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n"

    def read(self, line: bytes) -> tuple[Any, ...]:
        """One row.

        Raises:
            ValueError: the line is none.
        """
        values = json.loads(line)
        if len(values) != self._count:
            raise ValueError("a row of another length")
        for place in self._bytes:
            values[place] = b64decode(values[place], validate=True)
        return tuple(values)


# --- Reading -------------------------------------------------------------------------------------------------------


class BackupFile:
    """A backup that was read through once: all its checksums are right.

    Raises:
        BadBackupError: it is none, or damaged, or of another version.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        file = path.open("rb")
        try:
            self._zip = ZipFile(file)
            self.manifest: Final = self._read_manifest()
            self._check()
        except BadBackupError:
            file.close()
            raise
        except (*_DAMAGE, OSError) as error:
            file.close()
            if isinstance(error, OSError) and error.errno != errno.EINVAL:
                raise
            # EINVAL: a damaged directory of the archive points before the file's first byte.
            raise BadBackupError(f"{path} is no backup of a ledger, or it is damaged.") from error
        self._file = file

    def rows(self, kept: KeptTable) -> Iterator[tuple[Any, ...]]:
        """The rows of a table.

        Raises:
            BadBackupError: the file changed since it was checked.
        """
        form = RowForm(schema.metadata.tables[kept.name], kept.columns)
        try:
            with self._zip.open(kept.path) as lines:
                for line in lines:
                    yield form.read(line)
        except _DAMAGE as error:
            raise BadBackupError(f"{self._path} is damaged in {kept.path}.") from error

    def secret(self, name: str) -> bytes:
        """One of the secrets it brings along."""
        return self._zip.read(secret_path(name))

    def close(self) -> None:
        """Close the file."""
        self._zip.close()
        self._file.close()

    def _read_manifest(self) -> Manifest:
        with self._zip.open(MANIFEST) as file:
            told = json.loads(file.read(_MANIFEST_MAX))
        if told["format"] != FORMAT:
            raise BadBackupError(f"{self._path} is no backup of a ledger.")
        if told["version"] != VERSION or told["schema"] != schema.SCHEMA:
            raise BadBackupError(
                f"{self._path} was written by version {told['program']} of this program, which kept its ledger"
                " otherwise: restore it with that version, then open it with this one."
            )
        return Manifest(
            schema=told["schema"],
            made_at=told["made_at"],
            program=told["program"],
            numbers={str(name): int(number) for name, number in told["numbers"].items()},
            tables=tuple(
                KeptTable(each["name"], tuple(each["columns"]), int(each["rows"]), each["sha256"])
                for each in told["tables"]
            ),
            secrets=dict(told["secrets"]),
            pepper=told["pepper"],
        )

    def _check(self) -> None:
        """Every file is what the manifest says, and every table and column one this program knows."""
        for kept in self.manifest.tables:
            table = schema.metadata.tables.get(kept.name)
            if table is None or table not in TABLES or not set(kept.columns) <= set(table.c.keys()):
                raise BadBackupError(f"{self._path} holds {kept.name} in a way this version does not know.")
            with self._zip.open(kept.path) as file:
                self._check_sum(kept.path, file, kept.sha256)
        for name, sha256 in self.manifest.secrets.items():
            if name not in SECRET_NAMES:
                raise BadBackupError(f"{self._path} holds a secret this version does not know.")
            with self._zip.open(secret_path(name)) as file:
                self._check_sum(secret_path(name), file, sha256)

    def _check_sum(self, path: str, file: IO[bytes], expected: str) -> None:
        found = hashlib.sha256()
        while block := file.read(_BLOCK):
            found.update(block)
        if found.hexdigest() != expected:
            raise BadBackupError(f"{self._path} is damaged: {path} is not what was written.")
