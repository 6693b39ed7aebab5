"""An `HttpLedger` in front of a fault proxy, and the bodies a toy service says."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from support.builders import A_KEY, a_request, points
from support.fake_ledger import a_redeem_answer, an_extension
from support.fault_proxy import FaultProxy, said

from pos_app.domain.answers import Capabilities, CheckAnswer, Identity, RedeemAnswer
from pos_app.domain.commands import Redeem
from pos_app.gateway import HttpLedger
from pos_app.gateway.known import KnownService
from pos_app.services.ports import Waits
from pos_app.wire.answers import write_check_answer, write_redeem_answer, write_status
from pos_app.wire.formats import Format
from pos_app.wire.sync import write_capabilities

MOBILE = "919777785205"
QUICK = Waits(connect_s=2.0, read_s=1.0)
"""Short enough for tests of silence, long enough for a busy machine to connect on loopback."""

OURS = Capabilities(
    service="pos-app-ledger",
    version="1.0",
    epoch=1,
    server_time=datetime(2026, 11, 22, 10, 0, tzinfo=UTC),
    has_extension=True,
    idempotent_redeem=True,
    features=frozenset({"post_reads", "cancel"}),
)
NO_EXTENSION = said(404, write_status(404, "The requested resource does not exist", Format.JSON))
OUR_CAPABILITIES = said(200, write_capabilities(OURS))


class MachineClock:
    """The machine's own time: sockets do not wait by a clock of ours."""

    def wall(self) -> datetime:
        return datetime.now(UTC)

    def mono(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def a_ledger(
    service: FaultProxy,
    *,
    waits: Waits = QUICK,
    ca_file: Path | None = None,
    url: str = "",
    proxy: str | None = None,
    known: KnownService | None = None,
) -> HttpLedger:
    """A service, as the till `till.014.3` reaches it.

    `url` and `proxy` name another way to it, `known` is what is known of it already.
    """
    return HttpLedger(
        url or service.url,
        "till.014.3",
        "0cc175b9c0f1b6a831c399e269772661",
        waits=waits,
        ca_file=ca_file,
        proxy=proxy,
        clock=MachineClock(),
        software="1.0",
        service=known,
    )


def knows_us(proxy: FaultProxy) -> HttpLedger:
    """A ledger with the extension, already asked what it can do."""
    proxy.will(OUR_CAPABILITIES, path="/capabilities")
    ledger = a_ledger(proxy)
    ledger.capabilities()
    return ledger


def knows_nobody(proxy: FaultProxy) -> HttpLedger:
    """A service without the extension, already asked what it can do."""
    proxy.will(NO_EXTENSION, path="/capabilities")
    ledger = a_ledger(proxy)
    ledger.capabilities()
    return ledger


def a_command(**changes: Any) -> Redeem:
    """Redeem 100 points of Tom's, with a code."""
    request = a_request(100, validation_code="Q7XK2M", **changes)
    return Redeem(request=request, key=A_KEY, bill_number="B-77", cashier=7)


def a_yes(**changes: Any) -> RedeemAnswer:
    """The yes to `a_command`, as our ledger gives it."""
    changes.setdefault("identity", Identity(mobile="919812345678", email="ada@example.org"))
    changes.setdefault("extension", an_extension(key=A_KEY))
    return a_redeem_answer(100, 400, **changes)


def redeem_body(answer: RedeemAnswer) -> bytes:
    """An answer of `redeem` on the wire."""
    return write_redeem_answer(answer, Format.JSON, with_extension=answer.extension is not None)


def check_body(count: int = 100, **changes: Any) -> bytes:
    """An answer of `isredeemable` on the wire."""
    answer = CheckAnswer(
        identity=Identity(mobile=MOBILE),
        points=points(count),
        worth=Decimal(count),
        local_worth=Decimal(count),
        by_value=False,
        ratio=Decimal(1),
        refusal=changes.pop("refusal", None),
        code=changes.pop("code", 800),
        message="",
        extension=changes.pop("extension", None),
    )
    return write_check_answer(answer, Format.JSON, with_extension=answer.extension is not None)


def sync_error(code: int, reason: str) -> bytes:
    """An error of /sync."""
    return json.dumps({"errors": [{"status": False, "code": code, "reason": reason, "message": ""}]}).encode()


def named(value: object) -> str:
    """A short name of a parameter, for the names of tests."""
    return value.__name__ if isinstance(value, type) else str(value)[:40]
