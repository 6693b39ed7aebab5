"""Rounds of tills that meet at one customer, and the referee who knows what may come of them.

A round is played against real servers by real processes (`racing_tills`) and judged by its answers and by what the
ledger holds afterwards. A broken rule is an `AssertionError` that names the round.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from support.ledger_server import PROGRAM, LedgerServer, a_customer, a_program, a_till, an_organisation, running_ledger
from support.racing_tills import Answered, RacingTills, check, mobile_of, racing_tills, redeem

from pos_app.ledger import schema
from pos_app.ledger.book import Book

TILLS = 8
SERVERS = 2
SILVER = 974
FIRST = 60_001
STEP = 10
CEILING = 300
TRIES_MAX = 5
TILL_TRIES_MAX = 20

KINDS = ("wallet", "ceiling", "program group", "members' pool")


@dataclass
class Rounds:
    """How many rounds of each sort are to be played."""

    wallet: int
    same_key: int
    code: int
    guesses: int

    @property
    def people(self) -> int:
        """A customer for each round, and one for each till that guesses at several."""
        return self.wallet + self.same_key + self.code + self.guesses + TILLS

    def lines(self) -> list[dict[str, Any]]:
        """What the ledger must hold."""
        return [
            an_organisation(program_group_redemption="enabled", family_group_pooling="members"),
            a_program(criteria={"multiple_of": STEP}, family_groups_enabled=True),
            a_program(
                id=SILVER,
                name="Silver",
                default=False,
                criteria={"ceilings": [{"period": "day", "points": str(CEILING)}]},
            ),
            *(a_till(login=f"till.{number}") for number in range(TILLS)),
            *(a_till(login=f"guess.{each}.{number}") for each in range(self.guesses) for number in range(TILLS)),
            a_till(login="guess.all"),
            *(_a_person(FIRST + number) for number in range(self.people)),
            *(_a_family(FIRST + number) for number in range(0, self.wallet - 1, 2)),
        ]


def _a_person(customer_id: int) -> dict[str, Any]:
    """Up to 340 points in each of two programs, in three lots that are never equal."""
    lots = [{"points": 100 + customer_id % 5 * STEP}, {"points": 80}, {"points": 120, "expires_on": "2035-12-31"}]
    wallets = [{"program_id": PROGRAM, "lots": lots}, {"program_id": SILVER, "lots": [{"points": 1000}]}]
    names = {"mobile": mobile_of(customer_id), "email": None, "external_id": None}
    return a_customer(id=customer_id, wallets=wallets, **names)


def _a_family(customer_id: int) -> dict[str, Any]:
    """She and her neighbour: their rounds' wallets overlap."""
    members = [{"customer_id": customer_id, "primary": True}, {"customer_id": customer_id + 1}]
    plain = {"kind": "family_group", "organisation": 1, "id": customer_id, "name": f"Family {customer_id}"}
    return {**plain, "members": members}


@dataclass
class Arena:
    """The servers, the tills, and a view of the ledger behind them."""

    server: LedgerServer
    tills: RacingTills
    book: Book
    random: random.Random
    seen: Counter[str] = field(default_factory=Counter)
    """What was played and answered, for the summary."""
    _next: int = FIRST

    # --- One wallet, several tills ---------------------------------------------------------------------------------

    def race_for_points(self, number: int) -> None:
        """2 to 8 tills redeem of the same points: exactly the affordable ones succeed."""
        kind = KINDS[number % len(KINDS)]
        customer = self._somebody()
        query, owners, programs = "", [customer], [PROGRAM]
        if kind == "ceiling":
            query, programs = f"&program_id={SILVER}", [SILVER]
        elif kind == "program group":
            query, programs = "&group_redemption=true", [PROGRAM, SILVER]
        elif kind == "members' pool":
            family = customer if (customer - FIRST) % 2 == 0 else customer - 1
            query, owners = f"&user_group2_id={family}&user_group_redemption=true", [family, family + 1]
        before = self.points_of(owners, programs)
        limit = min(before, CEILING) if kind == "ceiling" else before
        count = self.random.randint(2, TILLS)
        asked = self._amounts(limit, count)
        answers = self.tills.at_once(
            [
                redeem(f"till.{till}", customer, points, f"W{number}.{till}", query=query)
                for till, points in enumerate(asked)
            ]
        )
        codes = self._codes(answers)
        about = f"round {number} ({kind}): {limit} points, asked {asked}, answered {codes}"
        refusal = 819 if kind == "ceiling" else 818
        assert set(codes) <= {800, refusal}, about
        taken = sum(points for points, code in zip(asked, codes, strict=True) if code == 800)
        refused = [points for points, code in zip(asked, codes, strict=True) if code != 800]
        assert taken <= limit, f"{about}: {taken} were given out"
        assert all(points > limit - taken for points in refused), f"{about}: one that was affordable was refused"
        if len(set(asked)) == 1:
            assert codes.count(800) == min(count, limit // asked[0]), about
        assert self.points_of(owners, programs) == before - taken, f"{about}: the sum does not hold"
        self.seen[f"races: {kind}"] += 1

    def _amounts(self, limit: int, count: int) -> list[int]:
        """Equal ones that are one too many, or whatever tills may ask."""
        if self.random.random() < 0.5:
            return [max(STEP, limit // count // STEP * STEP + STEP)] * count
        return [self.random.randrange(STEP, limit + STEP, STEP) for _ in range(count)]

    # --- One key, eight times --------------------------------------------------------------------------------------

    def same_key_eight_times(self, number: int) -> None:
        """One charge, and eight equal answers."""
        customer, key = self._somebody(), f"S{number}"
        before = self.points_of([customer], [PROGRAM])
        asked = self.random.choice((100, before + STEP))
        answers = self.tills.at_once([redeem(f"till.{till}", customer, asked, key) for till in range(TILLS)])
        codes = self._codes(answers)
        about = f"round {number} (same key): asked {asked} of {before}, answered {codes}"
        assert codes == [800 if asked <= before else 818] * TILLS, about
        assert len({json.dumps(each.tree, sort_keys=True) for each in answers}) == 1, f"{about}: answers differ"
        taken = asked if asked <= before else 0
        assert self.points_of([customer], [PROGRAM]) == before - taken, f"{about}: charged otherwise than once"
        assert self.count(schema.redemption, schema.redemption.c.key == key) == (1 if taken else 0), about
        self.seen["races: same key eight times"] += 1

    # --- One code, several tills -----------------------------------------------------------------------------------

    def one_code_many_tills(self, number: int) -> None:
        """A code that is used at several tills at once serves once."""
        customer = self._somebody()
        code = self._code_for(customer)
        count = self.random.randint(2, TILLS)
        answers = self.tills.at_once(
            [redeem(f"till.{till}", customer, STEP, f"C{number}.{till}", code=code) for till in range(count)]
        )
        codes = self._codes(answers)
        assert sorted(codes) == [800] + [808] * (count - 1), f"round {number} (one code): answered {codes}"
        self.seen["races: one code at several tills"] += 1

    def _code_for(self, customer: int) -> str:
        assert self.tills.one(check("till.0", customer, STEP, issue_otp="true")).code == 800
        (message,) = [each for each in self.server.messages() if each["customer_id"] == customer]
        for each in self.server.spool.glob("*.json"):
            each.unlink()
        code: str = message["code"]
        return code

    # --- Wrong codes -----------------------------------------------------------------------------------------------

    def guesses_at_one_customer(self, number: int) -> None:
        """Eight tills guess twice each at once: five guesses are looked at, no more."""
        customer = self._somebody()
        self._code_for(customer)
        reasons: list[str | None] = []
        for _ in range(2):
            answers = self.tills.at_once(
                [
                    check(f"guess.{number}.{till}", customer, STEP, validation_code=f"WRONG{till}")
                    for till in range(TILLS)
                ]
            )
            assert set(self._codes(answers)) == {808}
            reasons += [each.reason for each in answers]
        looked_at = [each for each in reasons if each != "customer_limit"]
        tries = self.count(schema.code_try, schema.code_try.c.customer_id == customer)
        about = f"round {number} (guesses): {reasons}"
        assert (len(looked_at), tries) == (TRIES_MAX, TRIES_MAX), about
        assert looked_at.count("code_dead") == 1, about
        self.seen["races: guesses at one customer"] += 1

    def guesses_at_one_till(self) -> None:
        """A till whose guesses at eight customers come at once has twenty of them looked at, no more."""
        people = [self._somebody() for _ in range(TILLS)]
        reasons: list[str | None] = []
        for _ in range(4):
            answers = self.tills.at_once(
                [check("guess.all", customer, STEP, validation_code="WRONG1") for customer in people]
            )
            reasons += [each.reason for each in answers]
        tries = self.count(schema.code_try, schema.code_try.c.till == "guess.all")
        assert (reasons.count("till_limit"), tries) == (4 * TILLS - TILL_TRIES_MAX, TILL_TRIES_MAX), reasons
        self.seen["races: guesses at one till"] += 1

    # --- What the ledger holds -------------------------------------------------------------------------------------

    def points_of(self, owners: list[int], programs: list[int]) -> int:
        """Whole points in the wallets of some customers."""
        wallet, lot = schema.wallet, schema.lot
        held = (
            select(func.coalesce(func.sum(lot.c.rem), 0))
            .join_from(lot, wallet)
            .where(wallet.c.customer_id.in_(owners), wallet.c.program_id.in_(programs))
        )
        with self.book.store.read() as connection:
            return int(connection.execute(held).scalar_one()) // 1000

    def count(self, table: Any, *which: Any) -> int:
        """How many rows there are."""
        with self.book.store.read() as connection:
            return int(connection.execute(select(func.count()).select_from(table).where(*which)).scalar_one())

    def _somebody(self) -> int:
        """A customer nobody has asked about yet."""
        self._next += 1
        return self._next - 1

    def _codes(self, answers: list[Answered]) -> list[int]:
        """The item codes; nothing of the server's own troubles may reach a till."""
        assert {each.status for each in answers} == {200}, answers
        codes = [each.code for each in answers]
        self.seen.update(f"answers: {code}" for code in codes)
        return codes


def play(arena: Arena, rounds: Rounds) -> None:
    """Play all rounds; at the end everything adds up."""
    for number in range(rounds.wallet):
        arena.race_for_points(number)
    for number in range(rounds.same_key):
        arena.same_key_eight_times(number)
    for number in range(rounds.code):
        arena.one_code_many_tills(number)
    for number in range(rounds.guesses):
        arena.guesses_at_one_customer(number)
    arena.guesses_at_one_till()
    assert arena.book.verify() == []


@contextmanager
def an_arena(
    folder: Path, database_url: str | None, rounds: Rounds, *, seed: int = 1, environment: dict[str, str] | None = None
) -> Iterator[Arena]:
    """Two servers over one database, and eight tills."""
    with ExitStack() as stack:
        server = stack.enter_context(
            running_ledger(folder / "one", rounds.lines(), database_url=database_url, environment=environment)
        )
        servers = [server]
        for number in range(1, SERVERS):
            beside = server.another(folder / f"server {number}")
            beside.start()
            stack.callback(beside.stop)
            servers.append(beside)
        tills = stack.enter_context(racing_tills([each.url for each in servers], TILLS))
        book = server.place.open()
        stack.callback(book.close)
        yield Arena(server, tills, book, random.Random(seed))
