"""A plug in the till's line that can be pulled, for scripts and tests that want no line (reliability 5.2)."""

from __future__ import annotations

from pos_app.domain.trouble import LineDownError, UnclearAnswerError
from pos_app.gateway.carrier import Carrier
from pos_app.gateway.parcel import Parcel
from pos_app.gateway.replies import Reply


class Plug:
    """Another carrier, and whether it is plugged in. Implements `Carrier`."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._pulls = 0
        self._is_in = True

    @property
    def is_in(self) -> bool:
        """Say whether the line is plugged in."""
        return self._is_in

    def pull(self) -> None:
        """From now on nothing is sent, and no answer to what is on its way is heard."""
        self._pulls += 1
        self._is_in = False

    def put_in(self) -> None:
        """The line is as it was."""
        self._is_in = True

    def carry(self, parcel: Parcel) -> Reply:
        """Send a parcel where the plug is in; a reply that comes after it was pulled is lost.

        Raises: as `Carrier.carry`.
        """
        pulls = self._pulls
        if not self._is_in:
            raise LineDownError("nothing was sent: the line was unplugged")
        reply = self._carrier.carry(parcel)
        if pulls == self._pulls:
            return reply
        if parcel.moves:
            raise UnclearAnswerError("no whole reply: the line was unplugged")
        raise LineDownError("no whole reply: the line was unplugged")

    def close(self) -> None:
        """Close idle connections."""
        self._carrier.close()
