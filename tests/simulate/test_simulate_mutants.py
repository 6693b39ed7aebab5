"""Fourteen faults put into the product on purpose are all found (reliability 5.1 B, 5.4)."""

from collections.abc import Iterator
from itertools import chain

import pytest
from simulate.mutants import MUTANTS
from simulate.playing import Stage
from simulate.running import find_mutant, stage

MOST = 2_000


@pytest.fixture(scope="module")
def a_stage() -> Iterator[Stage]:
    with stage() as made:
        yield made


def test_there_are_fourteen() -> None:
    assert sorted(each.number for each in MUTANTS.values()) == list(range(1, 15))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", MUTANTS)
def test_it_is_found_within_two_thousand_schedules(a_stage: Stage, name: str) -> None:
    played, _ = find_mutant(a_stage, name, range(MOST))

    assert played is not None


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [name for name, each in MUTANTS.items() if each.seeds])
def test_it_is_found_where_it_was_found_before_or_soon(a_stage: Stage, name: str) -> None:
    """Seeds tell another story when the product changes; then the search begins anew, and is cut short here."""
    played, _ = find_mutant(a_stage, name, chain(MUTANTS[name].seeds, range(150)))

    assert played is not None


def test_a_mutant_is_gone_when_its_block_ends() -> None:
    for mutant in MUTANTS.values():
        before = [getattr(owner, name) for owner, name, _ in mutant.patches]
        with mutant.applied():
            assert all(
                getattr(owner, name) is not right
                for (owner, name, _), right in zip(mutant.patches, before, strict=True)
            )
        assert [getattr(owner, name) for owner, name, _ in mutant.patches] == before
