"""The README is true: what it lists is what there is."""

from pathlib import Path

import click
import pytest

from pos_app import settings
from pos_app.cli import pos_app

TOP = Path(__file__).resolve().parent.parent
README = (TOP / "README.md").read_text(encoding="utf-8")


def commands(group: click.Group, before: str = "pos-app") -> list[str]:
    found = []
    for name, command in group.commands.items():
        full = f"{before} {name}"
        found += commands(command, full) if isinstance(command, click.Group) else [full]
    return found


@pytest.mark.parametrize("command", commands(pos_app))
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"`{command}" in README


@pytest.mark.parametrize("name", sorted(settings._FIELDS))
def test_every_setting_is_in_the_readme_with_its_sentence(name: str) -> None:
    assert f"| `{name}` | " in README
    assert settings._FIELDS[name].metadata["sentence"] in README


def test_the_readme_names_no_setting_that_is_not_there() -> None:
    table = README.split("| setting | default | meaning |")[1].split("\n\n")[0]
    named = {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}
    assert named == set(settings._FIELDS)


def test_every_picture_and_script_it_names_is_there() -> None:
    for name in ("resources/pictures/till.png", "packaging/run.sh", "packaging/test.sh", "tests/bench/run.py"):
        assert name in README
        assert (TOP / name).exists()
