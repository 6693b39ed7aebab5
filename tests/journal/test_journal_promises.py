"""What every journal promises, held against the one in memory that other tests use and the one on disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.builders import a_redemption
from support.clock import FakeClock
from support.files import DATABASE_KEY
from support.memory_journal import MemoryJournal

from pos_app.domain.redemption import FINAL, State
from pos_app.journal import SqlJournal
from pos_app.services.ports import Journal


@pytest.fixture(params=["memory", "disk"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    with ExitStack() as at_end:
        if request.param == "memory":
            yield MemoryJournal()
        else:
            on_disk = SqlJournal.open(tmp_path / "journal.db", DATABASE_KEY, FakeClock())
            at_end.callback(on_disk.close)
            yield on_disk


def test_a_redemption_is_read_back_as_it_was_added(journal: Journal) -> None:
    journal.add(a_redemption(key="A"))
    assert journal.get("A") == a_redemption(key="A")


def test_a_key_that_was_never_added_is_a_key_error(journal: Journal) -> None:
    with pytest.raises(KeyError):
        journal.get("A")


def test_only_what_was_added_can_move(journal: Journal) -> None:
    with pytest.raises(KeyError):
        journal.put(a_redemption(key="A"))
    assert journal.recent(9) == []


def test_the_next_state_replaces_the_last(journal: Journal) -> None:
    journal.add(a_redemption(key="A"))
    journal.put(a_redemption(key="A", state=State.SENT, attempts=1))
    assert journal.get("A") == a_redemption(key="A", state=State.SENT, attempts=1)


@pytest.mark.parametrize("state", State)
def test_what_is_not_final_is_open(journal: Journal, state: State) -> None:
    journal.add(a_redemption(key="A", state=state))
    assert [each.key for each in journal.open_redemptions()] == ([] if state in FINAL else ["A"])


def test_open_ones_come_oldest_first_and_recent_ones_newest_first(journal: Journal) -> None:
    for key in "CAB":
        journal.add(a_redemption(key=key))
    journal.put(a_redemption(key="C", state=State.SENT))
    assert [each.key for each in journal.open_redemptions()] == ["C", "A", "B"]
    assert [each.key for each in journal.recent(2)] == ["B", "A"]


def test_a_fact_is_recalled_under_its_name_and_may_change(journal: Journal) -> None:
    assert journal.recall("capabilities") is None
    journal.remember("capabilities", "old")
    journal.remember("capabilities", "new")
    assert journal.recall("capabilities") == "new"
