"""The `Book` in process keeps the ledger's contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.a_ledger import LedgerKit, a_kit
from support.ledger_contract import CONTRACT_LINES, LedgerContract


class TestTheBookInProcess(LedgerContract):
    @pytest.fixture
    def ledger_kit(self, tmp_path: Path, ledger_url: str) -> Iterator[LedgerKit]:
        with a_kit(tmp_path, url=ledger_url, lines=CONTRACT_LINES) as kit:
            yield kit
            assert kit.book.verify() == []
