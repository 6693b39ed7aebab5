"""Two tills of one store and one of another, the line down for all, one customer (reliability 4.3).

Offline redemptions pass up to what is set aside for each till, the next is refused with its reason; when the line is
back everything settles, and the ledger verifies clean.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from support.headless_till import HeadlessTill
from support.ledger_server import PROGRAM
from support.real_shop import (
    ELSEWHERE,
    FIRST,
    PIN,
    POINTS,
    SECOND,
    SUPERVISOR,
    RealShop,
    a_real_shop,
    lease,
    mobile,
    redeem,
    the_lines,
)

TOM = 1


def spend_all(till: HeadlessTill, allowance: Decimal) -> Decimal:
    """Redeem in steps of ten until nothing is left, and one step more; returns what was redeemed."""
    done = Decimal(0)
    while done < allowance:
        step = min(Decimal(50), allowance - done)
        answer = redeem(till, TOM, step)
        assert answer["outcome"] == "done_offline", answer
        assert "Done offline" in answer["shown"]
        done += step
    refused = redeem(till, TOM, 10)
    assert (refused["outcome"], refused["detail"]["reason"]) == ("refused", "allowance_too_small")
    assert refused["key"] is None
    assert "set aside" in refused["shown"]
    return done


def test_three_tills_without_a_line_redeem_what_is_set_aside_and_no_more(tmp_path: Path) -> None:
    with a_real_shop(tmp_path) as shop:
        tills = [shop.opened(login) for login in (FIRST, SECOND, ELSEWHERE)]
        allowances = [Decimal(lease(till, TOM)["amount"]) for till in tills]
        assert sum(allowances) <= POINTS
        assert allowances[0] == 400  # 80 of a hundred of what is available.
        for till in tills:
            shop.proxy_of(till).refuse()
        for till in tills:
            till.wait_for(lambda _event, till=till: till.ask("status")["detail"]["line"] == "offline", "offline")
        spent = [spend_all(till, allowance) for till, allowance in zip(tills, allowances, strict=True)]
        assert spent == allowances
        for till in tills:
            shop.proxy_of(till).listen()
        shop.settle_all()
        rows = [row for till in tills for row in till.ask("journal")["detail"]["rows"]]
        assert {row["state"] for row in rows} == {"SETTLED"}
        assert all(row["printed"] for row in rows)
        told = shop.counted()
        assert told.complaints == []
        assert (told.charged, told.lost_by_store) == (sum(spent), 0)
        assert shop.balance(TOM) == POINTS - sum(spent)
        assert shop.admin("GET", "invariants")["ok"]
        assert shop.admin("GET", "loss")["loss"] == []
        shop.verify()


def test_a_till_without_a_lease_refuses_offline_with_the_reason(tmp_path: Path) -> None:
    with a_real_shop(tmp_path) as shop:
        till = shop.opened(FIRST, more="lease.per_lookup = false")
        till.ask("lookup", mobile=mobile(TOM))
        till.ask("go_offline")
        refused = redeem(till, TOM, 10)
        assert (refused["outcome"], refused["detail"]["reason"]) == ("refused", "no_lease")
        assert "Nothing is set aside for this till" in refused["shown"]
        assert till.ask("journal")["detail"]["rows"] == []


def test_points_held_by_another_till_are_told_of_and_come_back_by_a_heartbeat(tmp_path: Path) -> None:
    with a_real_shop(tmp_path) as shop:
        holder, asking = shop.opened(FIRST), shop.opened(ELSEWHERE)
        lease(holder, TOM)
        refused = redeem(asking, TOM, 300)
        assert (refused["outcome"], refused["code"]) == ("refused", 818)
        assert Decimal(refused["detail"]["wallet"]["held_offline"]) == 400
        assert "set aside" in refused["shown"]
        holder.ask("sync")
        again = redeem(asking, TOM, 300)
        assert again["outcome"] == "done", again
        shop.settle_all()
        assert shop.counted().complaints == []


def test_a_till_redeems_online_while_it_holds_a_lease_itself(tmp_path: Path) -> None:
    with a_real_shop(tmp_path) as shop:
        till = shop.opened(FIRST)
        lease(till, TOM)
        till.ask("go_offline")
        assert redeem(till, TOM, 50)["outcome"] == "done_offline"
        till.ask("go_online")
        answer = redeem(till, TOM, 450)
        assert answer["outcome"] == "done", answer
        shop.settle_all()
        assert shop.balance(TOM) == 0
        assert shop.counted().complaints == []
        shop.verify()


def test_spent_but_never_told_in_time_the_store_bears_what_the_wallet_no_longer_holds(tmp_path: Path) -> None:
    with a_real_shop(tmp_path) as shop:
        till, elsewhere = shop.opened(FIRST), shop.opened(ELSEWHERE)
        lease(till, TOM)
        till.ask("go_offline")
        assert redeem(till, TOM, 400)["outcome"] == "done_offline"
        shop.tick((8 + 72) * 3600 + 60)
        assert redeem(elsewhere, TOM, 300)["outcome"] == "done"
        till.ask("go_online")
        shop.settle_all()
        (row,) = till.ask("journal")["detail"]["rows"]
        assert (row["state"], row["from_lease"], row["from_free"], row["store_loss"]) == (
            "SETTLED_SHORT",
            "0",
            "200",
            "200",
        )
        told = shop.counted()
        assert told.complaints == []
        assert told.lost_by_store == 200
        assert shop.balance(TOM) == 0
        assert [each["key"] for each in till.ask("status")["detail"]["attention"]] == [row["key"]]
        shop.verify()


@pytest.mark.parametrize("purpose", ["cancel", "risk"])
def test_an_approval_for_something_else_does_not_skip_the_code(tmp_path: Path, purpose: str) -> None:
    with a_real_shop(tmp_path, lines=the_lines(validation_required=True, skip_validation_allowed=True)) as shop:
        till = shop.opened(FIRST)
        lease(till, TOM)
        till.ask("go_offline")
        asked = {"mobile": mobile(TOM), "points": "50", "program_id": PROGRAM}
        plain = till.ask("redeem", **asked)
        assert (plain["outcome"], plain["detail"]["reason"]) == ("refused", "proof_needed")
        assert "A code cannot be checked while this till is offline" in plain["shown"]
        unfit = _approval(shop, till, purpose)
        assert till.ask("redeem", **asked, approval=unfit)["outcome"] == "refused"
        fit = _approval(shop, till, "skip_validation")
        done = till.ask("redeem", **asked, approval=fit, skip_validation=True, validation_type="INVALID")
        assert done["outcome"] == "done_offline", done
        till.ask("go_online")
        shop.settle_all()
        assert shop.counted().complaints == []
        assert PIN not in till.complaints


def _approval(shop: RealShop, till: HeadlessTill, purpose: str) -> str:
    """The supervisor types her PIN; offline she must have signed in here before."""
    told = till.ask("approve", operator_id=SUPERVISOR, pin=PIN, purpose=purpose, reason="no_phone", note="")
    if told["outcome"] == "refused" and told["detail"]["reason"] == "line_needed":
        till.ask("go_online")
        told = till.ask("approve", operator_id=SUPERVISOR, pin=PIN, purpose=purpose, reason="no_phone", note="")
        till.ask("go_offline")
    assert told["outcome"] == "ok", told
    return str(told["detail"]["approval"])
