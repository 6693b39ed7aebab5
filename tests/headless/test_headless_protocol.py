"""The headless till as a process: every command of the table, every event, and what is answered at once."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from support.fault_proxy import CUT_BEHIND, HOLD
from support.headless_till import READY_S, HeadlessTill, a_headless_till
from support.ledger_server import PASSWORD, PROGRAM
from support.real_shop import (
    CASHIER,
    FIRST,
    PIN,
    SUPERVISOR,
    RealShop,
    a_real_shop,
    customer_id,
    mobile,
    redeem,
    sign_in,
    the_lines,
)

ANSWER = {"event", "id", "outcome", "code", "key", "points", "shown", "detail"}
OUTCOMES = {"ok", "done", "done_offline", "refused", "unclear", "cancelling", "cancelled", "blocked"}
STATUS = {"line", "till", "operator", "clock", "cache", "journal", "enrol_again", "outbox", "attention"}
ROW = set(
    "key kind state points customer_id program_id lease_id seq redemption_id from_lease from_free store_loss"
    " printed".split()
)
HELD = {"lease_id", "owner", "program_id", "amount", "spent", "state", "expires_at"}
NUMBERS = count()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealShop]:
    lines = the_lines(skip_validation_allowed=True, validation_required=False)
    with a_real_shop(tmp_path_factory.mktemp("protocol"), lines=lines) as opened:
        yield opened


@pytest.fixture(scope="module")
def one_till(shop: RealShop) -> HeadlessTill:
    return shop.opened(FIRST)


@pytest.fixture
def till(shop: RealShop, one_till: HeadlessTill) -> HeadlessTill:
    """One till for all tests, its line whole."""
    shop.proxy_of(one_till).heal()
    shop.proxy_of(one_till).release()
    one_till.ask("go_online")
    one_till.ask("sync")
    return one_till


@pytest.fixture
def number() -> int:
    """A customer nobody else uses."""
    return next(NUMBERS)


def asked(number: int, points: str = "100") -> dict[str, Any]:
    return {"mobile": mobile(number), "points": points, "program_id": PROGRAM}


# --- Every command -------------------------------------------------------------------------------------------------


def test_every_answer_has_the_same_members(till: HeadlessTill, number: int) -> None:
    commands: list[tuple[str, dict[str, Any]]] = [
        ("enrol", {"code": None}),
        ("sign_in", {"operator_id": CASHIER, "pin": PIN}),
        ("lookup", {"mobile": mobile(number)}),
        ("check", asked(number)),
        ("lease", {"mobile": mobile(number), "program_id": PROGRAM}),
        ("lease", {"mobile": mobile(number), "program_id": PROGRAM, "close": True}),
        ("redeem", asked(number)),
        ("enter_otp", {"key": "0" * 26, "validation_code": "AAAAAA"}),
        ("cancel", {"key": "0" * 26}),
        ("reverse", {"key": "0" * 26}),
        ("approve", {"operator_id": SUPERVISOR, "pin": PIN, "purpose": "reverse", "reason": "other", "note": "wrong"}),
        ("sync", {}),
        ("go_offline", {}),
        ("go_online", {}),
        ("status", {}),
        ("journal", {}),
    ]
    for do, parameters in commands:
        answer = till.ask(do, **parameters)
        assert set(answer) == ANSWER, do
        assert answer["outcome"] in OUTCOMES, do
        assert isinstance(answer["detail"], dict), do
    assert {do for do, _ in commands} | {"quit"} == set(
        "enrol sign_in lookup check lease redeem enter_otp cancel reverse approve sync go_offline go_online status"
        " journal quit".split()
    )


def test_a_lookup_tells_who_from_where_and_how_old(till: HeadlessTill, number: int) -> None:
    found = till.ask("lookup", mobile=mobile(number), program_id=PROGRAM)["detail"]
    assert (found["customer_id"], found["source"], found["age_s"]) == (customer_id(number), "ledger", 0)
    assert found["wallet"]["balance"] == "500"
    till.ask("go_offline")
    again = till.ask("lookup", mobile=mobile(number), program_id=PROGRAM)["detail"]
    assert (again["customer_id"], again["source"]) == (customer_id(number), "cache")


def test_nobody_found_is_a_refusal_in_the_windows_words(till: HeadlessTill) -> None:
    answer = till.ask("lookup", mobile="919999999999")
    assert (answer["outcome"], answer["detail"]["reason"]) == ("refused", "customer_unknown")
    assert answer[
        "shown"
    ] == "No customer found. Nobody matches that mobile number. Check the mobile number, or try" + (" another kind.")


def test_a_check_shows_what_the_panel_shows(till: HeadlessTill, number: int) -> None:
    yes = till.ask("check", **asked(number))
    assert (yes["outcome"], yes["code"], yes["points"]) == ("ok", 800, "100")
    assert yes["shown"].startswith("100 points can be used. Worth ₹100.00. 400 points stay.")
    no = till.ask("check", **asked(number, "105"))
    assert (no["outcome"], no["code"]) == ("refused", 807)
    assert no["detail"]["nearest"] == ["100", "110"]
    assert no["detail"]["refusals"] == [807]
    assert "multiple of 10" in no["shown"]


@pytest.mark.parametrize("points", ["0", "-5", "1e3", "many", "", "0.0001"])
def test_points_that_are_none_are_refused_here(till: HeadlessTill, number: int, points: str) -> None:
    for do in ("check", "redeem"):
        answer = till.ask(do, **asked(number, points))
        assert answer["outcome"] == "refused"
        assert answer["code"] in {801, 878}


def test_a_redemption_is_started_answered_and_printed_in_this_order(till: HeadlessTill, number: int) -> None:
    answer = redeem(till, number, 100, bill="B-77")
    key = answer["key"]
    till.wait_for(lambda event: event["event"] == "receipt" and event["key"] == key, "the receipt")
    order = [event["event"] for event in till.events if event.get("key") == key]
    assert order == ["started", "answer", "receipt"]
    assert answer["shown"].startswith("Done. 100 points used.")
    (receipt,) = (event for event in till.of("receipt") if event["key"] == key)
    assert set(receipt) == {"event", "key", "redemption_id", "points", "offline", "duplicate"}
    assert receipt["redemption_id"] == answer["detail"]["redemption_id"]
    assert answer["detail"]["wallet"]["balance"] == "400"
    assert answer["detail"]["breakdown"][0]["points"] == "100"
    row = till.row(key)
    assert set(row) == ROW
    assert (row["state"], row["points"], row["redemption_id"]) == ("CONFIRMED", "100", receipt["redemption_id"])


def test_a_refused_redemption_says_why(till: HeadlessTill, number: int) -> None:
    answer = redeem(till, number, 5000)
    assert (answer["outcome"], answer["code"], answer["detail"]["refusals"]) == ("refused", 818, [818])
    assert till.row(answer["key"])["state"] == "REFUSED"


def test_a_reversal_needs_an_approval_and_gives_the_points_back(
    shop: RealShop, till: HeadlessTill, number: int
) -> None:
    redeemed = redeem(till, number, 100)
    without = till.ask("reverse", key=redeemed["key"], points=None)
    assert (without["outcome"], without["detail"]["reason"]) == ("refused", "approval_missing")
    approval = till.ask(
        "approve", operator_id=SUPERVISOR, pin=PIN, purpose="reverse", reason="other", note="wrong customer"
    )["detail"]["approval"]
    back = till.ask("reverse", redemption_id=redeemed["detail"]["redemption_id"], approval=approval)
    assert back["outcome"] == "done", back
    assert (back["detail"]["available"], back["detail"]["expired"]) == ("100", "0")
    assert back["detail"]["reversal_id"]
    assert "given back" in back["shown"]
    assert shop.balance(number) == 500
    again = till.ask("reverse", key=redeemed["key"], approval=approval)
    assert again["event"] == "error"  # An approval is good for one command.


def test_a_lease_is_asked_for_told_and_closed(till: HeadlessTill, number: int) -> None:
    answer = till.ask("lease", mobile=mobile(number), program_id=PROGRAM)
    lease = answer["detail"]["lease"]
    assert (lease["amount"], lease["spent"]) == ("400", "0")
    held = {each["lease_id"]: each for each in till.ask("journal")["detail"]["leases"]}
    assert set(held[lease["lease_id"]]) == HELD
    assert held[lease["lease_id"]]["state"] == "OPEN"
    looked_up = till.ask("lookup", mobile=mobile(number), program_id=PROGRAM)
    assert looked_up["detail"]["allowance"] == "400"
    assert "Set aside for this till: 400 until" in looked_up["shown"]
    assert till.ask("lease", mobile=mobile(number), program_id=PROGRAM, close=True)["outcome"] == "ok"
    held = {each["lease_id"]: each for each in till.ask("journal")["detail"]["leases"]}
    assert held[lease["lease_id"]]["state"] == "CLOSED"


def test_the_status_has_its_members(till: HeadlessTill) -> None:
    detail = till.ask("status")["detail"]
    assert set(detail) >= STATUS
    assert set(detail["till"]) == {"login", "store", "state", "till_epoch"}
    assert (detail["till"]["login"], detail["till"]["store"], detail["till"]["state"]) == (FIRST, "014", "ACTIVE")
    assert detail["operator"]["operator_id"] == CASHIER
    assert detail["line"] == "online"
    assert detail["clock"] == {"trusted": True, "reason": None}
    assert detail["cache"]["state"] == "ok"
    assert {"state", "set_aside", "export"} <= set(detail["journal"])


def test_offline_and_online_again(till: HeadlessTill) -> None:
    assert till.ask("go_offline")["outcome"] == "ok"
    assert till.ask("status")["detail"]["line"] == "offline"
    assert till.ask("sync")["outcome"] == "unclear"
    assert till.ask("go_online")["outcome"] == "ok"
    assert till.ask("sync")["outcome"] == "ok"
    assert till.ask("status")["detail"]["line"] == "online"


def test_a_wrong_pin_is_refused_with_the_tries_that_are_left(till: HeadlessTill) -> None:
    answer = till.ask("sign_in", operator_id=SUPERVISOR, pin="0000")
    assert (answer["outcome"], answer["detail"]["reason"]) == ("refused", "pin_wrong")
    assert answer["detail"]["tries_left"] == 4
    assert answer["shown"].startswith("Wrong PIN. 4 tries left.")
    sign_in(till)


# --- What is answered at once ----------------------------------------------------------------------------------------


def test_what_waits_for_nobody_is_answered_while_a_redemption_waits(
    shop: RealShop, till: HeadlessTill, number: int
) -> None:
    shop.proxy_of(till).hold_again()
    shop.proxy_of(till).will(HOLD, path="/redeem")
    redeeming = till.say("redeem", **asked(number))
    started = till.wait_for(lambda event: event["event"] == "started" and event["id"] == redeeming, "the start")
    waiting = till.say("lookup", mobile=mobile(number))
    for do in ("status", "journal"):
        assert till.ask(do)["outcome"] == "ok"
    assert till.row(started["key"])["state"] == "SENT"
    assert not [event for event in till.of("answer") if event["id"] in {redeeming, waiting}]
    cancelling = till.say("cancel", key=started["key"], reason="customer_left")
    shop.proxy_of(till).release()
    assert till.answer_to(cancelling)["outcome"] in {"cancelled", "refused"}
    outcome = till.answer_to(redeeming)["outcome"]
    assert till.answer_to(waiting)["outcome"] == "ok"
    assert outcome in {"done", "cancelled"}
    expected = 400 if outcome == "done" else 500
    assert shop.balance(number) == expected


def test_an_unclear_redemption_is_found_out_and_told_as_a_row(shop: RealShop, till: HeadlessTill, number: int) -> None:
    shop.proxy_of(till).always(CUT_BEHIND)
    answer = redeem(till, number, 100)
    assert answer["outcome"] == "unclear"
    assert "We do not know if it went through" in answer["shown"]
    assert answer["key"]
    shop.proxy_of(till).heal()
    row = till.wait_for(
        lambda event: event["event"] == "row" and event["key"] == answer["key"] and event["state"] == "CONFIRMED",
        "the row",
    )
    assert set(row) == (ANSWER - {"id"}) | {"state"}
    assert row["outcome"] == "done"
    till.wait_for(lambda event: event["event"] == "receipt" and event["key"] == answer["key"], "the receipt")


# --- Lines ----------------------------------------------------------------------------------------------------------


def test_bad_lines_never_end_it(till: HeadlessTill) -> None:
    dice = random.Random(11)
    lines = [b"", b"{", b"[1]", b'{"id": 5}', b'{"id": 5, "do": "fly"}', b"\xff" * 40, b'{"id": [], "do": "status"}']
    lines += [dice.randbytes(dice.randint(1, 200)).replace(b"\n", b"") for _ in range(200)]
    lines += [
        json.dumps(
            {"id": 9, "do": dice.choice(["check", "redeem", "lookup", "lease", "enter_otp"]), "x": [1, {}]}
        ).encode()
        for _ in range(20)
    ]
    for line in lines:
        till.write(line)
    assert till.ask("status")["outcome"] == "ok"
    errors = till.of("error")
    assert errors
    assert all(set(each) == {"event", "id", "detail"} and each["detail"].endswith(".") for each in errors)


def test_nothing_but_events_is_on_standard_output(till: HeadlessTill) -> None:
    told = [json.loads(line) for line in till.output]
    assert {each["event"] for each in told} <= {"ready", "started", "answer", "row", "receipt", "error"}


# --- Starting and ending ---------------------------------------------------------------------------------------------


def test_without_somebody_signed_in_seven_commands_are_blocked(shop: RealShop) -> None:
    till = shop.till()
    till.start()
    for do in ("lookup", "check", "lease", "redeem", "enter_otp", "cancel", "reverse"):
        answer = till.ask(do, **asked(0), key="0" * 26, validation_code="AAAAAA")
        assert (answer["outcome"], answer["detail"]) == ("blocked", {"reason": "sign_in"})
    assert till.ask("sync")["outcome"] == "ok"
    assert till.quit() == 0
    till.end()


def test_it_is_ready_without_a_line_and_quits_with_zero(tmp_path: Path) -> None:
    till = a_headless_till(tmp_path / "till", "http://127.0.0.1:9")
    ready = till.start()
    assert set(ready) >= {"event", "version", "detail"}
    assert set(ready["detail"]) >= STATUS
    assert ready["detail"]["line"] in {"unknown", "offline"}
    assert till.quit() == 0
    assert till.events[0]["event"] == "ready"
    assert READY_S == 10.0


def test_the_end_of_the_input_is_quit_when_what_was_asked_is_answered(tmp_path: Path) -> None:
    till = a_headless_till(tmp_path / "till", "http://127.0.0.1:9")
    till.begin()
    asked = [till.say("sign_in", operator_id=1, pin="1234"), till.say("status"), till.say("sync")]
    till.close_input()
    assert till.wait_end() == 0
    assert {event["id"] for event in till.of("answer")} == set(asked)


def test_a_second_program_in_the_same_folder_says_so_and_ends(tmp_path: Path) -> None:
    till = a_headless_till(tmp_path / "till", "http://127.0.0.1:9")
    till.start()
    arguments = [
        "till",
        "--headless",
        "--data-dir",
        str(till.folder),
        "--ledger",
        till.url,
        "--config",
        str(till.config),
    ]
    second = subprocess.run(
        [sys.executable, "-m", "pos_app", *arguments],
        input=b"",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 2
    assert second.stdout == b""
    assert b"uses this folder" in second.stderr
    till.end()


def test_the_password_goes_into_the_secrets_and_nowhere_else(shop: RealShop, one_till: HeadlessTill) -> None:
    kept = json.loads((one_till.folder / "secrets").read_text(encoding="utf-8"))
    assert len(kept["database_key"]) == 64
    assert (one_till.folder / "secrets").stat().st_mode & 0o777 == 0o600
    written = "".join(one_till.output) + one_till.complaints
    written += "".join(each.read_text(encoding="utf-8") for each in (one_till.folder / "logs").glob("*"))
    for secret in (PASSWORD, PIN, kept["database_key"], kept["password_digest"]):
        assert secret not in written


def test_without_headless_it_says_what_to_do(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-m", "pos_app", "till"], capture_output=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert b"--headless" in ended.stderr


def test_a_failpoint_nobody_knows_is_told_before_anything_is_opened(tmp_path: Path) -> None:
    till = a_headless_till(tmp_path / "till", "http://127.0.0.1:9", POS_FAILPOINT="C99:kill")
    till.begin()
    assert till.wait_end() == 2
    assert "POS_FAILPOINT" in till.complaints
    assert not (till.folder / "journal.db").exists()
