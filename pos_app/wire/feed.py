"""Snapshot, changes, one customer and the regulars on the wire (sync-api 5 and 6).

A page holds up to 2,000 rows, and a million of them pass through: the envelope is read with care, the rows stay the
mappings they came as. What is inside them is read by `feed_reading`, member by member, where somebody uses it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pos_app.domain.feed import ChangesPage, CustomerRows, FeedItem, Scope, SnapshotPage
from pos_app.domain.leases import Owner, OwnerKind
from pos_app.domain.request import ID_MAX, CustomerRef, IdentifierKind
from pos_app.wire.faults import check_size
from pos_app.wire.formats import (
    MalformedError,
    UnreadableAnswerError,
    dump_json,
    kind_of,
    parse_answer,
    parse_json_body,
)
from pos_app.wire.moments import write_moment
from pos_app.wire.parameters import only_customer
from pos_app.wire.reading import Tree, moment, object_or_none, whole

CURSOR_MAX: Final = 200
LIMIT_MAX: Final = 2000
SNAPSHOT_LIMIT: Final = 1000
CHANGES_LIMIT: Final = 500
_NUMBERS_MAX: Final = 40
_CURSOR: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{CURSOR_MAX}}}", re.ASCII)

_DUMP: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_ESCAPED_TROUBLE: Final = re.compile(rb"\\u(?:00[01]|[dD][89a-fA-F]|[fF]{3}[eE])")
"""An escape that may be a control character or half a surrogate pair, which no database takes: read with more care."""


# --- What is asked --------------------------------------------------------------------------------------------------


def read_limit(text: str | None, default: int) -> int:
    """The `limit` of a page, 1 to `LIMIT_MAX`.

    Raises:
        MalformedError: it is no such number.
    """
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= LIMIT_MAX):
        raise MalformedError("limit", f"a whole number from 1 to {LIMIT_MAX}", "something else")
    return int(text)


def read_scope(text: str | None) -> Scope:
    """The `scope`; not given is `store`. Raises: MalformedError."""
    if text is None:
        return Scope.STORE
    if text not in set(Scope):
        raise MalformedError("scope", f"one of {', '.join(Scope)}", "another word")
    return Scope(text)


def read_cursor(text: str | None, name: str) -> str:
    """A cursor or the token of a page, as it was given out. Raises: MalformedError."""
    if text is None or not _CURSOR.fullmatch(text):
        found = "none" if text is None else "something else"
        raise MalformedError(name, f"one to {CURSOR_MAX} letters, digits, - and _", found)
    return text


def write_customer_asked(customer: CustomerRef) -> bytes:
    """Write the body of `POST /sync/v1/customer`: one identifier of 2.1 under its own name."""
    return dump_json({customer.kind.value: customer.value})


def read_customer_asked(body: bytes) -> CustomerRef:
    """Read that body. `id` may be a number or its text.

    Raises:
        MalformedError: not exactly one identifier.
    """
    tree, named = parse_json_body(body), {}
    for kind in IdentifierKind:
        value = tree.get(kind.value)
        if value is None:
            continue
        if kind is IdentifierKind.ID and type(value) is int:
            value = str(value)
        if not isinstance(value, str):
            raise MalformedError(kind.value, "text", kind_of(value))
        named[kind.value] = value
    return only_customer(named)


# --- Pages ----------------------------------------------------------------------------------------------------------


def write_snapshot(page: SnapshotPage) -> bytes:
    """Write a page of `GET /sync/v1/snapshot`."""
    return _dump(
        {
            "epoch": page.epoch,
            "schema": page.schema,
            "scope": page.scope.value,
            "as_of": page.as_of,
            "server_time": write_moment(page.server_time),
            "counts": dict(page.counts),
            "items": [{"type": kind, "id": number, "row": row} for kind, number, row in page.items],
            "next": page.next_page,
        }
    )


def read_snapshot(body: bytes) -> SnapshotPage:
    """Read a page of a snapshot.

    Raises:
        UnreadableAnswerError: it is none; names what was missing.
    """
    tree = _parse(body)
    scope, counts = tree.get("scope"), object_or_none(tree, "counts") or {}
    if scope not in set(Scope):
        raise UnreadableAnswerError(f"scope: expected one of {', '.join(Scope)}")
    return SnapshotPage(
        epoch=whole(tree, "epoch"),
        schema=whole(tree, "schema"),
        scope=Scope(scope),
        as_of=_cursor(tree, "as_of"),
        server_time=moment(tree, "server_time"),
        counts={name: count for name, count in counts.items() if type(count) is int},
        items=_items(tree, _there),
        next_page=None if tree.get("next") is None else _cursor(tree, "next"),
    )


def write_changes(page: ChangesPage) -> bytes:
    """Write a page of `GET /sync/v1/changes`."""
    return _dump(
        {
            "epoch": page.epoch,
            "schema": page.schema,
            "server_time": write_moment(page.server_time),
            "items": [
                {"type": kind, "op": "del" if row is None else "put", "id": number, "row": row}
                for kind, number, row in page.items
            ],
            "next": page.next_cursor,
            "more": page.has_more,
        }
    )


def read_changes(body: bytes) -> ChangesPage:
    """Read a page of changes. Raises: as `read_snapshot`."""
    tree = _parse(body)
    if type(tree.get("more")) is not bool:
        raise UnreadableAnswerError("more: expected true or false")
    return ChangesPage(
        epoch=whole(tree, "epoch"),
        schema=whole(tree, "schema"),
        server_time=moment(tree, "server_time"),
        items=_items(tree, _changed),
        next_cursor=_cursor(tree, "next"),
        has_more=tree["more"],
    )


def write_customer_rows(rows: CustomerRows) -> bytes:
    """Write the answer of `POST /sync/v1/customer`: items as in a snapshot."""
    return _dump(
        {
            "epoch": rows.epoch,
            "server_time": write_moment(rows.server_time),
            "items": [{"type": kind, "id": number, "row": row} for kind, number, row in rows.items],
        }
    )


def read_customer_rows(body: bytes) -> CustomerRows:
    """Read that answer. Raises: as `read_snapshot`."""
    tree = _parse(body)
    return CustomerRows(epoch=whole(tree, "epoch"), server_time=moment(tree, "server_time"), items=_items(tree, _there))


# --- Regulars -------------------------------------------------------------------------------------------------------


def write_regulars(owners: Sequence[tuple[Owner, int]]) -> bytes:
    """Write the answer of `GET /sync/v1/regulars`: owners, each with a program."""
    return _dump(
        {
            "owners": [
                {"kind": owner.kind.value, "id": owner.owner_id, "program_id": program} for owner, program in owners
            ]
        }
    )


def read_regulars(body: bytes) -> list[tuple[Owner, int]]:
    """Read that answer. Raises: as `read_snapshot`."""
    owners = _parse(body).get("owners")
    if not isinstance(owners, list):
        raise UnreadableAnswerError("owners: expected a list")
    return [_regular(each) for each in owners]


def _regular(tree: object) -> tuple[Owner, int]:
    if not isinstance(tree, dict) or tree.get("kind") not in set(OwnerKind):
        raise UnreadableAnswerError(f"owners.kind: expected one of {', '.join(OwnerKind)}")
    return Owner(OwnerKind(tree["kind"]), _id(tree, "id")), _id(tree, "program_id")


# --- Envelopes ------------------------------------------------------------------------------------------------------


def _dump(tree: Mapping[str, Any]) -> bytes:
    """Rows hold only texts, whole numbers, booleans, null, lists and objects: the quick encoder of the library does."""
    return _DUMP(tree).encode("ascii")


def _whole(text: str) -> int:
    if len(text) > _NUMBERS_MAX:
        raise ValueError
    return int(text)


def _no_number(_text: str) -> object:
    raise ValueError


# Points and money are text (sync-api 1): a fraction in a member of tomorrow is kept as its text, never as a float.
_DECODE: Final = json.JSONDecoder(parse_int=_whole, parse_float=str, parse_constant=_no_number).decode


def _parse(body: bytes) -> Tree:
    """Read a page quickly; with the care of any other answer where a text may hold what no database takes."""
    try:
        check_size(body)
        tree = _DECODE(body.decode("utf-8"))
    except MalformedError as error:
        raise UnreadableAnswerError(str(error)) from None
    except (ValueError, RecursionError):
        raise UnreadableAnswerError("body: expected JSON in UTF-8") from None
    if not isinstance(tree, dict):
        raise UnreadableAnswerError(f"body: expected an object, found {kind_of(tree)}")
    return parse_answer(body) if _ESCAPED_TROUBLE.search(body) else tree


def _items(tree: Tree, read: Callable[[dict[str, Any]], FeedItem]) -> list[FeedItem]:
    items = tree.get("items")
    if not isinstance(items, list):
        raise UnreadableAnswerError("items: expected a list")
    try:
        return [read(each) for each in items]
    except (AttributeError, TypeError):
        raise UnreadableAnswerError("items: expected objects") from None


def _there(tree: dict[str, Any]) -> FeedItem:
    kind, number, row = tree.get("type"), tree.get("id"), tree.get("row")
    if type(kind) is not str:
        raise UnreadableAnswerError("items.type: expected text")
    if type(number) is not int or not 0 < number <= ID_MAX:
        raise UnreadableAnswerError("items.id: expected a number")
    if type(row) is not dict:
        raise UnreadableAnswerError("items.row: expected an object")
    return FeedItem(kind, number, row)


def _changed(tree: dict[str, Any]) -> FeedItem:
    op = tree.get("op")
    if op == "put":
        return _there(tree)
    if op != "del":
        raise UnreadableAnswerError("items.op: expected put or del")
    return _there({**tree, "row": {}})._replace(row=None)


def _id(tree: Mapping[str, Any], name: str) -> int:
    value = tree.get(name)
    if type(value) is not int or not 0 < value <= ID_MAX:
        raise UnreadableAnswerError(f"{name}: expected a number")
    return value


def _cursor(tree: Tree, name: str) -> str:
    value = tree.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= CURSOR_MAX:
        raise UnreadableAnswerError(f"{name}: expected a text of at most {CURSOR_MAX} characters")
    return value
