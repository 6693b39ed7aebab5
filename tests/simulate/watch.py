"""What the ledger answers, read on its way: keys replay whatever the code says, and a code takes five wrong tries."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from pos_app.domain.answers import RedeemAnswer
from pos_app.domain.refusals import PROOF_FAILURES, Refusal
from pos_app.gateway.replies import Reply
from pos_app.wire.answers import read_redeem_answer
from pos_app.wire.formats import UnreadableAnswerError

if TYPE_CHECKING:
    from simulate.world import World

TRIES_MAX = 5
_MAY_BE_SAID_OF_ANY_KEY = frozenset({Refusal.CUSTOMER_BUSY, Refusal.SERVICE_BUSY})
_MAY_BE_MENDED = _MAY_BE_SAID_OF_ANY_KEY | PROOF_FAILURES
"""Every other refusal is final: a late copy must not succeed when the customer has points again (reliability 4.2)."""


_PASSED = """
    SELECT lease_alloc.lease, lease_alloc.lot_id FROM lease_alloc JOIN lot ON lot.id = lease_alloc.lot_id
    WHERE lease_alloc.held > 0 AND lot.expires_on < ?
"""


class Watch:
    """Sees every reply that leaves the ledger, whether or not it arrives."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._wrong_tries: Counter[int] = Counter()
        """By code."""
        self._leases: set[str] = set()
        self._passed: set[tuple[int, int]] = set()

    def saw(self, name: str, key: str, body: bytes, reply: Reply) -> None:
        """The ledger answered a request of this name."""
        world = self._world
        world.count(f"answers {name} {reply.status}")
        if not reply.is_ok:
            return
        if name in {"leases", "settle"}:
            self._see_results(name, json.loads(reply.body)["results"])
        if name != "redeem":
            return
        answer = _read(reply)
        if answer is None:
            world.fail("FAULT", "the ledger's answer to redeem cannot be read")
            return
        self._check_replay(key, answer)
        if b"validation_code" in body:
            self._check_tries(key, answer)

    def lost(self, name: str, body: bytes, reply: Reply) -> None:
        """The reply did not arrive."""
        if name == "redeem" and b"validation_code" in body and reply.is_ok:
            answer = _read(reply)
            if answer is not None and answer.refusal is None:
                self._world.count("code consumed, reply lost")

    def passed_days(self) -> None:
        """Points whose last day has passed while a lease holds them must wait for what its till has to tell."""
        today = self._world.central.clock.wall().date().isoformat()
        for lease, lot_id in self._world.central.rows(_PASSED, today):
            if (lease, lot_id) not in self._passed:
                self._passed.add((lease, lot_id))
                self._world.count("expiry inside a lease")

    def gave_back(self) -> None:
        """A redemption came with leases its till gives back."""
        self._world.count("give-backs")

    def _see_results(self, name: str, results: list[dict[str, Any]]) -> None:
        for each in results:
            if name == "settle":
                self._world.count(f"settle {each['outcome']}")
                if each["late"] and not each["replayed"]:
                    self._world.count("late settlements")
            elif each["lease"] is None:
                self._world.count(f"no lease: {each['reason']}")
                self._check_request(each["request_id"])
            elif each["lease"]["lease_id"] not in self._leases:
                self._leases.add(each["lease"]["lease_id"])
                self._world.count("leases")
                if each["lease"]["owner"]["kind"] == "family_group":
                    self._world.count("family group leases")

    def _check_request(self, request_id: str) -> None:
        """A request that got a lease gets it for ever: else its points wait for nobody."""
        got = self._world.central.rows("SELECT lease_id FROM lease WHERE request_id = ?", request_id)
        if got:
            self._world.fail("I3", f"{request_id} got {got[0][0]}, and its repeat got none")

    def _check_replay(self, key: str, answer: RedeemAnswer) -> None:
        """A key that was redeemed answers yes for ever, until it is given back; one that was not never does."""
        found = self._world.central.rows("SELECT state FROM idem WHERE key = ?", key)
        state = found[0][0] if found else ""
        if state == "REDEEMED" and answer.refusal is not None and answer.refusal not in _MAY_BE_SAID_OF_ANY_KEY:
            self._world.fail("REPLAY", f"{key} is redeemed, and its repeat was answered {answer.refusal}")
        if not state and answer.refusal is not None and answer.refusal not in _MAY_BE_MENDED:
            self._world.fail("REPLAY", f"{key} was refused for good ({answer.refusal}) and is not remembered")
        if state == "REFUSED" and _is_replay(answer):
            self._world.count("refusals repeated")
        if state != "REDEEMED" and answer.refusal is None:
            self._world.fail("REPLAY", f"{key} is {state or 'unknown'}, and was answered yes")

    def _check_tries(self, key: str, answer: RedeemAnswer) -> None:
        """P7: at most five wrong tries a code."""
        otp = answer.extension.otp if answer.extension is not None else None
        if answer.refusal is Refusal.CODE_WRONG and otp is not None:
            self._wrong_tries[otp.otp_id] += 1
            if self._wrong_tries[otp.otp_id] == TRIES_MAX:
                self._world.count("codes killed by wrong tries")
        elif answer.refusal is None:
            used = self._world.central.rows("SELECT otp_id FROM redemption WHERE key = ?", key)
            if used and self._wrong_tries[used[0][0]] >= TRIES_MAX and not _is_replay(answer):
                self._world.fail(
                    "P7", f"{key} was redeemed by a code after {self._wrong_tries[used[0][0]]} wrong tries"
                )


def _is_replay(answer: RedeemAnswer) -> bool:
    return answer.extension is not None and answer.extension.replayed


def _read(reply: Reply) -> RedeemAnswer | None:
    try:
        return read_redeem_answer(reply.body)
    except UnreadableAnswerError:
        return None
