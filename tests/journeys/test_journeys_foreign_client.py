"""A till of another maker, written against the vendor's documentation, does its whole sequence at our ledger.

A real server, a real connection, both formats, both databases; the customer reads her code from her phone, which
stands here as the spool folder.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import foreign_client
import pytest
from foreign_client import JsonPos, Outcome, XmlPos
from support.ledger_server import LedgerServer, a_customer, a_program, a_till, an_organisation, running_ledger

ADA = "07700900123"
REFERENCE = "pos-7/2026-11-23/00042"


@pytest.fixture
def server(tmp_path: Path, ledger_url: str) -> Iterator[LedgerServer]:
    """Ada has 500 points worth 0.50 each; whoever redeems must prove it with a code."""
    lines = [
        an_organisation(currency="GBP", time_zone="Europe/London", country_code="44", validation_required=True),
        a_program(points_currency_ratio="0.5"),
        a_till(login="foreign.till", password="not ours"),
        a_customer(mobile="447700900123", email="ada@example.org", first_name="Ada", last_name="Lovelace"),
    ]
    with running_ledger(tmp_path / "ledger", lines, database_url=ledger_url) as running:
        yield running


@pytest.mark.parametrize("maker", [JsonPos, XmlPos])
def test_a_pos_of_another_maker_does_its_whole_sequence(server: LedgerServer, maker: type[JsonPos]) -> None:
    with closing(maker(server.url, "foreign.till", "not ours")) as pos:
        # Who is she, and what has she got?
        person = pos.find(ADA)
        assert (person.name, person.mobile, person.user_id) == ("Ada Lovelace", "447700900123", "50001")
        assert person.points == Decimal(500)

        # May she redeem 120? A code goes to her phone.
        assert pos.may_redeem(ADA, 125).item_code == 807
        assert server.messages() == []
        checked = pos.may_redeem(ADA, 120, issue_otp="true")
        assert checked == Outcome(200, 200, True, 800, "Points can be redeemed", Decimal(120), Decimal(60))
        assert pos.find(ADA).points == Decimal(500)

        # It did not arrive: the same code comes again.
        sent = pos.send_code(ADA, 120)
        assert (sent.http, sent.status_code, sent.is_success, sent.item_code) == (200, 200, True, 200)
        assert sent.message == "Validation Code Issued by SMS"
        first, again = (message["code"] for message in server.messages())
        assert first == again

        # She reads it out, once wrongly.
        assert pos.may_redeem(ADA, 120, validation_code="WRONG1").item_code == 808
        assert pos.may_redeem(ADA, 120, validation_code=first).item_code == 800
        assert pos.find(ADA).points == Decimal(500)

        # The bill is committed, so the points are redeemed; not without the code.
        missing = pos.redeem(ADA, 120, "B-77", REFERENCE, "")
        assert (missing.http, missing.status_code, missing.is_success, missing.item_code) == (200, 500, False, 824)
        redeemed = pos.redeem(ADA, 120, "B-77", REFERENCE, first)
        assert (redeemed.item_code, redeemed.message) == (800, "Points Redeemed")
        assert (redeemed.points, redeemed.value, redeemed.balance) == (Decimal(120), Decimal(60), Decimal(380))
        assert pos.find(ADA).points == Decimal(380)

        # The answer got lost, so it asks again under the same reference: the same answer, and nothing moves.
        assert pos.redeem(ADA, 120, "B-77", REFERENCE, first) == redeemed
        assert pos.find(ADA).points == Decimal(380)
        # The code has served.
        assert pos.may_redeem(ADA, 10, validation_code=first).item_code == 808

        # She brings half of it back.
        assert redeemed.redemption_id is not None
        reversed_half = pos.reverse(redeemed.redemption_id, ADA, 60)
        assert (reversed_half["http"], reversed_half["errors"]) == (200, [])
        assert (reversed_half["redemptionId"], reversed_half["customerId"]) == (redeemed.redemption_id, 50001)
        assert reversed_half["pointsReversed"] == 60
        assert reversed_half["pointsReversedDetails"] == {"available": 60, "expired": 0}
        assert pos.find(ADA).points == Decimal(440)


def test_the_foreign_client_knows_nothing_of_us() -> None:
    source = Path(foreign_client.__file__).read_text(encoding="utf-8")
    imported = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"requests"}
