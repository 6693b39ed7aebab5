"""Tills of another maker, each a process of its own, that send their requests at the same moment.

    with racing_tills([server.url, other.url], 8) as tills:
        replies = tills.at_once([redeem("till.0", 100, "K1"), redeem("till.1", 100, "K2")])

They know the wire and nothing of our program.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from support.ledger_server import PASSWORD, basic

_TILL = """
import json, sys
from http.client import HTTPConnection
from urllib.parse import urlsplit
where = urlsplit(sys.argv[1])
for line in sys.stdin:
    asked = json.loads(line)
    connection = HTTPConnection(where.hostname, where.port, timeout=60)
    connection.connect()
    print("ready", flush=True)
    sys.stdin.readline()
    connection.request(asked["method"], asked["path"], asked["body"], asked["headers"])
    reply = connection.getresponse()
    print(json.dumps({"status": reply.status, "body": reply.read().decode()}), flush=True)
    connection.close()
"""
"""Each line of input is a request; it leaves when the next line comes."""


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str | None = None


@dataclass(frozen=True)
class Answered:
    """One reply, read as JSON."""

    status: int
    tree: Any = field(repr=False)

    @property
    def code(self) -> int:
        """The item code of a check or a redemption."""
        response = self.tree["response"]
        item = response["responses"]["points"] if "responses" in response else response["points"]["redeemable"]
        return int(item["item_status"]["code"])

    @property
    def reason(self) -> str | None:
        """Why, finer than the code (sync-api 2)."""
        found: str | None = self.tree["extension"]["reason"]
        return found


def redeem(
    login: str, customer: int, points: int, key: str | None, *, query: str = "", code: str | None = None
) -> Asked:
    """A redemption by a customer's id."""
    item: dict[str, Any] = {"points_redeemed": str(points), "customer": {"id": str(customer)}}
    item |= {} if key is None else {"external_reference_number": key}
    item |= {} if code is None else {"validation_code": code}
    body = json.dumps({"root": {"redeem": [item]}})
    headers = {"Authorization": basic(login, PASSWORD), "Content-Type": "application/json"}
    return Asked("POST", f"/v1.1/points/redeem?format=json{query}", headers, body)


def mobile_of(customer: int) -> str:
    """The number each customer of the races has."""
    return f"9180{customer:08}"


def check(login: str, customer: int, points: int, **more: str) -> Asked:
    """A check by a customer's mobile number, answered with the reason."""
    query = urlencode({"mobile": mobile_of(customer), "points": points, "format": "json", **more})
    headers = {"Authorization": basic(login, PASSWORD), "X-Pos-Extension": "eyJ2IjoxfQ"}
    return Asked("GET", f"/v1.1/points/isredeemable?{query}", headers)


class RacingTills:
    """A few till processes, spread over the servers."""

    def __init__(self, processes: Sequence[subprocess.Popen[str]]) -> None:
        self._processes = processes

    def at_once(self, asked: Sequence[Asked]) -> list[Answered]:
        """Send requests at the same moment, each from another till; returns the replies in the same order."""
        racing = list(zip(self._processes, asked, strict=False))
        assert len(racing) == len(asked), "there are more requests than tills"
        for process, each in racing:
            self._say(process, json.dumps({**vars(each), "headers": dict(each.headers)}))
        for process, _ in racing:
            assert self._hear(process) == "ready"
        for process, _ in racing:
            self._say(process, "go")
        heard = [json.loads(self._hear(process)) for process, _ in racing]
        return [Answered(each["status"], json.loads(each["body"])) for each in heard]

    def one(self, asked: Asked) -> Answered:
        """Send one request."""
        (answered,) = self.at_once([asked])
        return answered

    @staticmethod
    def _say(process: subprocess.Popen[str], line: str) -> None:
        assert process.stdin is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()

    @staticmethod
    def _hear(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        return process.stdout.readline().rstrip("\n")


@contextmanager
def racing_tills(urls: Sequence[str], count: int) -> Iterator[RacingTills]:
    """`count` tills; every next one asks the next server."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _TILL, urls[number % len(urls)]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    try:
        yield RacingTills(processes)
    finally:
        for process in processes:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            process.wait(30)
            process.stdout.close()
