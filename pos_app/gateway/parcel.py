"""One request, as the client hands it to the transport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One request. `name` is what the log calls it; everything personal stays out of `repr`.

    `moves` marks a redeem or cancel: what got lost on its way may have been carried out. `read_s` replaces the usual
    time for the whole answer.
    """

    name: str
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    moves: bool = False
    read_s: float | None = None
