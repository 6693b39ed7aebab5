"""A ledger as an operator runs it: stopping, several processes, figures, logs for machines, slow lines."""

import json
import os
import queue
import re
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from sqlcipher3 import dbapi2
from support.a_ledger import a_book
from support.ledger_server import (
    LOGIN,
    MOBILE,
    LedgerServer,
    a_customer,
    a_program,
    a_small_ledger,
    a_till,
    an_organisation,
    basic,
    ledger_server,
    running_ledger,
)

from pos_app.domain.keys import KEY_BYTES, key_from
from pos_app.ledger.databases.database import LostRaceError
from pos_app.ledger.errors import LedgerBusyError
from pos_app.ledger.figures import Happening
from pos_app.ledger.http.intake import BODY_S, DIRECT_MOST, Intake
from pos_app.ledger.http.troubles import TooSlowError

__all__ = ["ledger_server"]

KEY = "6Q2P0V8RJX4M1TZC9WD3HKYB5E"
TILL = {"Authorization": basic()}
CHECK = {"mobile": MOBILE, "points": "100", "format": "json"}


def until(is_so: Callable[[], bool], wait_s: float = 20.0) -> None:
    """Ask again and again until it is so."""
    give_up_at = time.monotonic() + wait_s
    while not is_so():
        assert time.monotonic() < give_up_at, "it did not come about"
        time.sleep(0.01)


def administrator(server: LedgerServer) -> dict[str, str]:
    token = (server.place.secrets / "admin.token").read_text(encoding="ascii")
    return {"Authorization": f"Bearer {token}"}


def figures(server: LedgerServer) -> dict[str, float]:
    """The figures by name and labels."""
    text = requests.get(f"{server.url}/metrics", headers=administrator(server), timeout=10).text
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def check(server: LedgerServer) -> requests.Response:
    return requests.get(f"{server.url}/v1.1/points/isredeemable", CHECK, headers=TILL, timeout=10)


def redeem(server: LedgerServer, key: str = KEY, session: requests.Session | None = None) -> requests.Response:
    item = {"points_redeemed": "100", "customer": {"mobile": MOBILE}, "external_reference_number": key}
    body = {"root": {"redeem": [item]}}
    return (session or requests).post(f"{server.url}/v1.1/points/redeem", json=body, headers=TILL, timeout=20)


@contextmanager
def database_held(server: LedgerServer) -> Iterator[None]:
    """Nobody else writes meanwhile: a redemption takes as long as this block."""
    connection = dbapi2.connect(str(server.database), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


# --- Stopping --------------------------------------------------------------------------------------------------------


def test_a_stopping_ledger_finishes_what_it_began_and_refuses_what_is_new(
    ledger_server: LedgerServer, pool: ThreadPoolExecutor
) -> None:
    process = ledger_server.process
    assert process is not None
    with database_held(ledger_server):
        slow: Future[requests.Response] = pool.submit(redeem, ledger_server)
        until(lambda: figures(ledger_server)["pos_ledger_requests_at_work"] >= 2)
        process.send_signal(signal.SIGTERM)
        until(lambda: requests.get(f"{ledger_server.url}/readyz", timeout=10).status_code == 503)
        ready = requests.get(f"{ledger_server.url}/readyz", timeout=10)
        refused = check(ledger_server)
        alive = requests.get(f"{ledger_server.url}/healthz", timeout=10)
        assert process.poll() is None
    assert ready.json() == {"status": "stopping"}
    assert alive.status_code == 200
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "2"
    assert refused.json()["response"]["status"]["code"] == 503
    assert refused.headers["X-Cap-Requestid"]
    assert slow.result().json()["response"]["responses"]["points"]["item_status"]["code"] == 800
    assert process.wait(15) == 0


@pytest.mark.parametrize("processes", [1, 2])
def test_a_ledger_that_stops_under_load_answers_everything_it_did(
    tmp_path: Path, pool: ThreadPoolExecutor, processes: int
) -> None:
    lines = [an_organisation(), a_program(), a_till(), a_customer(points=1_000_000)]
    with running_ledger(tmp_path, lines, options={"processes": processes}) as server:
        done: list[str] = []

        def redeem_until_stopped() -> set[int]:
            """The statuses that came; whoever is not answered at all comes too late."""
            seen = set()
            with requests.Session() as session:
                for _ in range(10_000):
                    key = key_from(os.urandom(KEY_BYTES))
                    try:
                        answer = redeem(server, key, session)
                    except requests.ConnectionError:
                        return seen
                    seen.add(answer.status_code)
                    if answer.status_code == 200:
                        done.append(key)
            raise AssertionError("the ledger does not stop")

        clients = [pool.submit(redeem_until_stopped) for _ in range(4)]
        until(lambda: len(done) >= 20)
        assert server.stop() == 0
        assert set().union(*(client.result(30) for client in clients)) <= {200, 503}
        connection = dbapi2.connect(str(server.database))
        kept = {key for (key,) in connection.execute("SELECT key FROM redemption")}
        connection.close()
        assert kept == set(done)


def test_a_ledger_told_twice_stops_at_once(ledger_server: LedgerServer, pool: ThreadPoolExecutor) -> None:
    process = ledger_server.process
    assert process is not None
    with database_held(ledger_server):
        slow = pool.submit(redeem, ledger_server)
        until(lambda: figures(ledger_server)["pos_ledger_requests_at_work"] >= 2)
        process.send_signal(signal.SIGTERM)
        until(lambda: requests.get(f"{ledger_server.url}/readyz", timeout=10).status_code == 503)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    assert slow.exception() is not None or slow.result().status_code in {200, 503}


# --- Several processes -----------------------------------------------------------------------------------------------


def workers_of(server: LedgerServer) -> list[int]:
    """The process ids of its workers."""
    assert server.process is not None
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    return [int(each) for each in children if b"resource_tracker" not in Path(f"/proc/{each}/cmdline").read_bytes()]


def is_ready(server: LedgerServer) -> bool:
    try:
        return requests.get(f"{server.url}/readyz", timeout=10).status_code == 200
    except requests.RequestException:
        return False


def test_several_processes_share_a_port_and_add_up_their_figures(tmp_path: Path) -> None:
    with running_ledger(tmp_path, options={"processes": 2}) as server:
        until(lambda: len(workers_of(server)) == 2)
        asked = 0

        def asks_both() -> bool:
            nonlocal asked
            for _ in range(10):
                assert check(server).status_code == 200
                asked += 1
            return asked >= 40

        until(asks_both)
        counted = figures(server)
        name = 'pos_ledger_requests_total{method="GET",route="/v1.1/points/isredeemable",status="200"}'
        assert counted[name] == asked
        assert counted['pos_ledger_answers_total{code="800",route="/v1.1/points/isredeemable"}'] == asked
        assert server.stop() == 0
    assert server.log().count("Traceback") == 0


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the workers")
def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with running_ledger(tmp_path, options={"processes": 2}) as server:
        until(lambda: len(workers_of(server)) == 2)
        killed = workers_of(server)[0]
        os.kill(killed, signal.SIGKILL)
        until(lambda: len(workers_of(server)) == 2 and killed not in workers_of(server))
        until(lambda: all(is_ready(server) for _ in range(20)))
        assert redeem(server).status_code == 200
        assert server.stop() == 0


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the workers")
def test_a_worker_that_dies_again_at_once_ends_the_server(ledger_server: LedgerServer) -> None:
    assert ledger_server.process is not None
    (first,) = workers_of(ledger_server)
    os.kill(first, signal.SIGKILL)
    until(lambda: workers_of(ledger_server) not in ([], [first]))
    (second,) = workers_of(ledger_server)
    os.kill(second, signal.SIGKILL)
    assert ledger_server.process.wait(15) == 1


# --- Figures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers", [{}, TILL, {"Authorization": "Bearer "}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}]
)
def test_figures_are_for_the_administrator(ledger_server: LedgerServer, headers: Mapping[str, str]) -> None:
    answer = requests.get(f"{ledger_server.url}/metrics", headers=headers, timeout=10)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_figures_tell_what_was_answered_and_nothing_of_anybody(ledger_server: LedgerServer) -> None:
    check(ledger_server)
    redeem(ledger_server)
    requests.get(f"{ledger_server.url}/nothing/here/{MOBILE}", headers=TILL, timeout=10)
    requests.request("BREW", f"{ledger_server.url}/healthz", timeout=10)
    answer = requests.get(f"{ledger_server.url}/metrics", headers=administrator(ledger_server), timeout=10)
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    for line in (
        'pos_ledger_requests_total{method="GET",route="/v1.1/points/isredeemable",status="200"} 1.0',
        'pos_ledger_requests_total{method="POST",route="/v1.1/points/redeem",status="200"} 1.0',
        'pos_ledger_requests_total{method="GET",route="-",status="404"} 1.0',
        'pos_ledger_requests_total{method="other",route="-",status="405"} 1.0',
        'pos_ledger_answers_total{code="800",route="/v1.1/points/redeem"} 1.0',
        'pos_ledger_request_seconds_count{route="/v1.1/points/isredeemable"} 1.0',
        "pos_ledger_requests_at_work 1.0",
    ):
        assert line in answer.text.splitlines()
    assert re.search(r'^pos_ledger_info\{schema="\d+",version="[^"]+"\} 1.0$', answer.text, re.MULTILINE)
    assert LOGIN not in answer.text
    assert MOBILE not in answer.text


def test_figures_tell_of_codes_by_channel(ledger_server: LedgerServer) -> None:
    query = {"mobile": MOBILE, "points": "100", "format": "json"}
    requests.get(f"{ledger_server.url}/v1.1/points/validationcode", query, headers=TILL, timeout=10)
    assert figures(ledger_server)['pos_ledger_codes_total{channel="sms",outcome="sent"}'] == 1


def test_figures_tell_of_a_database_that_was_not_had_in_time(tmp_path: Path) -> None:
    told: list[tuple[Happening, str]] = []
    with a_book(tmp_path, a_small_ledger()) as book:
        book.figures.listen(lambda happening, which: told.append((happening, which)))
        tries = iter(range(3))

        def work(_: object) -> str:
            if next(tries) < 2:
                raise LostRaceError
            return "done"

        assert book.store.writing(work) == "done"
        held = dbapi2.connect(str(tmp_path / "ledger.db"), isolation_level=None)
        held.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusyError), book.store.write() as connection:
            connection.exec_driver_sql("SELECT 1")
        held.close()
    assert told == [(Happening.DATABASE_RETRY, "write")] * 2 + [(Happening.DATABASE_BUSY, "write")]


# --- Logs for machines -----------------------------------------------------------------------------------------------


def test_a_log_for_machines_has_one_object_a_line_and_nothing_of_anybody(tmp_path: Path) -> None:
    with running_ledger(tmp_path, options={"log_format": "json"}) as server:
        reply = check(server)
        requests.get(f"{server.url}/somewhere/{MOBILE}", headers=TILL, timeout=10)
    lines = [json.loads(line) for line in server.log().splitlines()]
    told = next(line for line in lines if line.get("route") == "/v1.1/points/isredeemable")
    assert told["request"] == reply.headers["X-Cap-Requestid"]
    assert {name: told[name] for name in ("level", "logger", "method", "status", "till")} == {
        "level": "INFO",
        "logger": "pos_app.ledger.http",
        "method": "GET",
        "status": 200,
        "till": LOGIN,
    }
    assert isinstance(told["ms"], float)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told["time"])
    assert MOBILE not in server.log()
    assert set(told) == {"time", "level", "logger", "request", "method", "route", "ms", "status", "till"}


# --- Slow lines ------------------------------------------------------------------------------------------------------


def half_a_body(server: LedgerServer) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    line.sendall(b"POST /v1.1/points/redeem HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
    return line


@pytest.mark.slow
def test_bodies_that_do_not_come_are_not_waited_for(ledger_server: LedgerServer) -> None:
    lines = [half_a_body(ledger_server) for _ in range(DIRECT_MOST + 12)]
    try:
        answers: list[bytes] = []
        while len(answers) < 12:
            answered, _, _ = select.select(lines, [], [], BODY_S + 10)
            assert answered, "the ledger waits for ever"
            for line in answered:
                answers.append(line.recv(200))
                lines.remove(line)
                line.close()
        assert {answer.split(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 408 Request Timeout"}
        assert check(ledger_server).status_code == 200
    finally:
        for line in lines:
            line.close()


class SlowBody:
    """A body whose bytes come when the test says so."""

    def __init__(self) -> None:
        self._pieces: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def comes(self, piece: bytes) -> None:
        self._pieces.put(piece)

    def read(self, size: int) -> bytes:
        return self._pieces.get(timeout=20)


def test_a_body_that_comes_in_pieces_is_put_together() -> None:
    body = SlowBody()
    for intake in (Intake(), Intake(direct_most=0)):
        for piece in (b"mobile=9", b"19777785205"):
            body.comes(piece)
        assert intake.read(body, 19) == b"mobile=919777785205"


def test_while_other_bodies_hang_a_body_has_a_limit(pool: ThreadPoolExecutor) -> None:
    intake = Intake(direct_most=1, limit_s=0.05)
    hanging = SlowBody()
    first = pool.submit(intake.read, hanging, 3)
    until(lambda: not intake.is_free)
    with pytest.raises(TooSlowError):
        intake.read(SlowBody(), 3)
    hanging.comes(b"abc")
    assert first.result(20) == b"abc"
    assert intake.is_free
    ready = SlowBody()
    ready.comes(b"xyz")
    assert intake.read(ready, 3) == b"xyz"


def test_a_line_that_breaks_breaks_the_request_whoever_reads(pool: ThreadPoolExecutor) -> None:
    class Broken:
        def read(self, size: int) -> bytes:
            raise ConnectionResetError

    for intake in (Intake(), Intake(direct_most=0)):
        with pytest.raises(ConnectionResetError):
            intake.read(Broken(), 3)
