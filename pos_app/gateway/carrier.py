"""What brings a request to the service and its answer back: HTTP, or in a simulation whatever stands for it."""

from __future__ import annotations

from typing import Protocol

from pos_app.gateway.parcel import Parcel
from pos_app.gateway.replies import Reply


class Carrier(Protocol):
    """Sends parcels to one address. Safe to use from any thread. `Transport` is the real one."""

    def carry(self, parcel: Parcel) -> Reply:
        """Send a parcel once and wait for the whole reply.

        Raises:
            LineDownError: nothing was sent; for a question also: no reply came.
            UnclearAnswerError: a redeem or cancel was sent and no whole reply came.
            NotSafeError: the other side is not trusted; nothing was sent.
        """
        ...

    def close(self) -> None:
        """Close idle connections; the carrier may be used again."""
        ...
