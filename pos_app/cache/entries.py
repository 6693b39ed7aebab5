"""What finds a customer: her identifiers, her last digits, her names, as rows of the three tables of the search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from pos_app.cache import statements
from pos_app.cache.identifiers import kept_value
from pos_app.cache.rows import parsed
from pos_app.cache.tables import KIND_NUMBER
from pos_app.cache.words import last_digits_key, name_keys
from pos_app.domain.request import IdentifierKind

_MOBILE: Final = KIND_NUMBER[IdentifierKind.MOBILE]
_EMAIL: Final = KIND_NUMBER[IdentifierKind.EMAIL]
_EXTERNAL_ID: Final = KIND_NUMBER[IdentifierKind.EXTERNAL_ID]
_CARD: Final = KIND_NUMBER[IdentifierKind.CARD_NUMBER]
_CARD_EXTERNAL_ID: Final = KIND_NUMBER[IdentifierKind.CARD_EXTERNAL_ID]

Key = tuple[Any, ...]


class Person(NamedTuple):
    """The columns of `customer` that a search looks at, as `KNOWN_PEOPLE` reads them."""

    customer_id: int
    mobile: str
    email: str
    external_id: str
    cards: str
    first_name: str
    last_name: str
    named: str
    is_fed: int


class Place(NamedTuple):
    """One table of the search: how its rows are made, put and dropped."""

    keys_of: Any
    put: str
    drop: str


def person_of(row: Sequence[Any], named: str = "") -> Person:
    """The person in a row of `customer`."""
    customer_id, mobile, email, external_id, cards, first_name, last_name = row[:7]
    return Person(customer_id, mobile, email, external_id, cards, first_name, last_name, named, row[12])


def identifiers_of(person: Person) -> set[Key]:
    """Kind and value of each identifier, in the form for comparing; of cards only those in use."""
    _id, mobile, email, external_id, cards, _first, _last, named, _fed = person
    keys: set[Key] = set()
    if mobile and (kept := _kept_mobile(mobile)):
        keys.add((_MOBILE, kept))
    if email and (kept := email.strip().casefold()):
        keys.add((_EMAIL, kept))
    if external_id and (kept := external_id.strip()):
        keys.add((_EXTERNAL_ID, kept))
    for number, card_external_id, is_active in parsed(cards):
        if is_active and (kept := number.strip()):
            keys.add((_CARD, kept))
        if is_active and (kept := card_external_id.strip()):
            keys.add((_CARD_EXTERNAL_ID, kept))
    keys.update((kind, value) for kind, value in parsed(named))
    return keys


def tails_of(person: Person) -> set[Key]:
    """The last digits of her mobile number and her cards."""
    values = [person.mobile, *(number for number, _external, is_active in parsed(person.cards) if is_active)]
    return {(key,) for value in values if value and (key := last_digits_key(value))}


def names_of(person: Person) -> set[Key]:
    """The keys of her name."""
    return {(key,) for key in name_keys(person.first_name, person.last_name)}


PLACES: Final = (
    Place(identifiers_of, statements.PUT_IDENTIFIER, statements.DROP_IDENTIFIER),
    Place(tails_of, statements.PUT_TAIL, statements.DROP_TAIL),
    Place(names_of, statements.PUT_NAME, statements.DROP_NAME),
)
"""The tables in which a search looks, in the order in which a snapshot fills them."""


def added(place: Place, people: Iterable[Person]) -> list[Key]:
    """The rows of new people, in the table's own order: so neighbouring pages of the file are written together."""
    keys_of = place.keys_of
    rows = [(*key, person.customer_id) for person in people for key in keys_of(person)]
    rows.sort()
    return rows


def changed(
    place: Place, changes: Iterable[tuple[Person | None, Person | None]], *, anew: bool
) -> tuple[list[Key], list[Key]]:
    """The rows to drop and to put for people as they were and as they are now; None: not there. `anew`: put all."""
    dropped, put = [], []
    for before, after in changes:
        old = set() if before is None else place.keys_of(before)
        new = set() if after is None else place.keys_of(after)
        either = before or after
        if either is None:
            continue
        customer_id = either.customer_id
        dropped += [(*key, customer_id) for key in old - new]
        put += [(*key, customer_id) for key in (new if anew else new - old)]
    return sorted(dropped), sorted(put)


def _kept_mobile(mobile: str) -> str:
    if mobile.isascii() and mobile.isdigit() and mobile[0] != "0":
        return mobile
    return kept_value(IdentifierKind.MOBILE, mobile)
