"""What old and odd clients send over a socket, answered by a real server: the bytes themselves are the client."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest
from support.ledger_server import LedgerServer, basic, running_ledger

ASK = "/v1.1/points/isredeemable?mobile=9777785205&program_id=973&points=10"
BODY = b'{"root":{"redeem":[{"points_redeemed":"10","customer":{"mobile":"9777785205"}}]}}'
LOGIN = f"Authorization: {basic()}"
WAIT_S = 30.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerServer]:
    with running_ledger(tmp_path_factory.mktemp("old") / "ledger") as found:
        yield found


def said(server: LedgerServer, *pieces: bytes) -> tuple[int, bytes]:
    """Send pieces one after the other, each after the first once something came back; the last status and body."""
    received = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as line:
        for piece in pieces[:-1]:
            line.sendall(piece)
            received = line.recv(65536)
        line.sendall(pieces[-1])
        while piece := line.recv(65536):
            received += piece
    head, _, body = received.rpartition(b"\r\n\r\n")
    return int(head.rpartition(b"HTTP/1.")[2].split()[1]), body


def lines(*parts: str) -> bytes:
    """A head, as it stands."""
    return "\r\n".join([*parts, "", ""]).encode()


@pytest.mark.parametrize(
    "head",
    [
        lines(f"GET {ASK} HTTP/1.0", LOGIN),
        lines(f"GET {ASK} HTTP/1.0", "Host: ledger", LOGIN),
        lines(f"GET {ASK} HTTP/1.1", "Connection: close", LOGIN),
        lines(f"GET {ASK} HTTP/1.1", "host: x", "connection: close", LOGIN.replace("Authorization", "AUTHORIZATION")),
        lines(f"GET {ASK} HTTP/1.1", "Host: x", "Connection: close", LOGIN.replace("Basic", "basic")),
        lines(f"GET {ASK}&%3Cquery& HTTP/1.1", "Host: x", "Connection: close", LOGIN),
        lines(f"GET {ASK}&format=json%20 HTTP/1.1", "Host: x", "Connection: close", LOGIN, "Accept: application/xml"),
        lines(f"GET {ASK}&note=caf\u00e9 HTTP/1.1", "Host: x", "Connection: close", LOGIN),
        lines(f"GET http://x{ASK} HTTP/1.1", "Host: x", "Connection: close", LOGIN),
        lines(f"GET {ASK.replace('isred', 'Isred')} HTTP/1.1", "Host: x", "Connection: close", LOGIN),
        lines(
            f"GET {ASK} HTTP/1.1", "Host: x", "Connection: close", LOGIN, "Content-Type: text/xml", "Content-Length: 3"
        )
        + b"<a>",
    ],
)
def test_a_question_of_an_old_client_is_answered(server: LedgerServer, head: bytes) -> None:
    status, body = said(server, head)
    assert status == 200
    assert json.loads(body)["response"]["points"]["redeemable"]["item_status"]["code"] == 800


def test_a_client_that_sends_its_login_only_when_asked_is_asked(server: LedgerServer) -> None:
    first = lines(f"GET {ASK} HTTP/1.1", "Host: x")
    status, body = said(server, first, lines(f"GET {ASK} HTTP/1.1", "Host: x", "Connection: close", LOGIN))
    assert status == 200
    assert b'"code":800' in body


def test_a_client_that_waits_for_continue_is_told_to(server: LedgerServer) -> None:
    kind = ("Content-Type: application/json", f"Content-Length: {len(BODY)}", "Expect: 100-continue")
    head = lines("POST /v1.1/points/redeem?format=json HTTP/1.1", "Host: x", "Connection: close", LOGIN, *kind)
    status, body = said(server, head, BODY)
    assert status == 200
    assert json.loads(body)["response"]["responses"]["points"]["item_status"]["code"] == 800


def test_a_redemption_in_chunks_is_taken(server: LedgerServer) -> None:
    kind = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    head = lines("POST /v1.1/points/redeem HTTP/1.1", "Host: x", "Connection: close", LOGIN, *kind)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:20], BODY[20:])) + b"0\r\n\r\n"
    status, body = said(server, head + chunks)
    assert status == 200
    assert json.loads(body)["response"]["responses"]["points"]["item_status"]["code"] == 800
