"""Redemptions a second, and what of their time is ours: against the same SQL sent by the bare driver."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable

from bench_load import LOGIN, Ask, post
from bench_place import PROGRAM, Filled, mobile
from bench_replay import recorded, replay

from pos_app.domain.commands import Redeem
from pos_app.domain.keys import KEY_BYTES, key_from
from pos_app.domain.points import Points
from pos_app.domain.request import AskedPoints, CustomerRef, IdentifierKind, RedemptionRequest


def redemptions(customers: int) -> Ask:
    """Redemptions of ten points by customers drawn at random, each under a key of its own."""
    chosen = random.Random(13)

    def ask() -> bytes:
        redeem = {
            "points_redeemed": "10",
            "customer": {"mobile": mobile(chosen.randrange(customers))},
            "transaction_number": "B-77",
            "external_reference_number": key_from(secrets.token_bytes(KEY_BYTES)),
        }
        return post(f"/v1.1/points/redeem?program_id={PROGRAM}&format=json", {"root": {"redeem": [redeem]}})

    return ask


def against_driver(filled: Filled, copy: Callable[[], str], count: int) -> tuple[float, float]:
    """Redemptions a second of one thread in process, and of the bare driver sending the same SQL.

    `copy` makes a copy of the filled database and gives its address for the driver; the filled one is changed.
    """
    conninfo = copy()
    book = filled.place.open()
    try:
        till = book.find_till(LOGIN)
        assert till is not None
        chosen = random.Random(17)

        def redeem() -> None:
            who = CustomerRef(IdentifierKind.MOBILE, mobile(chosen.randrange(filled.customers)))
            request = RedemptionRequest(customer=who, amount=AskedPoints(Points.of("10")), program_id=PROGRAM)
            answer = book.redeem(till, Redeem(request=request, key=key_from(secrets.token_bytes(KEY_BYTES))))
            assert answer.redemption_id is not None

        with recorded() as steps:
            for _ in range(count // 4):
                redeem()  # Warm: statements compiled and prepared.
            warm = len(steps)
            began = time.perf_counter()
            for _ in range(count):
                redeem()
            ours = time.perf_counter() - began
    finally:
        book.close()
    return count / ours, count / replay(conninfo, steps[:warm], steps[warm:])
