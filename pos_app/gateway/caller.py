"""What every call of one till to one service shares: the carrier, the login, and the patience that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pos_app.domain.trouble import SlowDownError, Trouble
from pos_app.gateway.address import Address, authorization
from pos_app.gateway.carrier import Carrier
from pos_app.gateway.parcel import Parcel
from pos_app.gateway.patience import Patience
from pos_app.gateway.replies import Reply, trouble_of
from pos_app.services.ports import Clock, Waits

_JSON_BODY: Final = {"Content-Type": "application/json"}


class Caller:
    """Sends parcels under a till's login. Safe to use from any thread. Opens no connection before the first call."""

    def __init__(
        self,
        base_url: str,
        login: str,
        password_digest: str,
        *,
        waits: Waits,
        ca_file: Path | None = None,
        proxy: str | None = None,
        clock: Clock,
        software: str,
        carrier: Carrier | None = None,
    ) -> None:
        """Raises NotSafeError and WrongAddressError as `Address.read`, NotSafeError for a `ca_file` of no use."""
        address = Address.read(base_url)
        if carrier is None:
            from pos_app.gateway.transport import Transport  # Only here does requests get loaded.

            carrier = Transport(address, waits=waits, ca_file=ca_file, proxy=proxy, clock=clock, software=software)
        self._carrier: Final = carrier
        self.login: Final = login
        self._authorization: Final = {"Authorization": authorization(login, password_digest)}
        self._patience = Patience(clock)
        self._patient_s = waits.connect_s
        self._probe_s = min(waits.connect_s, waits.read_s)

    def get(
        self, name: str, path: str, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Ask by GET. Raises: as `carry`."""
        return self.carry(
            Parcel(name=name, method="GET", path=path, query=query or {}, headers=self._with_login(headers))
        )

    def post(
        self,
        name: str,
        path: str,
        body: bytes,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        moves: bool,
    ) -> Reply:
        """Send a body, JSON unless `headers` say otherwise. `moves`: see `Parcel`. Raises: as `carry`."""
        return self.carry(
            Parcel(
                name=name,
                method="POST",
                path=path,
                query=query or {},
                body=body,
                headers=self._with_login({**_JSON_BODY, **(headers or {})}),
                moves=moves,
            )
        )

    def carry(self, parcel: Parcel) -> Reply:
        """Send a parcel once, unless the service wants to be left alone for longer than a caller waits to send.

        Raises: as `Transport.carry`, and SlowDownError: nothing was sent.
        """
        self._patience.wait(self._patient_s)
        reply = self._carrier.carry(parcel)
        if not reply.is_ok:
            trouble = trouble_of(reply, moves=parcel.moves)
            if isinstance(trouble, SlowDownError):
                self._patience.asked_for(trouble.retry_after_s)
        return reply

    def probe(self, path: str, *, with_login: bool = False) -> Reply | None:
        """Ask quickly whether anybody is there; None: nobody. Never raises."""
        headers = self._authorization if with_login else {}
        try:
            return self._carrier.carry(
                Parcel(name="probe", method="GET", path=path, headers=headers, read_s=self._probe_s)
            )
        except Trouble:
            return None

    def close(self) -> None:
        """Close idle connections."""
        self._carrier.close()

    def _with_login(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        return {**self._authorization, **(headers or {})}
