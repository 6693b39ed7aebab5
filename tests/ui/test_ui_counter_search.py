"""Search while the cashier types in the customer field: a list she can use without the mouse (ux B.1)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QListWidget, QWidget
from pytestqt.qtbot import QtBot
from support.fake_till import Cashier, a_view, open_window
from support.lease_kit import lease_lines
from support.ledger_server import CUSTOMER, MOBILE, a_customer
from support.offline_till import Shop, an_offline_shop

from pos_app.services.searching import HITS_MOST, Search, SearchHit

OTHER, OTHER_MOBILE = 50002, "919777786111"


class CountedSearch:
    """The cache's search; counts what is asked, and lets `held` wait for the gate."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self.asked: list[str] = []
        self.near: list[str] = []
        self.held = ""
        self.gate = threading.Event()

    def search(self, typed: str, limit: int = HITS_MOST) -> Sequence[SearchHit]:
        self.asked.append(typed)
        if typed == self.held:
            self.gate.wait(30)
        return self._search.search(typed, limit)

    def search_near(self, typed: str, limit: int = HITS_MOST) -> Sequence[SearchHit]:
        self.near.append(typed)
        return self._search.search_near(typed, limit)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    tamara = a_customer(
        id=OTHER,
        mobile=OTHER_MOBILE,
        email="tamara@example.org",
        external_id="T-2",
        first_name="Tamara",
        last_name="Olsen",
    )
    with an_offline_shop(tmp_path, [*lease_lines(), tamara]) as made:
        yield made


@pytest.fixture
def searching(qtbot: QtBot, shop: Shop) -> tuple[Cashier, CountedSearch]:
    till = shop.till()
    for customer_id in (CUSTOMER, OTHER):
        till.look_up(customer_id)  # The feed of a store brings those who were seen there.
    search = CountedSearch(till.cache)
    cashier = open_window(qtbot, a_view(ask_before_code=True))
    cashier.window.attach(replace(till.services, search=search))
    cashier.wait(lambda: cashier.text("statusConnection") == "Online")
    cashier.wait_quiet()
    cashier.key(Qt.Key.Key_F2)
    return cashier, search


def hits(cashier: Cashier) -> list[str]:
    made = cashier.window.findChild(QListWidget, "customerHits")
    if made is None or not made.isVisible():
        return []
    return [made.item(row).text() for row in range(made.count())]


def test_two_letters_list_who_may_be_meant_masked(searching: tuple[Cashier, CountedSearch]) -> None:
    cashier, search = searching
    cashier.type("t")
    cashier.type("om")
    cashier.wait(lambda: hits(cashier))
    assert hits(cashier) == ["Tom S.   91.....5205"]
    assert all(len(each) >= 2 for each in search.asked)
    assert ("Found 1. Press Down to choose.", False) in cashier.said


def test_down_and_enter_choose_and_look_her_up_by_her_number(searching: tuple[Cashier, CountedSearch]) -> None:
    cashier, _ = searching
    cashier.type("97777")
    cashier.wait(lambda: len(hits(cashier)) == 2)
    cashier.key(Qt.Key.Key_F2)
    cashier.type("tamara")
    cashier.wait(lambda: len(hits(cashier)) == 1)
    cashier.key(Qt.Key.Key_Down)
    cashier.key(Qt.Key.Key_Return)
    cashier.wait(lambda: cashier.window.findChild(QWidget, "customerCard") is not None)
    cashier.wait(lambda: cashier.text("customerName") == "Tamara O.")
    form = cashier.window.entry.customer
    assert (form.kind, form.value) == ("id", str(OTHER))
    assert OTHER_MOBILE not in cashier.text("customerField")
    assert hits(cashier) == []


def test_the_chosen_one_can_be_checked_and_typing_makes_another_question(
    searching: tuple[Cashier, CountedSearch],
) -> None:
    cashier, _ = searching
    cashier.type("tom")
    cashier.wait(lambda: hits(cashier))
    cashier.key(Qt.Key.Key_Down)
    cashier.key(Qt.Key.Key_Return)
    cashier.ask("100")
    cashier.wait_title("100 points can be used")
    assert cashier.window.entry.customer.value == str(CUSTOMER)
    cashier.key(Qt.Key.Key_F2)
    cashier.type(MOBILE)
    assert (cashier.window.entry.customer.kind, cashier.window.entry.customer.value) == ("mobile", MOBILE)


def test_enter_without_a_choice_looks_up_what_was_typed(searching: tuple[Cashier, CountedSearch]) -> None:
    cashier, _ = searching
    cashier.type(MOBILE)
    cashier.wait(lambda: hits(cashier))
    cashier.key(Qt.Key.Key_Return)
    cashier.wait(lambda: cashier.window.findChild(QWidget, "customerCard") is not None)
    cashier.wait(lambda: cashier.text("customerName") == "Tom S.")
    assert cashier.window.entry.customer.kind == "mobile"


def test_esc_closes_the_list_and_leaves_the_text(searching: tuple[Cashier, CountedSearch]) -> None:
    cashier, _ = searching
    cashier.type("tom")
    cashier.wait(lambda: hits(cashier))
    cashier.key(Qt.Key.Key_Escape)
    assert hits(cashier) == []
    assert cashier.find("customerField", QLineEdit).text() == "tom"


def test_the_tolerant_step_comes_only_where_the_first_found_nobody(searching: tuple[Cashier, CountedSearch]) -> None:
    cashier, search = searching
    cashier.type("tamara")
    cashier.wait(lambda: hits(cashier))
    assert search.near == []
    cashier.key(Qt.Key.Key_F2)
    cashier.type("tamaxa")
    cashier.wait(lambda: hits(cashier) == ["Tamara O.   91.....6111"])
    assert search.near == ["tamaxa"]


def test_an_answer_to_what_stands_there_no_longer_is_dropped(searching: tuple[Cashier, CountedSearch]) -> None:
    cashier, search = searching
    search.held = "tom"
    cashier.type("tom")
    cashier.wait(lambda: search.asked == ["tom"])
    cashier.key(Qt.Key.Key_F2)
    cashier.type("zz")
    cashier.wait(lambda: search.near == ["zz"])
    search.gate.set()
    cashier.wait_quiet()
    assert hits(cashier) == []


def test_the_list_has_a_name(searching: tuple[Cashier, CountedSearch]) -> None:
    cashier, _ = searching
    cashier.type("tom")
    cashier.wait(lambda: hits(cashier))
    assert cashier.name("customerHits") == "Customers found"
