"""House rules that no linter knows."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
SOURCES = sorted((TOP / "pos_app").rglob("*.py"))
LINES_MOST = 420


def room_and_name(file: Path) -> str:
    return file.relative_to(TOP / "pos_app").as_posix()


def test_the_top_level_holds_what_was_agreed_and_nothing_else() -> None:
    allowed = {"pyproject.toml", "README.md", "pos_app", "resources", "tests", "packaging"}
    made_by_use = {"tour", "build", "dist"}
    found = {
        each.name for each in TOP.iterdir() if not each.name.startswith(".") and not each.name.endswith(".egg-info")
    }
    assert found - made_by_use == allowed


@pytest.mark.parametrize("file", SOURCES, ids=room_and_name)
def test_no_file_outgrows_its_room(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LINES_MOST


@pytest.mark.parametrize("file", SOURCES, ids=room_and_name)
def test_no_file_holds_words_of_unfinished_work(file: Path) -> None:
    text = file.read_text(encoding="utf-8").replace("setPlaceholderText", "").replace("placeholderText", "")
    assert not re.search(r"\b(TODO|FIXME|HACK|NotImplementedError|stub)\b", text)


@pytest.mark.parametrize("file", SOURCES, ids=room_and_name)
def test_only_the_clock_tells_time(file: Path) -> None:
    if room_and_name(file) == "files/clock.py":
        return
    told = re.findall(
        r"\b(?:time\.(?:time|monotonic|sleep|perf_counter)|datetime\.(?:now|utcnow)|date\.today)\(", file.read_text()
    )
    assert not told


@pytest.mark.parametrize("file", SOURCES, ids=room_and_name)
def test_only_the_room_of_files_and_the_ledgers_own_module_know_the_database_driver(file: Path) -> None:
    if room_and_name(file) in {"files/database.py", "ledger/databases/sqlite.py", "doctor.py"}:
        return
    assert not re.search(r"^\s*(?:import|from) (?:sqlite3|sqlcipher3)\b", file.read_text(), re.MULTILINE)


@pytest.mark.parametrize("file", SOURCES, ids=room_and_name)
def test_only_one_module_knows_the_driver_of_postgresql(file: Path) -> None:
    if room_and_name(file) != "ledger/databases/postgresql.py":
        assert not re.search(r"^\s*(?:import|from) psycopg\b", file.read_text(), re.MULTILINE)


@pytest.mark.parametrize("file", SOURCES, ids=room_and_name)
def test_certificates_are_always_verified(file: Path) -> None:
    assert not re.search(r"verify\s*=\s*False|CERT_NONE|_create_unverified_context", file.read_text())


def test_resources_hold_data_only() -> None:
    assert not list((TOP / "resources").rglob("*.py"))
