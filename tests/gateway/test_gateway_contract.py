"""What every ledger promises, kept through HTTP by a real server in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.a_ledger import BookKit, LedgerKit
from support.gateway_kit import MachineClock
from support.ledger_contract import CONTRACT_LINES, LedgerContract
from support.ledger_server import LOGIN, LedgerServer, digest, running_ledger

from pos_app.domain.points import Points
from pos_app.gateway import HttpLedger
from pos_app.services.ports import Ledger, Waits


@dataclass
class HttpKit:
    """`LedgerKit` through HTTP; `behind` looks into the same database."""

    ledger: Ledger
    server: LedgerServer
    behind: BookKit

    @property
    def codes_sent(self) -> list[str]:
        return [message["code"] for message in self.server.messages()]

    def balance(self, customer_id: int, program_id: int) -> Points:
        return self.behind.balance(customer_id, program_id)

    def entry_count(self, key: str) -> int:
        return self.behind.entry_count(key)


class TestThroughHttp(LedgerContract):
    """The same promises as in process."""

    @pytest.fixture
    def ledger_kit(self, tmp_path: Path) -> Iterator[LedgerKit]:
        with running_ledger(tmp_path / "ledger", CONTRACT_LINES) as server:
            book = server.place.open()
            ledger = HttpLedger(
                server.url, LOGIN, digest(), waits=Waits(read_s=30), clock=MachineClock(), software="1.0"
            )
            try:
                yield HttpKit(ledger, server, BookKit(book))
            finally:
                ledger.close()
                book.close()
                server.kill()  # It keeps nothing that the next test wants, and a farewell takes its time.
