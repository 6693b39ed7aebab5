"""Receipts: each once, and a copy is marked as one whenever an earlier print can have come out (C7, C8)."""

from __future__ import annotations

import pytest
from support.builders import a_redemption
from support.clock import FakeClock
from support.memory_journal import MemoryJournal

from pos_app.domain.redemption import Kind, Redemption, State
from pos_app.domain.trouble import StorageError
from pos_app.services.receipts import Receipt, Receipts


class PowerCutError(BaseException):
    """The till is gone in the middle of a print."""


class Paper:
    """What came out of the printer; it may fail before or after the paper comes."""

    def __init__(self) -> None:
        self.printed: list[tuple[str, bool]] = []
        self.cut_before = False
        self.cut_after = False

    def __call__(self, receipt: Receipt) -> None:
        if self.cut_before:
            raise PowerCutError
        self.printed.append((receipt.row.key, receipt.is_duplicate))
        if self.cut_after:
            raise PowerCutError


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def journal(clock: FakeClock) -> MemoryJournal:
    return MemoryJournal(clock)


@pytest.fixture
def paper() -> Paper:
    return Paper()


def a_row(clock: FakeClock, number: int, state: State = State.CONFIRMED, **changes: object) -> Redemption:
    now = clock.wall()
    return a_redemption(
        key=f"{number:026}", state=state, created_at=now, changed_at=now, redemption_id=f"R{number}", **changes
    )


def test_what_was_made_is_printed_once(journal: MemoryJournal, clock: FakeClock, paper: Paper) -> None:
    row = a_row(clock, 1)
    journal.add(row)
    receipts = Receipts(journal, clock, paper)
    receipts.print_new(row.key)
    receipts.print_new(row.key)
    receipts.print_found()
    assert paper.printed == [(row.key, False)]
    assert journal.get(row.key).printed_at == clock.wall()


def test_another_copy_is_a_duplicate(journal: MemoryJournal, clock: FakeClock, paper: Paper) -> None:
    row = a_row(clock, 1)
    journal.add(row)
    receipts = Receipts(journal, clock, paper)
    receipts.print_new(row.key)
    receipts.print_again(row.key)
    assert paper.printed == [(row.key, False), (row.key, True)]


@pytest.mark.parametrize("came_out", [True, False])
def test_after_a_cut_while_printing_the_next_copy_is_a_duplicate(
    journal: MemoryJournal, clock: FakeClock, paper: Paper, *, came_out: bool
) -> None:
    rows = [a_row(clock, number) for number in (1, 2)]
    for each in rows:
        journal.add(each)
    paper.cut_after, paper.cut_before = came_out, not came_out
    with pytest.raises(PowerCutError):
        Receipts(journal, clock, paper).print_new(rows[1].key)
    again = Paper()
    Receipts(journal, clock, again).print_found()
    assert sorted(again.printed) == [(rows[0].key, False), (rows[1].key, True)]


def test_what_was_made_before_the_last_stop_is_found_and_printed(
    journal: MemoryJournal, clock: FakeClock, paper: Paper
) -> None:
    made = [
        a_row(clock, 1),
        a_row(clock, 2, State.LOCAL_DONE, kind=Kind.LEASE),
        a_row(clock, 3, State.SETTLED_SHORT, kind=Kind.LEASE),
    ]
    not_made = [a_row(clock, 4, State.UNKNOWN), a_row(clock, 5, State.REFUSED), a_row(clock, 6, State.REVERSED)]
    for each in (*made, *not_made, a_row(clock, 7, kind=Kind.REVERSE)):
        journal.add(each)
    Receipts(journal, clock, paper).print_found()
    assert sorted(key for key, _ in paper.printed) == [each.key for each in made]


def test_without_its_mark_nothing_is_printed(journal: MemoryJournal, clock: FakeClock, paper: Paper) -> None:
    row = a_row(clock, 1)
    journal.add(row)
    receipts = Receipts(journal, clock, paper)
    journal.is_full = True
    with pytest.raises(StorageError):
        receipts.print_new(row.key)
    assert paper.printed == []
    journal.is_full = False
    receipts.print_new(row.key)
    assert paper.printed == [(row.key, False)]


@pytest.mark.parametrize("state", [State.UNKNOWN, State.REFUSED, State.READY, State.CANCELLED])
def test_what_was_not_redeemed_has_no_receipt(
    journal: MemoryJournal, clock: FakeClock, paper: Paper, state: State
) -> None:
    row = a_row(clock, 1, state)
    journal.add(row)
    with pytest.raises(ValueError, match="only what was redeemed"):
        Receipts(journal, clock, paper).print_again(row.key)
