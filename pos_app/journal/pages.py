"""Reads rows out of a damaged database page by page, without its index of tables (reliability 4.8).

SQLite itself gives up where page 1 or a page above the rows is gone. Each page of rows can be read alone, though:
SQLCipher encrypts every page by itself (AES-256 in CBC, the page's own vector at its end), and a page of rows says
where its rows begin. Which rows are whole is for the caller to say: nothing found here is to be trusted.
The form: SQLite's "Database File Format", and SQLCipher 4 with its defaults.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, NamedTuple

PAGE_BYTES: Final = 4096
_TAIL_BYTES: Final = 80
"""What SQLCipher keeps at the end of a page: 16 bytes of vector, 64 of a seal."""
_VECTOR_BYTES: Final = 16
_SALT_BYTES: Final = 16
"""The first bytes of page 1 are not encrypted."""
_SEAL_SALT: Final = 0x3A
_SEAL_ROUNDS: Final = 2
_USABLE: Final = PAGE_BYTES - _TAIL_BYTES
_LEAF_OF_TABLE: Final = 0x0D
_ROW_BYTES_MAX: Final = 4 * 1024 * 1024
_LOCAL_MAX: Final = _USABLE - 35
_LOCAL_MIN: Final = (_USABLE - 12) * 32 // 255 - 23
_INTEGER_BYTES: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}

_Decrypt = Callable[[int], bytes]


class FoundRow(NamedTuple):
    """What looks like a row: its number in its table, and its columns in their order."""

    rowid: int
    values: list[Any]
    is_sealed: bool
    """Whether the page it begins on is as SQLCipher wrote it."""


class BrokenError(Exception):
    """This cannot be a row."""


class Pages:
    """The pages of one file."""

    def __init__(self, content: BinaryIO, size: int, key_hex: str) -> None:
        self.count: Final = -(-size // PAGE_BYTES)
        self._content = content
        self._key = bytes.fromhex(key_hex)
        content.seek(0)
        salt = bytes(each ^ _SEAL_SALT for each in content.read(_SALT_BYTES))
        self._seal_key = hashlib.pbkdf2_hmac("sha512", self._key, salt, _SEAL_ROUNDS, len(self._key))

    def raw(self, number: int) -> bytes:
        """A page as it lies on the disk. Raises: BrokenError: there is none, or only a part."""
        if not 1 <= number <= self.count:
            raise BrokenError
        self._content.seek((number - 1) * PAGE_BYTES)
        raw = self._content.read(PAGE_BYTES)
        if len(raw) != PAGE_BYTES:
            raise BrokenError
        return raw

    def is_sealed(self, number: int) -> bool:
        """Whether a page is as SQLCipher wrote it."""
        try:
            raw = self.raw(number)
        except BrokenError:
            return False
        ends = _USABLE + _VECTOR_BYTES
        covered = raw[_SALT_BYTES if number == 1 else 0 : ends] + number.to_bytes(4, "little")
        return hmac.compare_digest(hmac.digest(self._seal_key, covered, "sha512"), raw[ends:])

    def page(self, number: int) -> bytes:
        """A page, decrypted. Raises: BrokenError."""
        return _decrypted(self.raw(number), number, self._key)

    def rows(self) -> Iterator[FoundRow]:
        """Whatever looks like a row, page by page. Damage ends a row, never the search."""
        for number in range(1, self.count + 1):
            try:
                page = self.page(number)
            except BrokenError:
                continue
            yield from _rows_of(page, 100 if number == 1 else 0, self.page, self.is_sealed(number))


def _decrypted(raw: bytes, number: int, key: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    begins = _SALT_BYTES if number == 1 else 0
    vector = raw[_USABLE : _USABLE + _VECTOR_BYTES]
    decryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
    return bytes(begins) + decryptor.update(raw[begins:_USABLE]) + decryptor.finalize()


def _rows_of(page: bytes, header: int, pages: _Decrypt, is_sealed: bool) -> Iterator[FoundRow]:
    if page[header] != _LEAF_OF_TABLE:
        return
    count = int.from_bytes(page[header + 3 : header + 5])
    for place in range(header + 8, min(header + 8 + 2 * count, _USABLE - 1), 2):
        try:
            rowid, values = _row_at(page, int.from_bytes(page[place : place + 2]), pages)
            yield FoundRow(rowid, values, is_sealed)
        except (BrokenError, IndexError, ValueError):
            continue


def _row_at(page: bytes, at: int, pages: _Decrypt) -> tuple[int, list[Any]]:
    size, at = _varint(page, at)
    rowid, at = _varint(page, at)
    if not 0 < size <= _ROW_BYTES_MAX or at >= _USABLE:
        raise BrokenError
    return rowid, _columns(_payload(page, at, size, pages))


def _payload(page: bytes, at: int, size: int, pages: _Decrypt) -> bytes:
    """The bytes of a row; a long one goes on in pages of its own."""
    if size <= _LOCAL_MAX:
        return page[at : at + size]
    local = _LOCAL_MIN + (size - _LOCAL_MIN) % (_USABLE - 4)
    if local > _LOCAL_MAX:
        local = _LOCAL_MIN
    payload = page[at : at + local]
    following = int.from_bytes(page[at + local : at + local + 4])
    while len(payload) < size:
        more = pages(following)
        payload += more[4 : 4 + min(size - len(payload), _USABLE - 4)]
        following = int.from_bytes(more[:4])
    return payload


def _columns(payload: bytes) -> list[Any]:
    header_bytes, at = _varint(payload, 0)
    kinds = []
    while at < header_bytes:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    if at != header_bytes:
        raise BrokenError
    values = []
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    if at != len(payload):
        raise BrokenError
    return values


def _value(payload: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind == 0:
        return None, at
    if kind in (8, 9):
        return kind - 8, at
    if kind in _INTEGER_BYTES:
        ends = at + _INTEGER_BYTES[kind]
        return int.from_bytes(payload[at:ends], signed=True), ends
    if kind >= 13 and kind % 2:
        ends = at + (kind - 13) // 2
        return payload[at:ends].decode("utf-8"), ends
    raise BrokenError  # A fraction or bytes: no table of ours has any.


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(8):
        byte = content[at + place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + place + 1
    return value << 8 | content[at + 8], at + 9
