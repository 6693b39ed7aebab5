"""Giving points back: nothing is made or lost, nobody is faster than the lock, a second person approves."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from support.a_ledger import BookKit, a_book, a_kit, redeeming
from support.at_once import at_once
from support.clock import FakeClock
from support.ledger_server import CUSTOMER, LOGIN, a_customer, a_program, a_small_ledger, a_till, an_organisation
from support.people_kit import CASHIER, MANAGER, SECOND_TILL, SUPERVISOR, PeopleKit, a_people_kit, an_approval
from support.wsgi import Reply

from pos_app.domain.answers import ReversalRefusal, ReverseAnswer
from pos_app.domain.commands import Reverse
from pos_app.domain.points import Points, total
from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.entries import EntryKind

KEY = "6Q2P0V8RJX4M1TZC9WD3HKYB5E"
DAY_S = 24 * 3600


def _reverse(book: Book, redemption_id: str, points: Points | None = None, key: str | None = None) -> ReverseAnswer:
    till = book.find_till(LOGIN)
    assert till is not None
    return book.reverse(till, Reverse(redemption_id=redemption_id, points=points, key=key))


def _redeem(book: Book, points: int | str) -> str | None:
    till = book.find_till(LOGIN)
    assert till is not None
    return book.redeem(till, redeeming(CUSTOMER, points)).redemption_id


# --- Nothing is made or lost ---------------------------------------------------------------------------------------


def _lots_of_many_days() -> list[dict[str, Any]]:
    lots = [
        {"points": "30.5", "expires_on": "2026-11-22"},
        {"points": 20, "expires_on": "2026-11-23"},
        {"points": "0.001", "expires_on": "2026-11-24"},
        {"points": 40, "expires_on": None},
    ]
    wallet = {"program_id": 973, "lots": lots}
    history = {
        "kind": "redemption",
        "organisation": 1,
        "redemption_id": "OLD-1",
        "customer_id": CUSTOMER,
        "program_id": 973,
        "points": 25,
        "reversed_points": 5,
        "at": "2026-11-01T10:00:00+05:30",
        "lots": [{"points": 15, "expires_on": "2026-11-23"}],
    }
    return [an_organisation(), a_program(criteria={}), a_till(), a_customer(wallets=[wallet]), history]


def _entered(book: Book) -> dict[str, int]:
    entry = schema.entry
    sums = select(entry.c.kind, func.sum(entry.c.delta)).group_by(entry.c.kind)
    with book.store.read() as connection:
        return {kind: int(count) for kind, count in connection.execute(sums)}


def _left(book: Book) -> int:
    with book.store.read() as connection:
        return int(connection.execute(select(func.coalesce(func.sum(schema.lot.c.rem), 0))).scalar_one())


def _thousandths(low: int, high: int) -> st.SearchStrategy[Points]:
    return st.integers(low, high).map(Points)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("redeem"), _thousandths(1, 60_000)),
        st.tuples(st.just("reverse"), st.none() | _thousandths(1, 40_000)),
        st.tuples(st.just("reverse"), _thousandths(1, 5_000)),
        st.tuples(st.just("reverse the old one"), st.none() | _thousandths(1, 15_000)),
        st.tuples(st.just("a day passes"), st.none()),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_every_point_is_accounted_for_whatever_is_given_back(steps: list[tuple[str, Points | None]]) -> None:
    clock, redeemed, returned = FakeClock(), {"OLD-1": Points(20_000)}, {"OLD-1": Points(0)}
    with tempfile.TemporaryDirectory() as folder, a_book(Path(folder), _lots_of_many_days(), clock=clock) as book:
        for step, points in steps:
            if step == "a day passes":
                clock.advance(DAY_S)
            elif step == "redeem" and points is not None:
                redemption_id = _redeem(book, str(points))
                if redemption_id is not None:
                    redeemed[redemption_id], returned[redemption_id] = points, Points(0)
            else:
                target = "OLD-1" if step == "reverse the old one" else list(redeemed)[-1]
                answer = _reverse(book, target, points)
                left = redeemed[target] - returned[target]
                if answer.refusal is None:
                    assert answer.asked == (left if points is None else points) <= left
                    assert answer.available + answer.expired == answer.asked
                    returned[target] = returned[target] + answer.asked
                else:
                    assert answer.refusal is (
                        ReversalRefusal.MORE_THAN_LEFT if left else ReversalRefusal.ALREADY_REVERSED
                    )
        entered = _entered(book)
        assert book.verify() == []
        assert entered.get(EntryKind.REVERSAL, 0) == total(returned.values()).thousandths
        charged = -entered.get(EntryKind.REDEEM, 0)
        assert charged == (total(redeemed.values()) - Points(20_000)).thousandths
        # P5: earned = remaining + charged - given back + expired.
        gone = charged - entered.get(EntryKind.REVERSAL, 0) - entered.get(EntryKind.EXPIRE, 0)
        assert entered[EntryKind.EARN] == _left(book) + gone


# --- Nobody is faster than the lock --------------------------------------------------------------------------------


@pytest.fixture
def kit(tmp_path: Path, ledger_url: str) -> Iterator[BookKit]:
    with a_kit(tmp_path, a_small_ledger(), url=ledger_url) as made:
        yield made


def test_many_at_once_never_give_back_more_than_was_redeemed(kit: BookKit) -> None:
    redemption_id = _redeem(kit.book, 100) or ""
    answers = at_once([lambda: _reverse(kit.book, redemption_id, Points.of(30))] * 6)
    outcomes = sorted(str(each.refusal) for each in answers)
    assert outcomes == ["None"] * 3 + ["more_than_left"] * 3
    assert kit.balance(CUSTOMER, 973) == Points.of(490)
    assert kit.book.verify() == []


def test_many_copies_of_one_reversal_are_one(kit: BookKit) -> None:
    redemption_id = _redeem(kit.book, 100) or ""
    answers = at_once([lambda: _reverse(kit.book, redemption_id, Points.of(30), KEY)] * 6)
    assert {(each.refusal, each.reversal_id) for each in answers} == {(None, answers[0].reversal_id)}
    assert sorted(each.extension is not None and each.extension.replayed for each in answers) == [False] + [True] * 5
    assert kit.balance(CUSTOMER, 973) == Points.of(430)
    assert kit.book.verify() == []


def test_while_another_writer_holds_on_the_redemption_is_locked_and_the_key_stays_free(tmp_path: Path) -> None:
    with a_kit(tmp_path, a_small_ledger()) as kit:
        redemption_id = _redeem(kit.book, 100) or ""
        kit.book.store._writers._wait_s = 0.01
        with kit.book.store.write():
            answer = _reverse(kit.book, redemption_id, key=KEY)
        assert (answer.refusal, answer.reversal_id) == (ReversalRefusal.BUSY, None)
        assert answer.extension is not None
        assert answer.extension.refusals == (904,)
        assert _reverse(kit.book, redemption_id, key=KEY).refusal is None


# --- What verify finds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM reversal",
        "UPDATE reversal SET points = points + 1",
        "UPDATE reversal SET expired = expired + 1 WHERE expired > 0",
        "UPDATE redemption SET reversed = reversed - 1",
        "UPDATE share SET reversed = reversed - 1 WHERE reversed > 0",
    ],
)
def test_a_reversal_that_is_not_what_the_entries_say_is_found(tmp_path: Path, change: str) -> None:
    clock = FakeClock()
    with a_book(tmp_path, _lots_of_many_days(), clock=clock) as book:
        redemption_id = _redeem(book, 40) or ""
        clock.advance(DAY_S)
        answer = _reverse(book, redemption_id, Points.of(20))
        assert (answer.available, answer.expired) == (Points.of("9.5"), Points.of("10.5"))
        assert book.verify() == []
        with book.store.write() as connection:
            connection.exec_driver_sql(change)
        assert {each.invariant for each in book.verify()} == {"I5"}


def test_what_expired_leaves_two_entries_of_one_moment(tmp_path: Path) -> None:
    clock = FakeClock()
    with a_book(tmp_path, _lots_of_many_days(), clock=clock) as book:
        redemption_id = _redeem(book, 20)
        clock.advance(DAY_S)
        _reverse(book, redemption_id or "", key=KEY)
        entry = schema.entry
        moves = select(entry.c.kind, entry.c.delta, entry.c.reason, entry.c.till, entry.c.key).order_by(entry.c.id)
        with book.store.read() as connection:
            found = [tuple(row) for row in connection.execute(moves.where(entry.c.redemption_id == redemption_id))]
    assert found == [
        ("REDEEM", -20_000, None, LOGIN, None),
        ("REVERSAL", 20_000, "reverse", LOGIN, KEY),
        ("EXPIRE", -20_000, "reverse", LOGIN, KEY),
    ]


# --- A second person (sync-api 4.3) --------------------------------------------------------------------------------


@pytest.fixture
def people(tmp_path: Path, ledger_url: str) -> Iterator[PeopleKit]:
    with a_people_kit(tmp_path, url=ledger_url) as made:
        yield made


def _ask(people: PeopleKit, *, login: str = LOGIN, key: str | None = KEY, **header: Any) -> Reply:
    """Give back 10 points of a redemption of 100, made by a till that never enrolled."""
    with people.book.store.read() as connection:
        redemption_id = connection.execute(select(schema.redemption.c.redemption_id)).scalar_one_or_none()
    if redemption_id is None:
        told = people.redeem(points="100", skip=False, login=SECOND_TILL).json["response"]["responses"]["points"]
        redemption_id = told["redemption_id"]
    more = {}
    if key is not None:
        raw = json.dumps({"v": 1, "key": key, "cashier": CASHIER, **header}).encode()
        more["X-Pos-Extension"] = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return people.ask(
        "/v2/points/reverse", {"redemptionId": redemption_id, "pointsToBeReversed": 10}, login=login, **more
    )


def _refused(reply: Reply) -> tuple[int, str]:
    return reply.json["errors"][0]["code"], reply.json["extension"]["reason"]


def test_an_enrolled_till_gives_back_with_a_second_person(people: PeopleKit) -> None:
    people.enrol()
    assert _refused(_ask(people)) == (905, "approval_missing")
    approval = an_approval(people.token(SUPERVISOR), purpose="reverse", reason="other", note="wrong bill")
    reply = _ask(people, approval=approval)  # The same key: the second person was only fetched.
    assert (reply.status, reply.json["pointsReversed"]) == (200, 10)
    (row,) = people.rows(schema.reversal)
    assert (row.cashier, row.supervisor, row.till) == (CASHIER, SUPERVISOR, LOGIN)
    assert json.loads(row.approval) == {"purpose": "reverse", "reason": "other", "note": "wrong bill"}
    entries = [each.supervisor for each in people.rows(schema.entry) if each.kind == EntryKind.REVERSAL]
    assert entries == [SUPERVISOR]
    assert _ask(people).json["extension"]["replayed"] is True  # Known keys need nobody's word.
    assert people.book.verify() == []


@pytest.mark.parametrize("purpose", ["skip_validation", "cancel", "risk"])
def test_an_approval_of_another_act_does_not_hold(people: PeopleKit, purpose: str) -> None:
    people.enrol()
    approval = an_approval(people.token(SUPERVISOR), purpose=purpose)
    assert _refused(_ask(people, approval=approval)) == (905, "approval_refused")


def test_nobody_approves_her_own_reversal_nor_long_before_it(people: PeopleKit) -> None:
    people.enrol()
    approval = an_approval(people.token(MANAGER), purpose="reverse")
    assert _refused(_ask(people, approval=approval, cashier=MANAGER)) == (905, "approval_refused")
    people.clock.advance(121)
    assert _refused(_ask(people, approval=approval)) == (905, "approval_refused")


def test_a_till_of_another_maker_is_ruled_by_the_organisation_alone(people: PeopleKit) -> None:
    reply = _ask(people, login=SECOND_TILL, key=None)
    assert (reply.status, "extension" in reply.json) == (200, False)
    people.enrol()
    assert _ask(people, login=SECOND_TILL, key=KEY).status == 200
    reply = _ask(people, key=None)
    assert (reply.status, reply.json["errors"][0]["code"]) == (400, 905)
