"""Family groups are found by the beginning of any word of their name, by way of an index and never by a scan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select
from support.a_ledger import BookKit, a_kit
from support.ledger_server import LOGIN, a_small_ledger

from pos_app.ledger import schema
from pos_app.ledger.group_lookups import search_groups
from pos_app.ledger.group_names import beginnings, name_the_unnamed, searchable, word_rows


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("The Smith-Jones family", "the smith-jones family"),
        ("  two   spaces\tand a tab ", "two spaces and a tab"),
        ("Straße", "strasse"),
        ("ＦＵＬＬ width", "full width"),
        ("ÉCOLE", "école"),
    ],
)
def test_a_name_is_searched_in_one_form(name: str, key: str) -> None:
    assert searchable(name) == key


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("smith", ["smith"]),
        ("the smith-jones family", ["the smith-jones family", "smith-jones family", "jones family", "family"]),
        ("(sons) & co", ["(sons) & co", "sons) & co", "co"]),
        ("a a", ["a a", "a"]),
        ("--", ["--"]),
        ("x" * 200, ["x" * 60]),
    ],
)
def test_a_name_is_kept_from_each_of_its_words_on(key: str, words: list[str]) -> None:
    assert beginnings(key) == words


def test_a_name_of_very_many_words_is_kept_within_bounds() -> None:
    kept = beginnings(" ".join("ab" for _ in range(66)) + " end")
    assert len(kept) <= 24
    assert max(map(len, kept)) == 60


def test_of_the_words_that_begin_alike_one_stands_for_the_group() -> None:
    rows = word_rows(1, 5, "smith smithson smit x")
    assert [(word, shared) for _, word, shared, _ in rows] == [
        ("smit x", 0),
        ("smith smithson smit x", 4),
        ("smithson smit x", 5),
        ("x", 0),
    ]
    for begun in ("s", "smi", "smit", "smith", "smith ", "smiths", "x"):
        found = [word for _, word, shared, _ in rows if word.startswith(begun) and shared < len(begun)]
        assert len(found) == 1, begun


@pytest.fixture
def kit(tmp_path: Path, ledger_url: str) -> Iterator[BookKit]:
    with a_kit(tmp_path, a_small_ledger(), url=ledger_url) as made:
        yield made


def _search(kit: BookKit, text: str) -> list[int]:
    till = kit.book.find_till(LOGIN)
    assert till is not None
    return [each.group_id for each in search_groups(kit.book.tools, till, text, offset=0, limit=50).found]


def test_groups_of_a_ledger_that_could_not_search_yet_are_named_once(kit: BookKit) -> None:
    plain = {"org": 1, "external_id": None, "status": "ACTIVE", "name_key": ""}
    names = {each: f"Family {each} Öztürk" for each in range(1, 1203)}
    with kit.book.store.write() as connection:
        connection.execute(
            insert(schema.family_group), [{**plain, "id": each, "name": name} for each, name in names.items()]
        )
    assert _search(kit, "öztürk") == []
    for _ in range(2):  # The second time there is nothing left to do.
        with kit.book.store.write() as connection:
            name_the_unnamed(connection)
    assert _search(kit, "family 1202") == [1202]
    assert len(_search(kit, "ÖZT")) == 50
    with kit.book.store.read() as connection:
        assert len(connection.execute(select(schema.family_group_word)).all()) == 3 * 1202


def test_no_search_reads_a_whole_table(tmp_path: Path) -> None:
    with a_kit(tmp_path, a_small_ledger()) as kit, kit.book.store.write() as connection:
        asked: list[tuple[str, Any]] = []

        def note(_c: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
            asked.append((statement, parameters))

        event.listen(connection.engine, "before_cursor_execute", note)
        for text in ("smith", "9777785205", "tom.sawyer@example.org", "77"):
            _search(kit, text)
        event.remove(connection.engine, "before_cursor_execute", note)
        plans = {
            statement: [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            for statement, parameters in asked
        }
    of_groups = ("SCAN family", "SCAN customer", "SCAN identifier")
    assert [step for steps in plans.values() for step in steps if step.startswith(of_groups)] == []
    of_words = [steps for statement, steps in plans.items() if "family_group_word" in statement]
    assert len(of_words) >= 2
    # Counted and read in the index itself, in its own order: nothing is looked up or sorted for each group found.
    assert all("USING COVERING INDEX" in steps[0] for steps in of_words), of_words
    assert not any("TEMP B-TREE" in step for steps in of_words for step in steps), of_words
