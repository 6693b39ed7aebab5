"""Finds customers by what a cashier types, in bounded time however many there are.

Every question is a short range of an index: of the identifiers by their beginning, of the last digits, of the names by
the beginning of any word. One letter begins a hundred thousand names; a range is read up to a bound and no further. A
name's key holds the whole name, turned so that each word comes first once, so several words are one range too, or a
bounded number of keys of one word that are looked through for the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from pos_app.cache import statements
from pos_app.cache.identifiers import forms_of
from pos_app.cache.rows import parsed
from pos_app.cache.tables import KIND_NUMBER
from pos_app.cache.words import LAST_DIGITS_LEAST, LAST_DIGITS_MOST, digits_of, words_of
from pos_app.domain.masking import mask_card, mask_email, mask_mobile, short_name
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.files.database import DriverConnection
from pos_app.services.searching import Matched, SearchHit

TYPED_MOST: Final = 100
"""Nobody types more; a longer text is something pasted by mistake."""

KEYS_LOOKED_THROUGH: Final = 2_000
"""So many names that begin with one word are looked through for the others."""

END: Final = "\U0010ffff"
"""After every character: a range from `x` to `x` with this behind it holds all that begins with `x`."""

_NUMBER_SIGNS: Final = frozenset(" +-().,/\u00a0")


class Candidate(NamedTuple):
    """Somebody who may be meant, and by what."""

    customer_id: int
    matched: Matched
    is_exact: bool


class Finder:
    """The first step of a search."""

    def __init__(self, read: Callable[[Callable[[DriverConnection], list[SearchHit]]], list[SearchHit] | None]) -> None:
        """`read` gives the reading connection; None where nothing can be read."""
        self._read = read

    def search(self, typed: str, limit: int, country_code: str) -> Sequence[SearchHit]:
        """Whom it may mean."""
        wanted = typed.strip()[:TYPED_MOST]
        if not wanted or limit < 1:
            return []

        def find(reader: DriverConnection) -> list[SearchHit]:
            return hits(reader, candidates(reader, wanted, limit, country_code), limit)

        return self._read(find) or []


def candidates(reader: DriverConnection, typed: str, limit: int, country_code: str) -> list[Candidate]:
    """Who may be meant, the likeliest first; may name one customer twice."""
    if "@" in typed:
        return by_beginning(reader, IdentifierKind.EMAIL, typed.casefold(), limit)
    if is_number(typed):
        return _by_number(reader, typed, limit, country_code)
    found = by_name(reader, words_of(typed), limit)
    for kind in (IdentifierKind.CARD_NUMBER, IdentifierKind.EXTERNAL_ID):
        for form in dict.fromkeys((typed, typed.upper(), typed.lower())):
            found += by_beginning(reader, kind, form, limit)
    if len(found) < limit and " " not in typed:
        found += by_beginning(reader, IdentifierKind.EMAIL, typed.casefold(), limit)
    return found


def is_number(typed: str) -> bool:
    """Say whether somebody types a number: digits of any script, and what people put between them."""
    return any(map(str.isdigit, typed)) and all(each.isdigit() or each in _NUMBER_SIGNS for each in typed)


def _by_number(reader: DriverConnection, typed: str, limit: int, country_code: str) -> list[Candidate]:
    """A mobile number in any form, a card, an external id, or the last digits of the first two."""
    digits = digits_of(typed)
    found: list[Candidate] = []
    for form in number_forms(typed, country_code):
        found += by_beginning(reader, IdentifierKind.MOBILE, form, limit)
    for kind in (IdentifierKind.CARD_NUMBER, IdentifierKind.EXTERNAL_ID):
        for form in dict.fromkeys((typed, digits)):
            found += by_beginning(reader, kind, form, limit)
    return found + by_last_digits(reader, digits, limit)


def number_forms(typed: str, country_code: str) -> list[str]:
    """The forms in which a mobile number that begins like this may be kept."""
    signs = "+" if typed.lstrip(" (").startswith("+") else ""
    named = CustomerRef(IdentifierKind.MOBILE, signs + digits_of(typed))
    return [form for form in dict.fromkeys(forms_of(named, country_code)) if form]


def by_beginning(reader: DriverConnection, kind: IdentifierKind, start: str, limit: int) -> list[Candidate]:
    """Whose identifier of a kind begins like this, the whole one first."""
    rows = reader.execute(statements.IDENTIFIERS_FROM, (KIND_NUMBER[kind], start, start + END, limit))
    return [Candidate(customer_id, _MATCHED[kind], value == start) for value, customer_id in rows.fetchall()]


def by_last_digits(reader: DriverConnection, digits: str, limit: int) -> list[Candidate]:
    """Whose mobile number or card ends like this."""
    if len(digits) < LAST_DIGITS_LEAST:
        return []
    start = digits[::-1][:LAST_DIGITS_MOST]
    rows = reader.execute(statements.TAILS_FROM, (start, start + END, limit))
    return [Candidate(customer_id, Matched.LAST_DIGITS, False) for _digits, customer_id in rows.fetchall()]


def by_name(reader: DriverConnection, words: Sequence[str], limit: int) -> list[Candidate]:
    """Whose name has words that begin like these, in any order."""
    if not words:
        return []
    found = names_from(reader, " ".join(words), 2 * limit)
    if len(words) == 1 or len(found) >= limit:
        return found
    for place in sorted(range(len(words)), key=lambda each: -len(words[each])):
        others = [word for other, word in enumerate(words) if other != place]
        more, is_all = _names_with(reader, words[place], others, limit)
        found += more
        if is_all or len(found) >= limit:
            break
    return found


def names_from(reader: DriverConnection, start: str, limit: int) -> list[Candidate]:
    """Names whose key begins like this. Exact: its last word is whole, so nothing or a space follows."""
    rows = reader.execute(statements.NAMES_FROM, (start, start + END, limit)).fetchall()
    return [
        Candidate(customer_id, Matched.NAME, key[len(start) : len(start) + 1] in {"", " "}) for key, customer_id in rows
    ]


def _names_with(
    reader: DriverConnection, first: str, others: Sequence[str], limit: int
) -> tuple[list[Candidate], bool]:
    """Names with a word that begins like the first one and others that begin like those.

    Returns them, and whether all names with the first one were looked through.
    """
    conditions = " AND ".join(["instr(' ' || words, ?) > 0"] * len(others))
    statement = statements.NAMES_WITH.format(conditions=conditions)
    rows = reader.execute(
        statement, (first, first + END, KEYS_LOOKED_THROUGH, *(f" {other}" for other in others), limit)
    ).fetchall()
    found = [Candidate(customer_id, Matched.NAME, False) for _words, customer_id in rows]
    if len(found) >= limit:
        return found, True
    beyond = reader.execute(statements.NAMES_BEYOND, (first, first + END, KEYS_LOOKED_THROUGH)).fetchone()
    return found, beyond is None


_MATCHED: Final = {
    IdentifierKind.MOBILE: Matched.MOBILE,
    IdentifierKind.EMAIL: Matched.EMAIL,
    IdentifierKind.EXTERNAL_ID: Matched.EXTERNAL_ID,
    IdentifierKind.CARD_NUMBER: Matched.CARD,
}


def hits(reader: DriverConnection, found: Iterable[Candidate], limit: int) -> list[SearchHit]:
    """The hits to show: one for each customer, exact ones first, then who was seen on this till last."""
    best: dict[int, tuple[bool, int, Candidate]] = {}
    for place, each in enumerate(found):
        rank = (not each.is_exact, place, each)
        if each.customer_id not in best or rank[:2] < best[each.customer_id][:2]:
            best[each.customer_id] = rank
    chosen = sorted(best.values(), key=lambda rank: rank[:2])[: 2 * limit]
    rows = reader.execute(statements.HITS, (json.dumps([each.customer_id for _, _, each in chosen]),)).fetchall()
    by_id = {row[0]: row for row in rows}
    ranked = [(inexact, each, by_id[each.customer_id]) for inexact, _, each in chosen if each.customer_id in by_id]
    ranked.sort(key=lambda rank: rank[2][7] or "", reverse=True)  # Who was seen here last
    ranked.sort(key=lambda rank: rank[0])
    return [_hit(each, row) for _, each, row in ranked[:limit]]


def _hit(candidate: Candidate, row: Sequence[Any]) -> SearchHit:
    customer_id, first, last, mobile, email, external_id, cards, _seen_at = row
    card = next((number for number, _external, is_active in parsed(cards) if is_active and number), "")
    return SearchHit(
        customer_id=customer_id,
        name=short_name(first, last),
        mobile=mask_mobile(mobile),
        email=mask_email(email) if email else "",
        card=mask_card(card),
        external_id=mask_card(external_id),
        matched=candidate.matched,
        is_exact=candidate.is_exact,
    )
