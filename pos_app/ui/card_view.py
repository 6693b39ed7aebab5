"""What the customer card is told to show: plain values (ux B.2)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramLine:
    """One program of a customer. `spoken` is the whole row for a screen reader and begins with the program's name."""

    name: str
    points: str
    worth: str = ""
    expires: str = ""
    spoken: str = ""
    is_expiring: bool = False
    is_chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """What the card shows. `identifiers` are masked, `open_identifiers` are shown for ten seconds on request."""

    name: str = field(repr=False)
    spoken: str = field(repr=False)
    identifiers: str = field(repr=False)
    open_identifiers: str = field(repr=False)
    family: str = field(default="", repr=False)
    lines: tuple[ProgramLine, ...] = ()
    age: str = ""
    is_ageing: bool = False
