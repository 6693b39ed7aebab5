"""Every code of contract 9 is given by a call of ours, and tested by name, or the README says why it never is.

What is given is read from the names of the tests: `test_redeem_gives_819_above_the_most` says that `redeem` gives 819.
A name counts only when the test's own lines hold that number, so that a name alone proves nothing.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

HERE = Path(__file__).parent
README = HERE.parent.parent / "README.md"
HEADING = "### Codes we never give"

_NAME = re.compile(r"test_(?P<call>[a-z_]+?)_gives_(?P<code>\d+)_\w+")

# --- Typed from contract 9 --------------------------------------------------------------------------------------------

REQUEST_LEVEL = {200, 201, 400, 401, 402, 403, 404, 405, 406, 407, 408, 415, 429, 500, 521}
"""9.1"""
POINTS_LEVEL = {
    *(800, 686, 801, 802, 803, 804, 805, 806, 807, 808, 809, 810, 811, 812, 813, 814, 815, 816, 817, 818, 819, 820),
    *(821, 822, 823, 824, 825, 826, 827, 828, 859, 860, 872, 873, 874, 875, 876, 877, 878, 881, 885, 886, 887, 894),
    *(896, 898, 888, 899, 889, 895, 900, 901, 902, 903, 904, 905, 1101, 3045, 3316, 3802, 8015),
}
"""9.2"""
OTHERS_LEVEL = {
    *(1619, 1620, 1632, 1635, 8069, 8109, 91015, 1000, 1011, 1012, 1013, 1020, 1044, 9001, 610),
    *range(600, 607),
    *range(412, 420),
}
"""9.3"""

# --- Typed from contract 2 to 8: the codes they name for each call ----------------------------------------------------

_RULES = {686, 881, 895, 1101, 888, 3316, 1632, 1620, 828, 903, 827, 821, 819, 807, 804, 805, 806, 818}
_PROOFS = {824, 823, 822, 808}
NAMED = {
    "any_call": {400, 401, 403, 404, 405, 429, 500},
    "isredeemable": {400, 800, 876, 801, 878, 872, 802, 889, 809, 521, *_RULES, *_PROOFS},
    "validationcode": {400, 200, 801, 802, 816, 809, 881, 860, 521},
    "redeem": {400, 800, 801, 878, 859, 802, 816, 904, 3045, 521, *_RULES, *_PROOFS},
    "customer_get": {201, 1000, 1012},
    "v2": {403, 1619, 1620, 1632, 1635, 8015, 8069, 91015},
    "reverse": {818, 902, 904, 905, 3802},
    "criteria": {1101},
}
_CALLS_OF_V2 = ("group_search", "group", "group_members", "balance")


def numbers_in(function: ast.FunctionDef) -> set[int]:
    """The numbers a test and its decorators hold; `customer/get` writes its codes as text."""
    held = {str(node.value) for node in ast.walk(function) if isinstance(node, ast.Constant)}
    return {int(each) for each in held if each.isascii() and each.isdigit()}


def given_by_name() -> dict[str, set[int]]:
    """The codes that tests give by their names, by call."""
    found: dict[str, set[int]] = defaultdict(set)
    for file in HERE.glob("test_ledger_rows_*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match = _NAME.fullmatch(node.name) if isinstance(node, ast.FunctionDef) else None
            if match is None:
                continue
            code = int(match["code"])
            assert code in numbers_in(node), f"{node.name} names a code that it never looks at"  # type: ignore[arg-type]
            found["v2" if match["call"] in _CALLS_OF_V2 else match["call"]].add(code)
    return found


def never_given() -> dict[str, set[int]]:
    """The README's list: codes that no call gives under "", codes that one call does not give under its name."""
    _, heading, after = README.read_text(encoding="utf-8").partition(f"{HEADING}\n")
    assert heading, f"README.md has no heading {HEADING!r}"
    section = re.split(r"^#{1,3} ", after, flags=re.MULTILINE)[0]
    listed: dict[str, set[int]] = defaultdict(set)
    for cell in re.findall(r"^\| *(\d[^|]*)\|", section, re.MULTILINE):
        numbers, _, call = cell.replace("`", "").partition(" at ")
        listed[call.strip()] |= {int(each) for each in re.findall(r"\d+", numbers)}
    return listed


def test_every_code_of_section_9_is_given_by_a_call_or_is_on_the_list() -> None:
    given = set().union(*given_by_name().values())
    missing = (REQUEST_LEVEL | POINTS_LEVEL | OTHERS_LEVEL) - given - never_given()[""]
    assert missing == set()


@pytest.mark.parametrize("call", NAMED)
def test_every_code_that_a_section_names_for_a_call_is_given_there_or_is_on_the_list(call: str) -> None:
    listed = never_given()
    assert NAMED[call] - given_by_name()[call] - listed[call] - listed[""] == set()


def test_no_code_on_the_list_is_given_after_all() -> None:
    given, listed = given_by_name(), never_given()
    assert listed.pop("") & set().union(*given.values()) == set()
    assert {call: codes & given[call] for call, codes in listed.items()} == {call: set() for call in listed}


def test_the_list_holds_codes_of_the_contract_only() -> None:
    assert set().union(*never_given().values()) <= REQUEST_LEVEL | POINTS_LEVEL | OTHERS_LEVEL
