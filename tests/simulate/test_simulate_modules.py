"""The simulator plays on the product's own modules, and notices when one is replaced."""

import importlib.util
import sys
from pathlib import Path

import pytest
from simulate.modules import PLAYED_ON, PRODUCT, copies, strangers
from simulate.running import stage


def test_a_schedule_plays_on_the_products_own_modules() -> None:
    with stage() as made:
        made.play(1)

    assert strangers() == []


@pytest.mark.parametrize("name", PLAYED_ON)
def test_a_module_that_is_replaced_by_a_copy_is_noticed(name: str, tmp_path: Path) -> None:
    source = PRODUCT.parent.joinpath(*name.split(".")).with_suffix(".py")
    copy = tmp_path / source.name
    copy.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, copy)
    assert spec is not None
    replaced = importlib.util.module_from_spec(spec)

    assert strangers(sys.modules | {name: replaced}) == [f"{name} is {copy}"]


def test_the_simulator_has_no_class_of_the_products_roles() -> None:
    assert copies() == []


def test_a_journal_of_its_own_would_be_noticed(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text("class Own:\n    def put(self): ...\n    def open_redemptions(self): ...\n", encoding="utf-8")

    assert copies([file]) == ["own.py: Own is a journal"]
