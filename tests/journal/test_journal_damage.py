"""A journal that cannot be read: what is whole is saved, nothing is made up, nothing is spent until enrolled again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import a_redemption, points
from support.clock import FakeClock
from support.files import ANOTHER_KEY, DATABASE_KEY, damage, full_disk
from support.held_kit import a_key, a_lease, a_local, an_asked, an_operator, sealing

from pos_app.domain.held import HeldLease
from pos_app.domain.leases import GiveBack, LeaseState
from pos_app.domain.redemption import Redemption, State
from pos_app.domain.settling import Spend
from pos_app.domain.trouble import StorageError
from pos_app.files.database import open_encrypted
from pos_app.journal import SqlJournal
from pos_app.journal.audit import first_break
from pos_app.journal.pages import PAGE_BYTES
from pos_app.journal.salvage import Saved
from pos_app.journal.tables import REDEMPTION
from pos_app.services.offline_port import AuditRow, JournalState, PassUse

ROWS = 120
SPENDS = 30


def open_at(path: Path, key_hex: str = DATABASE_KEY) -> SqlJournal:
    return SqlJournal.open(path, key_hex, FakeClock())


@dataclass(frozen=True)
class Told:
    """What a journal tells."""

    rows: dict[str, Redemption]
    leases: dict[str, HeldLease]
    links: dict[str, Spend]
    audit: dict[int, AuditRow]

    @classmethod
    def by(cls, journal: SqlJournal) -> Told:
        return cls(
            rows={row.key: row for row in reversed(journal.recent(10_000))},
            leases={each.lease.lease_id: each for each in journal.leases(with_closed=True)},
            links={each.key: each for each in journal.sealed_from(1, 1, 10_000)},
            audit={each.number: each for each in journal.audit_rows()},
        )


def a_busy_journal(path: Path) -> Told:
    """Leave a journal with a bit of everything behind, closed."""
    journal = open_at(path)
    journal.begin_epoch(1)
    for number in range(1, 6):
        journal.ask_lease(an_asked(number))
        if number < 5:
            journal.answer_lease(an_asked(number).request_id, a_lease(f"L{number}"))
    for number in range(1, ROWS):
        journal.add(a_redemption(key=f"ROW{number:03}", message="Canary Message", bill_number="CANARYBILL"))
    journal.add(a_redemption(key="LONG", message="long " * 3000))
    for number in range(1, SPENDS + 1):
        row = a_local(1, number=number)
        kept = journal.spend(row, sealing(row), PassUse("N", points(500)))
        journal.put(replace(kept, state=State.SETTLING))
    journal.add_closing(a_redemption(key="GIVES"), [GiveBack("L2")])
    journal.mark_lease("L3", LeaseState.CLOSED)
    for number in range(20):
        journal.note("approve", 7, f"redemption:{number}", {"purpose": "risk"})
    journal.keep_operator(an_operator())
    journal.remember("capabilities", "much")
    told = Told.by(journal)
    journal.close()
    return told


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Told]:
    """The bytes of such a journal, and what it tells."""
    path = tmp_path_factory.mktemp("busy") / "journal.db"
    told = a_busy_journal(path)
    return path.read_bytes(), told


def assert_nothing_is_made_up(journal: SqlJournal, before: Told) -> Told:
    """Each row is exactly as it was, but a lease: it is given back."""
    after = Told.by(journal)
    assert after.rows.items() <= before.rows.items()
    assert list(after.rows) == [key for key in before.rows if key in after.rows]
    assert after.links.items() <= before.links.items()
    for lease_id, held in after.leases.items():
        was = before.leases[lease_id]
        state = LeaseState.CLOSING if was.state is LeaseState.OPEN else was.state
        assert held == replace(was, state=state, spent=held.spent)
        assert held.spent >= was.spent or len(after.rows) < len(before.rows)
    assert all(after.audit[number] == before.audit[number] for number in list(after.audit)[:-1])
    return after


def assert_told_and_blocked(path: Path, journal: SqlJournal, damaged: bytes) -> None:
    health = journal.health()
    assert health.state is JournalState.DAMAGED
    assert health.set_aside is not None
    assert health.export is not None
    set_aside, export = Path(health.set_aside), Path(health.export)
    assert set_aside.name == "journal.bad-20261122T100000Z"
    assert set_aside.read_bytes() == damaged
    assert set_aside.name in health.message
    assert "enrol this till again" in health.message
    assert export.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_mode & 0o777 == 0o600
    assert journal.offline_blocked() == "damaged"
    row = a_local(1, number=9999, lease_id=None)
    with pytest.raises(ValueError, match="damaged"):
        journal.spend(row, sealing(row))


@pytest.mark.parametrize(
    ("hurt", "lost_at_most"),
    [
        (lambda path: damage(path, 0), 0),
        (lambda path: damage(path, 100), 0),
        (lambda path: path.write_bytes(bytes(PAGE_BYTES) + path.read_bytes()[PAGE_BYTES:]), 0),
        (lambda path: path.write_bytes(b"<html>" + path.read_bytes()[6:]), 0),
        (lambda path: damage(path, path.stat().st_size // 2 // PAGE_BYTES * PAGE_BYTES + 2000), 12),
        (lambda path: damage(path, path.stat().st_size - PAGE_BYTES + 100), 12),
        (lambda path: os_truncate(path, path.stat().st_size - PAGE_BYTES), 12),
        (lambda path: os_truncate(path, path.stat().st_size * 3 // 4 + 77), ROWS),
        (lambda path: path.write_bytes(b"not a database at all"), ROWS + SPENDS + 2),
    ],
    ids=[
        "salt",
        "header",
        "page 1 gone",
        "overwritten",
        "middle",
        "last page",
        "cut",
        "three quarters",
        "another file",
    ],
)
def test_what_is_whole_is_saved_and_the_rest_is_set_aside(
    busy: tuple[bytes, Told], path: Path, hurt: Callable[[Path], object], lost_at_most: int
) -> None:
    whole, before = busy
    path.write_bytes(whole)
    hurt(path)
    damaged = path.read_bytes()
    journal = open_at(path)
    after = assert_nothing_is_made_up(journal, before)
    assert len(before.rows) - len(after.rows) <= lost_at_most
    assert_told_and_blocked(path, journal, damaged)
    journal.close()


def os_truncate(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


def test_a_damaged_first_page_loses_no_row_at_all(busy: tuple[bytes, Told], path: Path) -> None:
    """SQLite itself reads nothing without it."""
    whole, before = busy
    path.write_bytes(bytes(PAGE_BYTES) + whole[PAGE_BYTES:])
    journal = open_at(path)
    after = Told.by(journal)
    assert after.rows == before.rows
    assert after.links == before.links
    assert set(after.leases) == set(before.leases)
    assert after.leases["L1"].spent == points(SPENDS)
    assert [each.request_id for each in journal.asked_leases()] == [an_asked(5).request_id]
    assert list(journal.given_back("GIVES")) == [GiveBack("L2")]
    assert journal.operator(12) == an_operator()
    assert journal.recall("capabilities") == "much"
    assert journal.pass_spent("N") == points(SPENDS)
    assert journal.chain_head().seq == SPENDS
    assert first_break(journal.audit_rows()) is None
    assert journal.audit_rows()[-1].act == "journal_salvaged"
    journal.close()


def test_damage_of_any_one_page_makes_nothing_up(busy: tuple[bytes, Told], tmp_path: Path) -> None:
    whole, before = busy
    lost = []
    for page in range(0, len(whole) // PAGE_BYTES, 3):
        path = tmp_path / f"{page}" / "journal.db"
        path.parent.mkdir()
        path.write_bytes(whole)
        damage(path, page * PAGE_BYTES + 500)
        journal = open_at(path)
        assert journal.health().state is JournalState.DAMAGED
        after = assert_nothing_is_made_up(journal, before)
        lost.append(len(before.rows) - len(after.rows))
        journal.close()
    assert max(lost) <= 12
    assert sum(lost) <= len(before.rows)


@settings(max_examples=25, deadline=None)
@given(
    places=st.lists(st.floats(0, 0.999), min_size=1, max_size=8),
    cut=st.floats(0.2, 1),
    noise=st.binary(min_size=1, max_size=64),
)
def test_no_damage_makes_anything_up(
    busy: tuple[bytes, Told],
    tmp_path_factory: pytest.TempPathFactory,
    places: list[float],
    cut: float,
    noise: bytes,
) -> None:
    whole, before = busy
    path = tmp_path_factory.mktemp("hurt") / "journal.db"
    content = bytearray(whole[: int(len(whole) * cut)])
    for place in places:
        at = int(len(content) * place)
        content[at : at + len(noise)] = noise[: len(content) - at]
    path.write_bytes(content)
    journal = open_at(path)
    if bytes(content) != whole:
        assert_nothing_is_made_up(journal, before)
    journal.close()


def test_the_wrong_key_saves_nothing_and_keeps_everything(busy: tuple[bytes, Told], path: Path) -> None:
    whole, before = busy
    path.write_bytes(whole)
    journal = open_at(path, ANOTHER_KEY)
    assert Told.by(journal).rows == {}
    assert_told_and_blocked(path, journal, whole)
    set_aside = Path(str(journal.health().set_aside))
    journal.close()
    found = open_at(set_aside, DATABASE_KEY)
    assert Told.by(found) == before
    found.close()


def test_a_row_no_journal_can_hold_is_damage_too(busy: tuple[bytes, Told], path: Path) -> None:
    whole, before = busy
    path.write_bytes(whole)
    engine = open_encrypted(path, DATABASE_KEY, pragmas={"ignore_check_constraints": "ON"})
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE redemption SET points = -5 WHERE key = 'ROW007'")
        connection.exec_driver_sql("UPDATE lease SET spent = 999999 WHERE lease_id = 'L4'")
    engine.dispose()
    journal = open_at(path)
    after = assert_nothing_is_made_up(journal, before)
    assert set(before.rows) - set(after.rows) == {"ROW007"}
    assert set(before.leases) - set(after.leases) == {"L4"}
    journal.close()


def test_an_enrolment_ends_the_block_and_spending_goes_on(busy: tuple[bytes, Told], path: Path) -> None:
    whole, before = busy
    path.write_bytes(bytes(PAGE_BYTES) + whole[PAGE_BYTES:])
    open_at(path).close()
    journal = open_at(path)
    assert journal.health().state is JournalState.DAMAGED, "a new start does not end it"
    row = a_redemption(key="NEW")
    journal.add(row)
    journal.put(replace(row, state=State.SENT))
    journal.begin_epoch(1)
    assert journal.offline_blocked() == "damaged", "the same enrolment does not end it"
    journal.begin_epoch(2)
    assert journal.health().state is JournalState.OK
    journal.ask_lease(an_asked(8))
    journal.answer_lease(an_asked(8).request_id, a_lease("L8", till_epoch=2))
    spent = a_local(1, number=700, lease_id="L8")
    assert journal.spend(spent, sealing(spent)).seq == 1
    assert journal.sealed(a_key(1)) == before.links[a_key(1)], "what was spent before is still told"
    journal.close()


def test_a_row_whose_seal_was_lost_gets_another_one_after_the_enrolment(path: Path) -> None:
    journal = open_at(path)
    journal.begin_epoch(1)
    row = a_local(5, number=1, lease_id=None)
    journal.spend(row, sealing(row))
    journal.close()
    engine = open_encrypted(path, DATABASE_KEY, pragmas={"ignore_check_constraints": "ON"})
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE chain SET seq = -1")
    engine.dispose()
    journal = open_at(path)
    with pytest.raises(KeyError):
        journal.sealed(row.key)
    with pytest.raises(ValueError, match="damaged"):
        journal.seal_online(row.key, sealing(row))
    journal.begin_epoch(2)
    assert journal.seal_online(row.key, sealing(row)).seq == 1
    assert (journal.get(row.key).seq, journal.epoch_of(row.key)) == (1, 2)
    journal.close()


def test_the_export_counts_and_names_nothing_personal(busy: tuple[bytes, Told], path: Path) -> None:
    whole, _ = busy
    path.write_bytes(whole)
    damage(path, 100)
    journal = open_at(path)
    export = Path(str(journal.health().export))
    journal.close()
    head, *rows = (json.loads(line) for line in export.read_text(encoding="utf-8").splitlines())
    assert head["rows"]["redemption"] == ROWS + SPENDS + 1
    assert (head["pages"], head["pages_broken"]) == (len(whole) // PAGE_BYTES, 1)
    assert head["set_aside"] == "journal.bad-20261122T100000Z"
    spent = next(row for row in rows if row["table"] == "redemption" and row["key"] == a_key(1))
    assert (spent["points"], spent["seq"], spent["state"]) == ("1", 1, "SETTLING")
    assert {"table": "lease", "lease_id": "L1", "state": "OPEN", "amount": "400", "spent": str(SPENDS)} in rows
    for canary in ("Canary", "CANARYBILL", "9812345678", "Ada", "example.org", "PT1.", "argon2id", "Mehta"):
        assert canary not in export.read_text(encoding="utf-8")


def test_a_rescue_that_a_crash_cut_off_is_ended_by_the_next_start(busy: tuple[bytes, Told], path: Path) -> None:
    """The damaged file was moved aside, and what was saved lies ready beside its place."""
    whole, before = busy
    path.write_bytes(whole)
    damage(path, 100)
    open_at(path).close()
    path.rename(path.with_name("journal.db.salvaged"))
    journal = open_at(path)
    assert journal.health().state is JournalState.DAMAGED
    assert set(Told.by(journal).rows) == set(before.rows)
    journal.close()
    assert {each.name for each in path.parent.iterdir()} - {"journal.db-journal"} == {
        "journal.bad-20261122T100000Z",
        "journal.bad-20261122T100000Z.jsonl",
        "journal.db",
        "reserve",
    }


def test_a_rescue_that_was_cut_off_before_begins_anew(busy: tuple[bytes, Told], path: Path) -> None:
    whole, before = busy
    path.write_bytes(whole)
    damage(path, 100)
    path.with_name("journal.db.salvaged").write_bytes(whole[:5000])
    journal = open_at(path)
    assert set(Told.by(journal).rows) == set(before.rows)
    journal.close()


def test_two_damaged_journals_of_one_second_are_both_kept(busy: tuple[bytes, Told], path: Path) -> None:
    whole, _ = busy
    for _time in range(2):
        path.write_bytes(whole)
        damage(path, 100)
        open_at(path).close()
    kept = sorted(each.name for each in path.parent.glob("journal.bad-*Z*"))
    assert [name for name in kept if "jsonl" not in name] == [
        "journal.bad-20261122T100000Z",
        "journal.bad-20261122T100000Z-2",
    ]


def test_without_room_for_a_rescue_the_damaged_file_stays(busy: tuple[bytes, Told], path: Path) -> None:
    whole, _ = busy
    path.write_bytes(whole)
    damage(path, 100)
    damaged = path.read_bytes()
    with full_disk(20_000), pytest.raises(StorageError, match="disk"):
        open_at(path)
    assert path.read_bytes() == damaged
    journal = open_at(path)
    assert journal.health().state is JournalState.DAMAGED
    journal.close()


@pytest.mark.parametrize("order", [(3, 8), (8, 3)], ids=["older first", "newer first"])
def test_of_two_copies_of_a_row_the_newer_one_is_saved(order: tuple[int, int]) -> None:
    """A page that was given up still holds the row as it was before it moved on."""
    saved = Saved()
    for number in order:
        saved.take(REDEMPTION, {"id": 1, "key": "A", "state": f"of {number}", "commit_no": number})
    saved.take(REDEMPTION, {"id": 0, "key": "B", "state": "first", "commit_no": 1})
    assert [row["state"] for row in saved.of(REDEMPTION)] == ["first", "of 8"]


# --- Missing -------------------------------------------------------------------------------------------------------


def test_a_till_that_had_a_journal_misses_it(path: Path) -> None:
    journal = open_at(path)
    assert journal.health().state is JournalState.OK
    journal.begin_epoch(1)
    journal.close()
    path.unlink()
    journal = open_at(path)
    assert journal.health().state is JournalState.MISSING
    assert "missing" in journal.health().message
    assert journal.offline_blocked() == "missing"
    journal.add(a_redemption(key="A"))
    row = a_local(1, number=1, lease_id=None)
    with pytest.raises(ValueError, match="missing"):
        journal.spend(row, sealing(row))
    journal.close()
    again = open_at(path)
    assert again.health().state is JournalState.MISSING
    again.begin_epoch(2)
    assert again.health().state is JournalState.OK
    again.close()


@pytest.mark.parametrize("was_here", [True, False])
def test_whoever_knows_that_there_was_one_says_so(path: Path, was_here: bool) -> None:
    journal = SqlJournal.open(path, DATABASE_KEY, FakeClock(), was_here=was_here)
    assert journal.health().state is (JournalState.MISSING if was_here else JournalState.OK)
    journal.close()


def test_a_cache_beside_it_says_so_too_and_an_empty_file_is_none(path: Path) -> None:
    path.with_name("cache.db").write_bytes(b"")
    path.write_bytes(b"")
    journal = open_at(path)
    assert journal.health().state is JournalState.MISSING
    journal.close()
