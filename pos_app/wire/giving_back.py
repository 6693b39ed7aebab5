"""Leases given back: one rule in three places, `{"lease_id", "final_spent"}` each (sync-api 2 and 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pos_app.domain.leases import GiveBack
from pos_app.domain.points import ZERO, NotANumberError, Points, TooFineError
from pos_app.wire.faults import MalformedError
from pos_app.wire.formats import kind_of

LEASE_ID_MAX_CHARACTERS: Final = 64


def give_back_trees(given_back: Iterable[GiveBack]) -> list[dict[str, str]]:
    """Write leases that are given back; points are text (sync-api 1)."""
    return [{"lease_id": each.lease_id, "final_spent": str(each.final_spent)} for each in given_back]


def read_give_backs(value: object, field: str, most: int) -> tuple[GiveBack, ...]:
    """Read a list of at most `most` leases that are given back; none where there is no list.

    Raises:
        MalformedError: it is no such list; `field` and the member are named.
    """
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > most:
        raise MalformedError(field, f"a list of at most {most}", "more" if isinstance(value, list) else kind_of(value))
    return tuple(_give_back(each, f"{field}[{index}]") for index, each in enumerate(value))


def _give_back(tree: object, field: str) -> GiveBack:
    if not isinstance(tree, Mapping):
        raise MalformedError(field, "an object", kind_of(tree))
    return GiveBack(_lease_id(tree, field), _points(tree, field))


def _lease_id(tree: Mapping[str, Any], field: str) -> str:
    value = tree.get("lease_id")
    if not isinstance(value, str) or not 0 < len(value) <= LEASE_ID_MAX_CHARACTERS:
        raise MalformedError(f"{field}.lease_id", "a lease's id", kind_of(value))
    return value


def _points(tree: Mapping[str, Any], field: str) -> Points:
    value = tree.get("final_spent")
    try:
        points = Points.of(value) if isinstance(value, str) else None
    except (NotANumberError, TooFineError):
        points = None
    if points is None or points < ZERO:
        raise MalformedError(f"{field}.final_spent", "points as text, not below zero", kind_of(value))
    return points
