"""The second step of a search: one letter or digit is wrong, missing, too many, or swapped with the next.

No index of mistakes is kept. The index of what is right is walked instead, as one walks a tree of letters: behind each
beginning that somebody has, only the letters that follow it in the index are tried in the place of the wrong one. So it
works in every script, costs a bounded number of glances at the index, and nothing when rows are written.

Each place in what was typed is a read of its own: a first step that comes meanwhile waits for one place, not for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from pos_app.cache import statements
from pos_app.cache.search import (
    END,
    TYPED_MOST,
    Candidate,
    by_beginning,
    by_last_digits,
    hits,
    is_number,
    names_from,
    number_forms,
)
from pos_app.cache.tables import KIND_NUMBER
from pos_app.cache.words import LAST_DIGITS_MOST, digits_of, words_of
from pos_app.domain.request import IdentifierKind
from pos_app.files.database import DriverConnection
from pos_app.services.searching import SearchHit

GLANCES_MOST: Final = 2_000
"""So often the index is looked at for one search."""

LETTERS_MOST: Final = 64
"""So many different letters are tried in one place: more than any alphabet behind one beginning."""

FOUND_MOST: Final = 5
"""Of all whose number or name begins with one corrected form, the first few."""

DIGITS_LEAST: Final = 6
"""Of fewer digits one wrong one leaves nearly everybody."""

LETTERS_LEAST: Final = 3

Find = Callable[[DriverConnection, str], list[Candidate]]


class _Walk(NamedTuple):
    """An index to walk: a statement for the next key from a place on, what stays right, and what was typed."""

    next_key: str
    fixed: tuple[Any, ...]
    right: str
    typed: str
    find: Find
    """Who has keys that begin so."""


class Near:
    """The second step of a search."""

    def __init__(self, read: Callable[[Callable[[DriverConnection], Any]], Any]) -> None:
        """`read` gives the reading connection; None where nothing can be read."""
        self._read = read

    def search(self, typed: str, limit: int, country_code: str) -> Sequence[SearchHit]:
        """Whom it may mean."""
        wanted = typed.strip()[:TYPED_MOST]
        if limit < 1:
            return []
        left = GLANCES_MOST
        found: list[Candidate] = []
        for walk in _walks(wanted, country_code):
            for place in range(len(walk.typed)):
                step = _Step(walk, place)
                more = self._read(step.take)
                left -= step.glances
                found += more or []
                if not step.goes_on or left <= 0:
                    break
        return self._read(lambda reader: hits(reader, found, limit)) or []


class _Step:
    """One place in what was typed."""

    def __init__(self, walk: _Walk, place: int) -> None:
        self._walk = walk
        self._head = walk.right + walk.typed[:place]
        self._rest = walk.typed[place:]
        self.glances = 0
        self.goes_on = True
        """Whether anybody has what was typed up to here: if not, no later letter can be the wrong one."""

    def take(self, reader: DriverConnection) -> list[Candidate]:
        """Who may be meant if the letter here is the wrong one."""
        found: list[Candidate] = []
        if self._next(reader, self._head) is None:
            self.goes_on = False
            return found
        starts = [self._head + each for each in self._without(reader)]
        for start in dict.fromkeys(starts):
            key = self._next(reader, start)
            if key is not None and key.startswith(start):
                found += self._walk.find(reader, start)
        return found

    def _without(self, reader: DriverConnection) -> Iterator[str]:
        """What may be right from here on."""
        rest = self._rest
        if len(rest) > 1:
            yield rest[1] + rest[0] + rest[2:]
        for letter in self._letters(reader):
            if letter != rest[0]:
                yield letter + rest[1:]
            yield letter + rest
        if self._head or len(rest) > 1:
            yield rest[1:]

    def _letters(self, reader: DriverConnection) -> list[str]:
        """The letters that follow here in the index."""
        letters: list[str] = []
        start = self._head
        while len(letters) < LETTERS_MOST:
            key = self._next(reader, start)
            if key is None or len(key) == len(self._head):
                if key is None:
                    break
                start = key + "\x00"
                continue
            letter = key[len(self._head)]
            if letter != " ":
                letters.append(letter)
            start = self._head + letter + END
        return letters

    def _next(self, reader: DriverConnection, start: str) -> str | None:
        """The next key from here on that begins as everything before this place does."""
        self.glances += 1
        row = reader.execute(self._walk.next_key, (*self._walk.fixed, start)).fetchone()
        return row[0] if row is not None and row[0].startswith(self._head) else None


def _walks(typed: str, country_code: str) -> Iterator[_Walk]:
    """Where to look for what was typed."""
    if is_number(typed):
        yield from _number_walks(typed, country_code)
    elif "@" in typed:
        yield _identifier_walk(IdentifierKind.EMAIL, "", typed.casefold())
    elif len(typed) >= LETTERS_LEAST:
        words = words_of(typed)
        for place in range(len(words)):
            turned = " ".join((*words[place:], *words[:place]))
            yield _Walk(statements.NAME_AT, (), "", turned, lambda reader, start: names_from(reader, start, FOUND_MOST))
        if any(map(str.isdigit, typed)):
            for kind in (IdentifierKind.CARD_NUMBER, IdentifierKind.EXTERNAL_ID):
                for form in dict.fromkeys((typed, typed.upper())):
                    yield _identifier_walk(kind, "", form)


def _number_walks(typed: str, country_code: str) -> Iterator[_Walk]:
    digits = digits_of(typed)
    if len(digits) < DIGITS_LEAST:
        return
    for form in number_forms(typed, country_code):
        if form.endswith(typed_part := digits.lstrip("0")):
            yield _identifier_walk(IdentifierKind.MOBILE, form.removesuffix(typed_part), typed_part)
    yield _identifier_walk(IdentifierKind.CARD_NUMBER, "", digits)
    yield _identifier_walk(IdentifierKind.EXTERNAL_ID, "", digits)
    tail = digits[::-1][:LAST_DIGITS_MOST]
    yield _Walk(statements.TAIL_AT, (), "", tail, lambda reader, start: by_last_digits(reader, start[::-1], FOUND_MOST))


def _identifier_walk(kind: IdentifierKind, right: str, typed: str) -> _Walk:
    def find(reader: DriverConnection, start: str) -> list[Candidate]:
        return by_beginning(reader, kind, start, FOUND_MOST)

    return _Walk(statements.IDENTIFIER_AT, (KIND_NUMBER[kind],), right, typed, find)
