"""Reads XML that strangers wrote, with bounds on its size, depth and number of elements."""

from __future__ import annotations

import re
from typing import Final

from defusedxml.ElementTree import DefusedXMLParser, ParseError

from pos_app.wire.faults import DEPTH_MAX, ELEMENTS_MAX, MalformedError, check_size

_CHARSETS: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "windows-1252": "cp1252",
}


def parse_xml(body: bytes, kind: str) -> object:
    """Read XML. A document's own declaration rules; without one the charset of the content type (`kind`) does.

    Raises:
        MalformedError: no XML, one with a document type, or one beyond the bounds.
    """
    check_size(body)
    trimmed = body.strip()
    charset = re.search(r"charset\s*=\s*[\"']?([a-z0-9_-]+)", kind)
    parser = DefusedXMLParser(target=_TreeBuilder(), forbid_dtd=True)
    try:
        if charset is None or trimmed.startswith((b"<?xml", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
            parser.feed(trimmed)
        else:
            parser.feed(trimmed.decode(_CHARSETS.get(charset.group(1), "utf-8")))
        tree: object = parser.close()
    except MalformedError:
        raise
    except (ParseError, ValueError, LookupError):  # DefusedXmlException and UnicodeDecodeError are ValueErrors.
        raise MalformedError("body", "XML without a document type", "something else") from None
    return tree


class _TreeBuilder:
    """Makes a tree while the parser reads, so that depth and number of elements are bounded as they come."""

    def __init__(self) -> None:
        self._open: list[list[tuple[str, object]]] = [[]]
        self._texts: list[str] = []
        self._count = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) > DEPTH_MAX or self._count > ELEMENTS_MAX:
            raise MalformedError("body", f"at most {DEPTH_MAX} levels and {ELEMENTS_MAX} elements", "more")
        name = tag.rpartition("}")[2]
        self._open[-1].append((attributes.get("key", name) if name == "entry" else name, ""))
        self._open.append([])
        self._texts.clear()

    def data(self, text: str) -> None:
        self._texts.append(text)

    def end(self, tag: str) -> None:
        children = self._open.pop()
        name, _ = self._open[-1].pop()
        self._open[-1].append((name, _gathered(children) if children else "".join(self._texts)))
        self._texts.clear()

    def close(self) -> object:
        return _gathered(self._open[0])


def _gathered(children: list[tuple[str, object]]) -> object:
    """A list where all are called `element`, else an object in which a repeated name is a list."""
    gathered: dict[str, list[object]] = {}
    for name, value in children:
        gathered.setdefault(name, []).append(value)
    if gathered.keys() == {"element"}:
        return gathered["element"]
    return {name: values[0] if len(values) == 1 else values for name, values in gathered.items()}
