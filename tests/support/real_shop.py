"""Stores, tills, people and customers for journeys of real processes: a ledger over loopback and headless tills."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests
from support.counting import Counted, count
from support.fault_proxy import FaultProxy
from support.headless_till import QUICK, HeadlessTill, a_headless_till
from support.ledger_server import (
    PROGRAM,
    LedgerServer,
    a_customer,
    a_program,
    a_till,
    an_organisation,
    running_ledger,
)
from support.people_kit import an_operator

CASHIER, SUPERVISOR = 7, 12
PIN = "4821"
FIRST, SECOND, ELSEWHERE = "till.014.1", "till.014.2", "till.022.1"
"""Two tills of store 014 and one of store 022."""
SPARE = tuple(f"till.014.{number}" for number in range(10, 30))
"""Further tills of store 014, for tests that want one nobody has used."""
CUSTOMERS = 40
POINTS = 500


def customer_id(number: int) -> int:
    """The id of the customer of this number."""
    return 60_000 + number


def mobile(number: int) -> str:
    """Her mobile number."""
    return f"9198765{number:05d}"


def the_lines(*, customers: int = CUSTOMERS, points: int = POINTS, **organisation: Any) -> list[dict[str, Any]]:
    """One organisation whose program may be redeemed under leases, three tills, two operators, some customers."""
    stores = {FIRST: "014", SECOND: "014", ELSEWHERE: "022", **dict.fromkeys(SPARE, "014")}
    return [
        an_organisation(**organisation),
        a_program(offline_redemption=True),
        *(a_till(login=login, store=store, name=f"Till {login[-1]}") for login, store in stores.items()),
        an_operator(CASHIER, "cashier", pin=PIN),
        an_operator(SUPERVISOR, "supervisor", pin=PIN),
        *(
            a_customer(
                id=customer_id(number),
                mobile=mobile(number),
                email=f"customer{number}@example.org",
                external_id=f"E{number}",
                points=points,
            )
            for number in range(customers)
        ),
    ]


@dataclass
class RealShop:
    """A running ledger, and the tills that were made for it."""

    folder: Path
    ledger: LedgerServer
    tills: list[HeadlessTill] = field(default_factory=list)
    proxies: list[FaultProxy] = field(default_factory=list)

    # --- Tills -------------------------------------------------------------------------------------------------------

    def till(self, login: str | None = None, *, more: str = QUICK, **environment: str) -> HeadlessTill:
        """A till behind a proxy of its own, not started yet; under a spare login where none is named."""
        login = login or SPARE[len(self.tills)]
        proxy = FaultProxy(("127.0.0.1", self.ledger.port))
        self.proxies.append(proxy)
        name = f"{login}-{len(self.tills)}"
        till = a_headless_till(self.folder / name, proxy.url, login=login, more=more, **environment)
        self.tills.append(till)
        return till

    def proxy_of(self, till: HeadlessTill) -> FaultProxy:
        """The line of a till."""
        return self.proxies[self.tills.index(till)]

    def opened(self, login: str | None = None, *, more: str = QUICK, **environment: str) -> HeadlessTill:
        """A till that is enrolled, and a cashier signed in."""
        till = self.till(login, more=more, **environment)
        till.start()
        for _ in range(5):
            enrolled = till.ask("enrol", code=None)
            if enrolled["outcome"] == "ok":
                break
        assert enrolled["outcome"] == "ok", enrolled
        sign_in(till)
        return till

    # --- The ledger --------------------------------------------------------------------------------------------------

    def admin(self, method: str, path: str, **asked: Any) -> dict[str, Any]:
        """One of the administrator's calls."""
        token = (self.ledger.place.secrets / "admin.token").read_text(encoding="ascii").strip()
        headers = {"Authorization": f"Bearer {token}"}
        how = {"params": asked} if method == "GET" else {"json": asked}
        reply = requests.request(method, f"{self.ledger.url}/admin/{path}", headers=headers, timeout=30, **how)
        assert reply.status_code == 200, reply.text
        tree: dict[str, Any] = reply.json()
        return tree

    def tick(self, seconds: float = 0) -> None:
        """Move the ledger's clock on and run its jobs."""
        self.admin("POST", "tick", seconds=seconds)

    def balance(self, number: int) -> Decimal:
        """What a customer's wallet holds at the ledger."""
        wallet = self.admin("GET", "wallet", customer_id=customer_id(number), program_id=PROGRAM)
        return Decimal(wallet["balance"])

    def counted(self) -> Counted:
        """What all tills printed, held against the ledger, by the program that knows neither."""
        return count(str(self.ledger.database), [till.output for till in self.tills])

    def verify(self) -> None:
        """`ledger verify` finds nothing."""
        arguments = ["ledger", "verify", "--db", self.ledger.place.url]
        ended = subprocess.run(
            [sys.executable, "-m", "pos_app", *arguments], capture_output=True, text=True, timeout=120, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr

    def settle_all(self, tills: Sequence[HeadlessTill] | None = None) -> None:
        """The line is healed: every till tells what it has, and nothing is left under way."""
        for each in self.proxies:
            each.heal()
        for till in self.tills if tills is None else tills:
            for _ in range(5):
                if till.ask("sync")["outcome"] == "ok" and till.ask("status")["detail"]["outbox"] == 0:
                    break
            status = till.ask("status")["detail"]
            assert status["outbox"] == 0, status

    def close(self) -> None:
        """End everything."""
        for till in self.tills:
            till.end()
        for proxy in self.proxies:
            proxy.stop()


def sign_in(till: HeadlessTill, operator: int = CASHIER) -> None:
    """Sign the cashier in; on a busy machine the ledger may need a second try."""
    for _ in range(5):
        told = till.ask("sign_in", operator_id=operator, pin=PIN)
        if told["detail"].get("reason") != "line_needed":
            break
        till.ask("sync")
    assert told["outcome"] == "ok", told


def redeem(till: HeadlessTill, number: int, points: int | str, **more: Any) -> dict[str, Any]:
    """Redeem some points of a customer; returns the answer."""
    return till.ask("redeem", mobile=mobile(number), points=str(points), program_id=PROGRAM, **more)


def lease(till: HeadlessTill, number: int) -> dict[str, Any]:
    """Ask for a lease of a customer's wallet; returns it."""
    told = till.ask("lease", mobile=mobile(number), program_id=PROGRAM)
    assert told["outcome"] == "ok", told
    found: dict[str, Any] = told["detail"]["lease"]
    return found


@contextmanager
def a_real_shop(
    folder: Path, *, lines: Sequence[dict[str, Any]] | None = None, settings: str | None = None, **environment: str
) -> Iterator[RealShop]:
    """A ledger in test mode with `the_lines`, served until the block ends."""
    with ExitStack() as opened:
        ledger = opened.enter_context(
            running_ledger(
                folder / "ledger",
                the_lines() if lines is None else lines,
                settings=settings,
                options={"test_mode": True},  # type: ignore[dict-item]
                environment=environment,
            )
        )
        shop = RealShop(folder, ledger)
        opened.callback(shop.close)
        yield shop
