"""JSON and XML of the v1.1 contract (1.3, 1.4): choosing, writing, and reading what strangers send.

A *tree* is what both formats say: dicts, lists, texts, whole numbers, decimals, booleans and None. XML knows only
dicts, lists and texts; an empty element is an empty text. Readers therefore take numbers and booleans as text too.

Everything read here was written by strangers. Size, depth and length of numbers have bounds, and whatever is wrong
ends as `MalformedError` (requests) or `UnreadableAnswerError` (answers), never as another exception.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from json.encoder import encode_basestring_ascii
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl

from pos_app.wire.faults import DEPTH_MAX, check_size
from pos_app.wire.faults import MalformedError as MalformedError
from pos_app.wire.faults import UnreadableAnswerError as UnreadableAnswerError

NUMBER_MAX_CHARACTERS: Final = 40
PARAMETERS_MAX: Final = 200
_EXPONENT_MAX: Final = 40


class Format(StrEnum):
    """How an answer is written (contract 1.3)."""

    JSON = "json"
    XML = "xml"


# --- Choosing -------------------------------------------------------------------------------------------------

_CONTENT_TYPES: Final = {Format.JSON: "application/json; charset=utf-8", Format.XML: "application/xml; charset=utf-8"}
_ACCEPTED: Final = {
    "application/json": Format.JSON,
    "text/json": Format.JSON,
    "application/xml": Format.XML,
    "text/xml": Format.XML,
    "application/*": Format.JSON,
    "*/*": Format.JSON,
}


def choose_format(query_format: str | None, accept: str | None) -> Format:
    """Decide how to answer: `format` beats `Accept`; neither means JSON (1.3).

    Raises:
        MalformedError: `format` names neither; that answer is written in JSON.
    """
    named = check_text(query_format or "", "format").strip().lower()
    if named and named != "null":
        try:
            return Format(named)
        except ValueError:
            raise MalformedError("format", "json or xml", "another word") from None
    return _accepted(accept) if accept else Format.JSON


def _accepted(accept: str) -> Format:
    best, best_weight = Format.JSON, 0.0
    for media_range in accept.lower().split(","):
        name, _, parameters = media_range.partition(";")
        fmt = _ACCEPTED.get(name.strip())
        weight = _weight(parameters)
        if fmt is not None and weight > best_weight:
            best, best_weight = fmt, weight
    return best


def _weight(parameters: str) -> float:
    """The `q` of a media range, 1 where there is none that can be read."""
    found = re.search(r"(?:^|;)\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*(?:;|$)", parameters, re.ASCII)
    return float(found.group(1)) if found else 1.0


def content_type(fmt: Format) -> str:
    """The `Content-Type` of an answer or a body."""
    return _CONTENT_TYPES[fmt]


# --- Writing --------------------------------------------------------------------------------------------------


def plain_number(number: Decimal) -> str:
    """A decimal without exponent or needless zeros: `60`, `12.5`, `0`."""
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def dump_json(tree: object) -> bytes:
    """Write JSON. Decimals become exact numbers, whole where integral.

    Raises:
        TypeError: a float, or anything else a tree never holds.
    """
    return _json(tree).encode("ascii")


def _json(value: object) -> str:
    kind = type(value)
    if kind is str:
        return encode_basestring_ascii(value)  # type: ignore[arg-type]
    if kind is dict:
        members = [
            f"{encode_basestring_ascii(name)}:{encode_basestring_ascii(each) if type(each) is str else _json(each)}"
            for name, each in value.items()  # type: ignore[attr-defined]
        ]
        return "{" + ",".join(members) + "}"
    if kind is int:
        return str(value)
    if kind is Decimal:
        return plain_number(value)  # type: ignore[arg-type]
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([_json(each) for each in value]) + "]"
    if isinstance(value, str):
        return encode_basestring_ascii(str(value))
    raise TypeError(f"a tree never holds a {kind.__name__}")


SINGULARS: Final = {"user_groups2": "user_group2", "permissions": "permission", "ceilings": "ceiling"}
"""Lists whose JSON member is a plural: in XML it encloses elements of the singular name (1.3)."""

_ELEMENT_NAME: Final = re.compile(r"(?!xml)[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII | re.IGNORECASE)
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_NEVER_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML cannot carry and a database may not hold: control characters, halves of surrogate pairs."""
_XML_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})


def dump_xml(root_name: str, tree: object) -> bytes:
    """Write XML by the general rule of 1.3: a member is an element, a list repeats the element of its singular name.

    A member whose name cannot be an element's (a tier called "Gold Plus") becomes `<entry key="Gold Plus">`.
    """
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(_xml(root_name, tree))).encode("utf-8")


def _xml(name: str, value: object) -> Iterator[str]:
    if isinstance(value, (list, tuple)):
        yield from _xml_list(name, value)
        return
    is_plain = _ELEMENT_NAME.fullmatch(name) and name not in {"element", "entry"}
    yield f"<{name}>" if is_plain else f'<entry key="{_xml_text(name)}">'
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _xml(key, each)
    else:
        yield _xml_text(_plain_text(value))
    yield f"</{name}>" if is_plain else "</entry>"


def _xml_list(name: str, items: list[object] | tuple[object, ...]) -> Iterator[str]:
    singular = SINGULARS.get(name)
    if singular is None:
        for each in items:
            yield from _xml(name, each)
        return
    yield f"<{name}>"
    for each in items:
        yield from _xml(singular, each)
    yield f"</{name}>"


def _plain_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, (str, int)):
        return str(value)
    raise TypeError(f"a tree never holds a {type(value).__name__}")


def _xml_text(text: str) -> str:
    return _NEVER_TEXT.sub("\ufffd", text).translate(_XML_ESCAPES)


# --- Reading --------------------------------------------------------------------------------------------------


def read_query(text: str) -> dict[str, str]:
    """Decode a query, or a form body that says the same (sync-api 2). The last of a repeated name wins (1.1).

    Raises:
        MalformedError: bytes that are no UTF-8, or more than `PARAMETERS_MAX` parameters.
    """
    if "%" not in text and "+" not in text and text.count("&") < PARAMETERS_MAX:
        # Nothing is escaped, as in most checks: what `parse_qsl` does then, in a third of the time.
        pairs = [pair.partition("=") for pair in text.split("&") if pair]
        return {name: value for name, _, value in pairs}
    try:
        return dict(
            parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_MAX, separator="&")
        )
    except ValueError:  # UnicodeDecodeError is one of them.
        raise MalformedError("query", "percent encoded UTF-8", "something else") from None


def check_text(text: str, field: str) -> str:
    """Give `text` back when it can be kept and answered at all.

    Raises:
        MalformedError: it holds a control character or half of a surrogate pair.
    """
    if not text.isprintable() and _NEVER_TEXT.search(text):
        raise MalformedError(field, "text", "a control character")
    return text


def parse_body(body: bytes, content_type: str | None) -> dict[str, Any]:
    """Read a request body: XML when its type or its first character says so, else JSON (1.3).

    A `root` around everything and `element` wrappers in lists are taken off.

    Raises:
        MalformedError: anything that is no such body.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)  # .NET writes one before UTF-8; it is no character of the body.
    kind = (content_type or "").lower()
    tree = _parse_xml(body, kind) if "xml" in kind or body.lstrip()[:1] == b"<" else _parse_json(body)
    return _unwrapped(_tidy(tree))


def parse_json_body(body: bytes) -> dict[str, Any]:
    """Read a body that is JSON whatever it looks like, as in `/sync` (sync-api 1). Raises: MalformedError."""
    return _object(_tidy(_parse_json(body)))


def parse_answer(body: bytes) -> dict[str, Any]:
    """Read an answer, XML or JSON by its first character. More forgiving than `parse_body` where nothing is lost.

    Raises:
        UnreadableAnswerError: neither JSON nor XML, or no object.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    try:
        tree = _parse_xml(body, "") if body.lstrip()[:1] == b"<" else _parse_json(body)
        return _unwrapped(_tidy(tree, mends_text=True))
    except MalformedError as error:
        raise UnreadableAnswerError(str(error)) from None


def _unwrapped(tree: object) -> dict[str, Any]:
    while isinstance(tree, dict) and isinstance(tree.get("root"), dict):
        tree = tree["root"]  # A converter puts a second one around that of the document (1.3).
    return _object(tree)


def _object(tree: object) -> dict[str, Any]:
    if not isinstance(tree, dict):
        raise MalformedError("body", "an object", kind_of(tree))
    return tree


def kind_of(value: object) -> str:
    """What kind of value this is, for people: never the value itself."""
    if value is None:
        return "nothing"
    names = {bool: "a boolean", int: "a number", Decimal: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")


def _tidy(value: object, *, depth: int = 0, mends_text: bool = False) -> object:
    """Check depth and texts of a tree; `mends_text` replaces characters that would be malformed in a request."""
    if depth > DEPTH_MAX:
        raise MalformedError("body", f"at most {DEPTH_MAX} levels", "more")
    if isinstance(value, str):
        return _tidy_text(value, mends_text)
    if isinstance(value, list):
        return [_tidy(each, depth=depth + 1, mends_text=mends_text) for each in value]
    if isinstance(value, dict):
        return {
            _tidy_text(name, mends_text): _tidy(each, depth=depth + 1, mends_text=mends_text)
            for name, each in value.items()
        }
    return value


def _tidy_text(text: str, mends_text: bool) -> str:
    return _NEVER_TEXT.sub("\ufffd", text) if mends_text else check_text(text, "body")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedError("body", "each member once", "one of them twice")
    return members


def _whole(text: str) -> int:
    if len(text) > NUMBER_MAX_CHARACTERS:
        raise MalformedError("body", f"numbers of at most {NUMBER_MAX_CHARACTERS} characters", "a longer one")
    return int(text)


def _decimal(text: str) -> Decimal | int:
    """A number written with a point or an exponent; `12.0` is the whole number 12, as JSON means it."""
    try:
        number = Decimal(text) if len(text) <= NUMBER_MAX_CHARACTERS else None
    except InvalidOperation:
        number = None
    if number is None or not -_EXPONENT_MAX <= number.adjusted() <= _EXPONENT_MAX:
        raise MalformedError("body", f"numbers of at most {NUMBER_MAX_CHARACTERS} characters", "a longer one")
    return int(number) if number == number.to_integral_value() else number


def _no_constant(name: str) -> NoReturn:
    raise MalformedError("body", "numbers", "NaN or Infinity")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_decimal, parse_int=_whole, parse_constant=_no_constant
)


def _parse_json(body: bytes) -> object:
    check_size(body)
    try:
        tree: object = _DECODER.decode(body.decode("utf-8"))
    except MalformedError:
        raise
    except (ValueError, RecursionError):
        raise MalformedError("body", "JSON in UTF-8", "something else") from None
    return tree


def _parse_xml(body: bytes, kind: str) -> object:
    from pos_app.wire.xml_reading import parse_xml  # A till asks for JSON and never loads an XML parser.

    return parse_xml(body, kind)
