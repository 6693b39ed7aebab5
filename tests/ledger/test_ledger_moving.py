"""Import and export when the ledger's database fails on the way."""

from pathlib import Path

from sqlalchemy import create_engine, text
from support.a_ledger import encoded
from support.ledger_server import a_small_ledger

from pos_app.ledger.care.moving import export_from, import_into
from pos_app.ledger.commands import TROUBLE, LedgerPlace


def a_damaged_ledger(folder: Path) -> LedgerPlace:
    """A ledger that lost a table behind its back."""
    url = f"sqlite:///{folder / 'ledger.db'}"
    place = LedgerPlace(url, folder / "secrets", folder)
    place.open().close()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE organisation"))
        connection.execute(text("DROP TABLE identifier"))
    engine.dispose()
    return place


def test_an_import_that_meets_a_damaged_database_says_that_nothing_was_loaded(tmp_path: Path) -> None:
    file = tmp_path / "shop.jsonl"
    file.write_bytes(b"".join(encoded(a_small_ledger())))
    said: list[str] = []
    assert import_into(a_damaged_ledger(tmp_path), file, keep_good=False, say=said.append) == TROUBLE
    assert said == ["The ledger's database went away, or is damaged. Nothing was loaded."]


def test_an_import_that_keeps_good_lines_says_that_what_came_before_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "shop.jsonl"
    file.write_bytes(b"".join(encoded(a_small_ledger())))
    said: list[str] = []
    assert import_into(a_damaged_ledger(tmp_path), file, keep_good=True, say=said.append) == TROUBLE
    assert "What was loaded before is kept; load the same file again." in said[0]


def test_an_export_of_a_damaged_database_ends_with_a_sentence_and_no_file(tmp_path: Path) -> None:
    said: list[str] = []
    file = tmp_path / "out.jsonl"
    place = a_damaged_ledger(tmp_path)
    assert export_from(place, file, organisation_id=None, say=said.append) == TROUBLE
    assert said == ["The ledger's database cannot be used: it went away, or it is damaged. Look at the database first."]
    assert not file.exists()
