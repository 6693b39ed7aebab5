"""What every ledger promises of the extension, kept through HTTP by a real server in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.gateway_kit import MachineClock
from support.ledger_server import LOGIN, digest, running_ledger
from support.sync_contract import SyncContract, SyncKit, sync_lines

from pos_app.gateway import HttpLedger
from pos_app.ledger.care.till_care import give_enrolment_code
from pos_app.services.ports import Waits


class TestThroughHttp(SyncContract):
    """The same promises as in process."""

    @pytest.fixture
    def sync_kit(self, tmp_path: Path) -> Iterator[SyncKit]:
        with running_ledger(tmp_path / "ledger", sync_lines()) as server:
            book = server.place.open()
            ledger = HttpLedger(
                server.url, LOGIN, digest(), waits=Waits(read_s=30), clock=MachineClock(), software="1.0"
            )
            try:
                yield SyncKit(ledger, lambda: give_enrolment_code(book.tools, LOGIN, who="test"))
            finally:
                ledger.close()
                book.close()
                server.kill()  # It keeps nothing that the next test wants, and a farewell takes its time.
