"""Search among the customers a till keeps: what a cashier types, and whom it may mean.

The first step is quick enough for every keystroke. The second one, for a letter or digit gone wrong, is a call of its
own: whoever wants it asks for it after the first, and never waits for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

HITS_MOST: Final = 20
"""So many hits fit a list that is read at a glance."""


class Matched(StrEnum):
    """By what a customer was found."""

    MOBILE = "mobile"
    LAST_DIGITS = "last_digits"
    EMAIL = "email"
    EXTERNAL_ID = "external_id"
    CARD = "card"
    NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """A customer that may be meant. Identifiers are masked, and the name is as short as the card shows it."""

    customer_id: int
    name: str = field(repr=False)
    mobile: str = field(repr=False)
    email: str = field(repr=False)
    card: str = field(repr=False)
    external_id: str = field(repr=False)
    matched: Matched
    is_exact: bool = False
    """Whether the whole of something was typed: a number, an address, a word of her name."""


class Search(Protocol):
    """Searches what is kept on this till. Any thread may call it; never raises, a bad cache finds nobody."""

    def search(self, typed: str, limit: int = HITS_MOST) -> Sequence[SearchHit]:
        """Whom `typed` may mean, exact matches first, then who was seen here lately.

        A mobile in any form, last digits, an e-mail address, an external id, a card, or the beginnings of words of a
        name. Nothing typed finds nobody.
        """
        ...

    def search_near(self, typed: str, limit: int = HITS_MOST) -> Sequence[SearchHit]:
        """Whom it may mean if one letter or digit of it is wrong, missing, too many or swapped with the next."""
        ...
