"""What every ledger promises of the extension, kept by a `Book` in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.a_ledger import a_book
from support.ledger_server import LOGIN
from support.sync_contract import SyncContract, SyncKit, sync_lines

from pos_app.ledger.care.till_care import give_enrolment_code
from pos_app.ledger.local import LocalLedger


class TestInProcess(SyncContract):
    """The promises, without a wire."""

    @pytest.fixture
    def sync_kit(self, tmp_path: Path, ledger_url: str) -> Iterator[SyncKit]:
        with a_book(tmp_path, sync_lines(), url=ledger_url) as book:
            yield SyncKit(LocalLedger(book, LOGIN), lambda: give_enrolment_code(book.tools, LOGIN, who="test"))
