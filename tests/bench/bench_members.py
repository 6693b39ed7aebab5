"""Members of a made-up chain as the feed tells of them: the same for the same number, made as they are asked for."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, Final

from pos_app.domain.feed import ChangesPage, FeedItem, Scope, SnapshotPage

FIRST_CUSTOMER: Final = 100_000
FIRST_WALLET: Final = 5_000_000
NOW: Final = datetime(2026, 11, 22, 10, tzinfo=UTC)
PAGE_ROWS: Final = 1_000

_FIRST: Final = (
    "Aarav Vivaan Aditya Vihaan Arjun Sai Reyansh Ayaan Krishna Ishaan Shaurya Atharva Advik Pranav Dhruv Kabir Karthik"
    " Nikhil Rahul Rohit Rajesh Suresh Ramesh Mahesh Ganesh Dinesh Priya Anjali Pooja Neha Sneha Kavya Divya Ananya"
    " Diya Saanvi Myra Ira Meera Lakshmi Sunita Anita Geeta Sita Radha Fatima Ayesha Mohammed Ahmed Ali Hassan"
    " John Mary Thomas Peter David Sarah Anna Maria José Zoë Łukasz Renée"
).split()
_LAST: Final = (
    "Sharma Verma Gupta Kumar Singh Patel Shah Mehta Joshi Desai Reddy Rao Nair Menon Iyer Pillai Das Ghosh Bose Sen"
    " Roy Mukherjee Banerjee Chatterjee Khan Sheikh Ansari Fernandes D'Souza Pereira Mathew George Jacob Smith"
    " Jones Brown Wilson Naidu Chowdhury Kulkarni Deshpande Patil Jadhav Pawar Shinde More Yadav Mishra Pandey Tiwari"
    " Dubey Chauhan Rathore Agarwal Bansal Goel Mittal Kapoor Malhotra Khanna Chopra"
).split()
_SYLLABLES: Final = "ka ra ma na sha vi di lo pe ti ru go hi ja su be no".split()


def member(number: int) -> dict[str, Any]:
    """The row of the customer with this number: a mobile, an e-mail, an external id, a card for every fifth."""
    dice = random.Random(number)
    cards = [] if number % 5 else [_card(number)]
    return {
        "mobile": f"91{dice.choice('6789')}{dice.randrange(10**9):09}",
        "email": f"member{number}@example.org",
        "external_id": f"C-{number:09}",
        "cards": cards,
        "first_name": _name(dice, _FIRST),
        "last_name": _name(dice, _LAST),
        "type": "LOYALTY",
        "campaign_only": False,
        "tier": None,
        "blocked": False,
        "default_family_group_id": None,
    }


def wallet(number: int, version: int = 1, balance: int = 500) -> dict[str, Any]:
    """The row of her wallet, of two lots."""
    return {
        "owner": {"kind": "customer", "id": FIRST_CUSTOMER + number},
        "program_id": 973,
        "version": version,
        "state": "ACTIVE",
        "balance": str(balance),
        "held_offline": "0",
        "lifetime_points": "1500",
        "lifetime_purchases": "2500.50",
        "promised_points": "0",
        "lots": [_lot(2 * number, balance - 100, "2027-12-31"), _lot(2 * number + 1, 100, "2028-03-31")],
        "redeemed_days": [],
        "months": [{"month": f"2026-{month:02}", "points": "500"} for month in range(5, 11)],
    }


def snapshot_pages(members: int) -> Iterator[SnapshotPage]:
    """A whole snapshot of so many members, page by page."""
    items = chain(
        (FeedItem("customer", FIRST_CUSTOMER + number, member(number)) for number in range(members)),
        (FeedItem("wallet", FIRST_WALLET + number, wallet(number)) for number in range(members)),
    )
    for done in range(PAGE_ROWS, 2 * members + PAGE_ROWS, PAGE_ROWS):
        yield SnapshotPage(
            epoch=3,
            schema=1,
            scope=Scope.ALL,
            as_of="0",
            server_time=NOW,
            counts={"customers": members, "wallets": members},
            items=list(islice(items, PAGE_ROWS)),
            next_page=None if done >= 2 * members else str(done),
        )


def changes(members: int, count: int, version: int) -> list[ChangesPage]:
    """So many changes as a day makes them: of five, four are wallets that moved and one a customer of new tier."""
    dice = random.Random(version)
    items = []
    for number in dice.sample(range(members), count):
        if number % 5:
            row = wallet(number, version, dice.randrange(200, 900))
            items.append(FeedItem("wallet", FIRST_WALLET + number, row))
        else:
            items.append(FeedItem("customer", FIRST_CUSTOMER + number, {**member(number), "tier": f"tier {version}"}))
    return [
        ChangesPage(
            epoch=3,
            schema=1,
            server_time=NOW,
            items=items[start : start + 500],
            next_cursor=f"{version}.{start}",
            has_more=start + 500 < count,
        )
        for start in range(0, count, 500)
    ]


def typed(dice: random.Random, members: int) -> str:
    """What a cashier may have typed of somebody at some keystroke: a beginning of any of the things she may say."""
    row = member(dice.randrange(members))
    first, last, mobile = row["first_name"], row["last_name"], row["mobile"]
    whole = dice.choice(
        (
            mobile[2:],
            f"+91 {mobile[2:7]} {mobile[7:]}",
            f"0{mobile[2:]}",
            row["email"],
            row["external_id"],
            first,
            last,
            f"{first} {last}",
            f"{last} {first}",
        )
    )
    if dice.random() < 0.15:
        return str(mobile[-dice.randrange(3, 7) :])
    if dice.random() < 0.1:
        return f"{first[: dice.randrange(1, 4)]} {last[: dice.randrange(1, 4)]}"
    return str(whole[: dice.randrange(1, len(whole) + 1)])


def _card(number: int) -> dict[str, Any]:
    return {"number": f"6012{number * 7919 % 10**12:012}", "external_id": None, "active": True}


def _lot(number: int, points: int, expires_on: str) -> dict[str, Any]:
    return {"lot_id": number + 1, "points": str(points), "awarded_on": "2026-01-15", "expires_on": expires_on}


def _name(dice: random.Random, pool: list[str]) -> str:
    """Four of five names are common ones; the others are many."""
    if dice.random() < 0.8:
        return dice.choice(pool)
    return "".join(dice.choice(_SYLLABLES) for _ in range(3)).title()
