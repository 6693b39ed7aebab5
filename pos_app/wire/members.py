"""Members of what a till sends to `/sync`, read strictly: each must be what the extension says it is (sync-api 1).

Every function takes an object, the name of a member, and where that object stands (`at`, such as `spends[0].`, empty
at the top). What is not right is `MalformedError`, which names the whole path and never says what stood there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from pos_app.domain.keys import is_key
from pos_app.domain.leases import Owner, OwnerKind
from pos_app.domain.points import NotANumberError, Points, TooFineError
from pos_app.domain.request import ID_MAX
from pos_app.wire.faults import MalformedError
from pos_app.wire.formats import kind_of
from pos_app.wire.moments import read_moment

Tree = Mapping[str, Any]

TEXT_MAX: Final = 200
COUNT_MAX: Final = 2**31 - 1

_Word = TypeVar("_Word", bound=StrEnum)


def text_in(tree: Tree, name: str, at: str = "", most: int = TEXT_MAX) -> str:
    """A text of 1 to `most` characters. Raises: MalformedError."""
    value = tree.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise MalformedError(f"{at}{name}", f"text of 1 to {most} characters", kind_of(value))
    return value


def text_or_none_in(tree: Tree, name: str, at: str = "", most: int = TEXT_MAX) -> str | None:
    """The same, or null. Raises: MalformedError."""
    return None if tree.get(name) is None else text_in(tree, name, at, most)


def key_in(tree: Tree, name: str, at: str = "") -> str:
    """A key or a request id: 26 characters of Crockford's base32. Raises: MalformedError."""
    value = tree.get(name)
    if not isinstance(value, str) or not is_key(value):
        raise MalformedError(f"{at}{name}", "26 characters of Crockford's base32", kind_of(value))
    return value


def number_in(tree: Tree, name: str, at: str = "", least: int = 0, most: int = COUNT_MAX) -> int:
    """A whole number between two bounds. Raises: MalformedError."""
    value = tree.get(name)
    if type(value) is not int or not least <= value <= most:
        raise MalformedError(f"{at}{name}", f"a whole number from {least} to {most}", kind_of(value))
    return value


def id_in(tree: Tree, name: str, at: str = "") -> int:
    """The number of something the ledger keeps. Raises: MalformedError."""
    return number_in(tree, name, at, 1, ID_MAX)


def id_or_none_in(tree: Tree, name: str, at: str = "") -> int | None:
    """The same, or null. Raises: MalformedError."""
    return None if tree.get(name) is None else id_in(tree, name, at)


def points_in(tree: Tree, name: str, at: str = "") -> Points:
    """Points as text, zero or more. Raises: MalformedError."""
    value = tree.get(name)
    expected = 'points as text, such as "12.5", zero or more'
    if not isinstance(value, str):
        raise MalformedError(f"{at}{name}", expected, kind_of(value))
    try:
        points = Points.of(value)
    except (NotANumberError, TooFineError):
        raise MalformedError(f"{at}{name}", expected, "another text") from None
    if points.thousandths < 0:
        raise MalformedError(f"{at}{name}", expected, "fewer than none")
    return points


def moment_in(tree: Tree, name: str, at: str = "") -> datetime:
    """A moment. Raises: MalformedError."""
    value = tree.get(name)
    expected = "a moment, YYYY-MM-DDTHH:MM:SS.mmmZ"
    if not isinstance(value, str):
        raise MalformedError(f"{at}{name}", expected, kind_of(value))
    try:
        return read_moment(value)
    except MalformedError:
        raise MalformedError(f"{at}{name}", expected, "another text") from None


def word_in(tree: Tree, name: str, words: type[_Word], at: str = "") -> _Word:
    """One word of an enumeration. Raises: MalformedError."""
    value = tree.get(name)
    if not isinstance(value, str) or value not in set(words):
        raise MalformedError(f"{at}{name}", f"one of {', '.join(words)}", kind_of(value))
    return words(value)


def object_in(tree: Tree, name: str, at: str = "") -> Tree:
    """An object. Raises: MalformedError."""
    value = tree.get(name)
    if not isinstance(value, Mapping):
        raise MalformedError(f"{at}{name}", "an object", kind_of(value))
    return value


def objects_in(tree: Tree, name: str, at: str = "", *, least: int = 0, most: int) -> list[tuple[str, Tree]]:
    """A list of objects, each with where it stands (`spends[0].`). Raises: MalformedError."""
    value = tree.get(name)
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise MalformedError(f"{at}{name}", f"a list of {least} to {most} objects", kind_of(value))
    placed = [(f"{at}{name}[{place}].", each) for place, each in enumerate(value)]
    for where, each in placed:
        if not isinstance(each, Mapping):
            raise MalformedError(where.rstrip("."), "an object", kind_of(each))
    return placed


def owner_tree(owner: Owner) -> dict[str, Any]:
    """Whose wallet, as the extension writes it."""
    return {"kind": owner.kind.value, "id": owner.owner_id}


def owner_in(tree: Tree, at: str = "") -> Owner:
    """Member `owner`. Raises: MalformedError."""
    owner = object_in(tree, "owner", at)
    where = f"{at}owner."
    return Owner(word_in(owner, "kind", OwnerKind, where), id_in(owner, "id", where))
