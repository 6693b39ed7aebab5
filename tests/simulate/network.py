"""The line between tills and the ledger: what it loses, repeats, delays and garbles, by the seed's swarm."""

from __future__ import annotations

import heapq
import json
import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from simulate.central import environment_of
from simulate.virtual import LedgerKilledError

from pos_app.domain.trouble import LineDownError, Trouble, UnclearAnswerError
from pos_app.gateway.parcel import Parcel
from pos_app.gateway.replies import Reply

if TYPE_CHECKING:
    from simulate.world import World

READ_S = 10.0
CONNECT_S = 3.0
_KEY = re.compile(rb'"(?:external_reference_number|key)":\s*"([0-9A-Z]{26})"')
_MOBILE = re.compile(rb'"mobile":\s*"9197777([0-9]{5})"')
_PROGRAM = re.compile("program_id=([0-9]+)")
_PORTAL = b"<html><head><title>Welcome</title></head><body>Please sign in to the network.</body></html>"
_BUSY = json.dumps(
    {"response": {"status": {"success": "false", "code": 503, "message": "The service is busy"}}}
).encode()
_DELAYS_S = (2.0, 30.0, 600.0, 4 * 3600.0, 30 * 3600.0, 80 * 3600.0)


@dataclass(frozen=True, order=True, slots=True)
class Late:
    """A copy that is still on its way."""

    due: float
    number: int
    name: str
    key: str
    environment: dict[str, Any]
    body: bytes


class Network:
    """All lines of one schedule."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._on_its_way: list[Late] = []
        self._number = 0
        self._arrived: set[str] = set()
        self._cancelled: set[str] = set()
        self._last: dict[str, Reply] = {}

    def carry(self, line: VirtualLine, parcel: Parcel) -> Reply:
        """One parcel of one till, as the seed lets it fare."""
        world, rng = self._world, self._world.rng
        world.count("parcels")
        if line.is_cut or world.central.is_down:
            world.time.advance(CONNECT_S if line.is_cut else 0.1)
            raise LineDownError("nothing was sent")
        world.meanwhile(line.name)
        environment, body, key = _request_of(parcel)
        fate = line.next_weather() or self._fate()
        if fate == "drop_request":
            raise self._lost(parcel, fate)
        if fate == "delay":
            self._send_later(parcel, key, environment, body)
            raise self._lost(parcel, fate)
        if fate == "duplicate":
            self._send_later(parcel, key, environment, body)
        if fate == "portal":
            world.count("portal")
            return Reply(status=200, body=_PORTAL)
        if fate == "busy":
            world.count("busy")
            return Reply(status=503, body=_BUSY, retry_after=str(rng.choice((1, 30))))
        if fate == "server_error" and rng.random() < 0.5:
            world.count("server_error")
            return Reply(status=rng.choice((500, 502, 504)), body=_PORTAL)
        try:
            reply = self._deliver(parcel.name, key, environment, body)
        except LedgerKilledError:
            world.note(f"  the ledger died under {parcel.name}")
            raise self._lost(parcel, "ledger_crash") from None
        world.meanwhile(line.name)
        if fate == "drop_reply":
            world.watch.lost(parcel.name, body, reply)
            raise self._lost(parcel, fate)
        return self._garbled(fate, parcel, reply)

    def deliver_late(self, everything: bool = False) -> None:
        """Let copies arrive whose time has come; nobody waits for their answers any more."""
        while self._on_its_way and (everything or self._on_its_way[0].due <= self._world.time.seconds):
            if self._world.central.serving or self._world.central.is_down:
                return
            late = heapq.heappop(self._on_its_way)
            self._world.count("late copies")
            self._world.note(f"  a late copy of {late.name} arrives")
            try:
                self._deliver(late.name, late.key, late.environment, late.body)
            except LedgerKilledError:
                self._world.note("  the ledger died under it")

    def forget(self) -> None:
        """The machine of the ledger is another one now: nothing sent to the old one arrives."""
        self._on_its_way.clear()

    def _fate(self) -> str:
        swarm, rng = self._world.swarm, self._world.rng
        drawn = rng.random()
        for name in (
            "drop_request",
            "drop_reply",
            "delay",
            "duplicate",
            "garbage",
            "portal",
            "server_error",
            "busy",
            "strange_reply",
        ):
            drawn -= getattr(swarm, name)
            if drawn < 0:
                return name
        return ""

    def _lost(self, parcel: Parcel, why: str) -> Trouble:
        """Nobody answers in time."""
        self._world.count(why)
        self._world.time.advance(READ_S if parcel.read_s is None else parcel.read_s)
        return UnclearAnswerError("no whole reply") if parcel.moves else LineDownError("no whole reply")

    def _garbled(self, fate: str, parcel: Parcel, reply: Reply) -> Reply:
        """The reply, or what the line made of it."""
        rng = self._world.rng
        if fate == "garbage":
            self._world.count(fate)
            cut = rng.randrange(len(reply.body) + 1)
            return Reply(status=200, body=reply.body[:cut] + b"\xff" * rng.randrange(2))
        if fate == "server_error":
            self._world.count(fate)
            return Reply(status=504, body=_PORTAL)
        if fate == "strange_reply" and parcel.name in self._last:
            self._world.count(fate)
            return self._last[parcel.name]
        self._last[parcel.name] = reply
        return reply

    def _send_later(self, parcel: Parcel, key: str, environment: dict[str, Any], body: bytes) -> None:
        rng = self._world.rng
        due = self._world.time.seconds + rng.random() * rng.choice(_DELAYS_S)
        self._number += 1
        heapq.heappush(self._on_its_way, Late(due, self._number, parcel.name, key, environment, body))

    def _deliver(self, name: str, key: str, environment: dict[str, Any], body: bytes) -> Reply:
        world = self._world
        if name == "cancel":
            self._cancelled.add(key)
        elif name == "redeem" and key not in self._arrived:
            self._arrived.add(key)
            if key in self._cancelled:
                world.count("cancel overtook its request")
        if name == "redeem" and _gives_back(environment):
            world.watch.gave_back()
        world.asked_for = _asked_for(environment, body) if name == "redeem" else None
        with world.ledger_at_risk(is_redeem=name == "redeem"):
            reply = world.central.answer(environment, body)
        if reply.status == 500:
            world.fail("FAULT", f"the ledger answered 500 to {name}")
        world.watch.saw(name, key, body, reply)
        return reply


class VirtualLine:
    """The `Carrier` of one till."""

    def __init__(self, network: Network, name: str) -> None:
        self._network = network
        self.name = name
        self.is_cut = False
        self.weather: list[str] = []
        """What becomes of the next parcels, whatever the swarm says: bad lines stay bad for a while."""

    def next_weather(self) -> str:
        """The fate of the next parcel, where the weather decides it."""
        return self.weather.pop(0) if self.weather else ""

    def carry(self, parcel: Parcel) -> Reply:
        return self._network.carry(self, parcel)

    def close(self) -> None:
        """Nothing is kept open."""


def _asked_for(environment: dict[str, Any], body: bytes) -> tuple[int, int] | None:
    """The customer and the program of a redemption on its way."""
    customer, program = _MOBILE.search(body), _PROGRAM.search(environment["QUERY_STRING"])
    return None if customer is None or program is None else (int(customer[1]), int(program[1]))


def _gives_back(environment: dict[str, Any]) -> bool:
    header = environment.get("HTTP_X_POS_EXTENSION", "")
    return bool(header) and b"give_back" in urlsafe_b64decode(header + "=" * (-len(header) % 4))


def _request_of(parcel: Parcel) -> tuple[dict[str, Any], bytes, str]:
    """A parcel as the server gets it, and the key it is about."""
    body = parcel.body or b""
    found = _KEY.search(body)
    environment = environment_of(parcel.method, parcel.path, urlencode(parcel.query), parcel.headers, body)
    return environment, body, "" if found is None else found[1].decode()
