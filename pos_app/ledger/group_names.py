"""Names of family groups, kept so that they are found by the beginning of any of their words (contract 6).

"The Smith-Jones family" is kept four times: as it is, and from "smith-jones", "jones" and "family" on. What somebody
types, "smith", "jones fam", is then the beginning of one of these, and all that begin so stand together in an index.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from pos_app.ledger import schema

_GROUP: Final = schema.family_group
WORDS: Final = schema.family_group_word
WORD_COLUMNS: Final = ("org", "word", "shared", "family_group_id")
FORGET_WORDS: Final = delete(WORDS).where(WORDS.c.org == bindparam("o"), WORDS.c.family_group_id == bindparam("g"))
"""Before a family group gets another name."""

_WORD_START: Final = re.compile(r"\b\w")
SEARCHED: Final = 60
"""More than the 50 characters a search may have (contract 6): some letters become two when their case is folded."""

_WORDS_MAX: Final = 24
_BATCH: Final = 1000
_UNNAMED: Final = (
    select(_GROUP.c.org, _GROUP.c.id, _GROUP.c.name)
    .where(_GROUP.c.name_key == "", _GROUP.c.name != "")
    .order_by(_GROUP.c.org, _GROUP.c.id)
    .limit(_BATCH)
)
_NAME: Final = (
    update(_GROUP)
    .where(_GROUP.c.org == bindparam("o"), _GROUP.c.id == bindparam("g"))
    .values(name_key=bindparam("known_as"))
)


def searchable(text: str) -> str:
    """A name, or what is searched for: one form for each character, no regard to case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()) or text


def beginnings(name_key: str) -> list[str]:
    """The name from its start and from each further word on, each cut to what a search can reach."""
    starts = dict.fromkeys([0, *(found.start() for found in _WORD_START.finditer(name_key))])
    return list(dict.fromkeys(name_key[start : start + SEARCHED] for start in list(starts)[:_WORDS_MAX]))


def word_rows(org: int, group_id: int, name_key: str) -> list[tuple[int, str, int, int]]:
    """The rows by which a family group is found, of the columns `WORD_COLUMNS`."""
    rows, before = [], ""
    for word in sorted(beginnings(name_key)):
        rows.append((org, word, _shared(before, word), group_id))
        before = word
    return rows


def _shared(before: str, word: str) -> int:
    """How many characters two words have in common from their start on."""
    return next((at for at, pair in enumerate(zip(before, word, strict=False)) if pair[0] != pair[1]), len(before))


def name_the_unnamed(connection: Connection) -> None:
    """Make family groups found that a ledger kept before it could search for names."""
    while rows := connection.execute(_UNNAMED).all():
        named = [(row.org, row.id, searchable(row.name)) for row in rows]
        connection.execute(_NAME, [{"o": org, "g": group_id, "known_as": key} for org, group_id, key in named])
        words = [row for each in named for row in word_rows(*each)]
        connection.execute(insert(WORDS), [dict(zip(WORD_COLUMNS, row, strict=True)) for row in words])
