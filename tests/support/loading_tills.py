"""Tills under load that write down every sure answer before they believe it, and send a key until they have one.

Each is a process with a file of its own: a line is flushed and synced to the disk before the next request leaves, so
what stands there was confirmed to somebody, whatever happened to the ledger meanwhile.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.ledger_server import basic

_TILL = """
import json, os, random, select, sys, time
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit
url, number, login, first, count, file = sys.argv[1:]
headers = {"Authorization": login, "Content-Type": "application/json"}
where, number, first, count = urlsplit(url), int(number), int(first), int(count)
chance, parent = random.Random(number), os.getppid()
kept = open(file, "w", encoding="utf-8")

def post(path, tree):
    line = HTTPConnection(where.hostname, where.port, timeout=10)
    try:
        line.request("POST", path, json.dumps(tree), headers)
        reply = line.getresponse()
        body = reply.read()
        return json.loads(body) if reply.status == 200 else None
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        line.close()

def is_stopping():  # Also when whoever started it is gone: then there is an end of input to be read.
    return bool(select.select([sys.stdin], [], [], 0)[0])

def until_sure(path, tree):
    unclear = 0
    while True:
        answer = post(path, tree)
        if answer is not None:
            return answer, unclear
        if os.getppid() != parent:
            sys.exit("whoever started this till is gone")
        unclear += 1
        time.sleep(0.02)

def keep(**line):
    kept.write(json.dumps(line) + "\\n")
    kept.flush()
    os.fsync(kept.fileno())

done = 0
while not is_stopping():
    key = f"{number:02}{done:024}"
    done += 1
    customer, points = first + chance.randrange(count), 10 * chance.randint(1, 3)
    item = {"points_redeemed": points, "customer": {"id": str(customer)}, "external_reference_number": key}
    answer, unclear = until_sure("/v1.1/points/redeem?format=json", {"root": {"redeem": [item]}})
    told = answer["response"]["responses"]["points"]
    code = int(told["item_status"]["code"])
    if code == 521:
        continue
    keep(key=key, customer=customer, points=points, code=code, redemption_id=told.get("redemption_id"), unclear=unclear)
    if code == 800 and chance.random() < 0.2:
        order = {"key": key, "cashier": None, "reason": "customer_left", "approval": None}
        answer, unclear = until_sure("/sync/v1/cancel", order)
        keep(key=key, cancel=answer["outcome"], unclear=unclear)
print("stopped", flush=True)
"""


@dataclass(frozen=True)
class Confirmed:
    """What one till was told for sure of one key."""

    key: str
    customer: int
    points: int
    code: int
    redemption_id: str | None
    unclear: int
    """How often the same request had been sent before without a sure answer."""
    cancel: str | None = None
    """The outcome of its cancel, where one was confirmed."""


@dataclass
class LoadingTills:
    """The tills and their files."""

    processes: Sequence[subprocess.Popen[str]]
    files: Sequence[Path]

    def confirmed(self) -> list[Confirmed]:
        """Everything that is written down by now."""
        found: dict[str, Confirmed] = {}
        for file in self.files:
            for line in file.read_text(encoding="utf-8").splitlines():
                try:
                    told = json.loads(line)
                except ValueError:
                    continue  # It is being written.
                if "cancel" in told:
                    first = vars(found[told["key"]])
                    found[told["key"]] = Confirmed(**{**first, "cancel": told["cancel"]})
                else:
                    found[told["key"]] = Confirmed(**told)
        return list(found.values())

    def stop(self) -> None:
        """Let each finish what it has begun; the ledger must be running."""
        for process in self.processes:
            if process.stdin is not None and not process.stdin.closed:
                process.stdin.write("stop\n")
                process.stdin.close()
        for process in self.processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "stopped\n", "a till ended by itself"
            process.wait(30)


@contextmanager
def loading_tills(url: str, logins: Sequence[str], first: int, people: int, folder: Path) -> Iterator[LoadingTills]:
    """A till for each login; they redeem of the customers from `first` on, and now and then cancel."""
    files = [folder / f"{login}.jsonl" for login in logins]
    for file in files:
        file.touch()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _TILL, url, str(number), basic(login), str(first), str(people), str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number, (login, file) in enumerate(zip(logins, files, strict=True))
    ]
    try:
        yield LoadingTills(processes, files)
    finally:
        for process in processes:
            process.kill()
            process.wait(30)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None and not pipe.closed:
                    pipe.close()
