"""Show 2 of the central ledger: schemathesis over what it serves, every check, no server error, nothing undocumented.

    pytest tests/ledger/test_ledger_fuzz.py -m slow -s

runs at least 20,000 cases and prints their number; the suite runs about a thousand.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fuzzing import Outcome, fuzz
from support.ledger_server import (
    LedgerServer,
    a_customer,
    a_program,
    a_till,
    an_organisation,
    running_ledger,
)

POINTS, SYNC = "/openapi.json", "/sync/openapi.json"
CASES_LEAST = 20_000
ALL_CHECKS = {
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
    "object_level_authorization",
    "use_after_free",
    "ensure_resource_availability",
}


def a_ledger_with_everybody() -> list[dict[str, Any]]:
    """One customer with more points than any run can spend, a family group, two programs."""
    return [
        an_organisation(skip_validation_allowed=True, program_group_redemption="enabled", reversal_enabled=True),
        a_program(family_groups_enabled=True),
        a_program(id=974, name="Silver", default=False, points_currency_ratio="0.5", criteria={}),
        a_till(program_id=973),
        a_customer(points=1_000_000_000),
        a_customer(id=50002, mobile="919000000002", email=None, external_id=None, fraud_status="CONFIRMED"),
        {
            "kind": "family_group",
            "organisation": 1,
            "id": 77,
            "name": "Sawyer",
            "members": [{"customer_id": 50001, "primary": True}, {"customer_id": 50002}],
            "wallets": [{"program_id": 973, "lots": [{"points": 1000, "expires_on": None}]}],
        },
    ]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[LedgerServer]:
    with running_ledger(tmp_path, a_ledger_with_everybody(), options={"test_mode": True}) as server:
        yield server


def judge(outcome: Outcome, server: LedgerServer) -> None:
    """Nothing failed, and everything was checked."""
    assert not outcome.errors
    of_a_kind = {failure.partition(": Schema")[0]: failure for failure in outcome.failures}
    assert not of_a_kind, "\n\n".join(of_a_kind.values())
    assert set(outcome.checks) == ALL_CHECKS
    assert "fault=" not in server.log()


@pytest.mark.parametrize("path", [POINTS, SYNC])
def test_whatever_is_sent_the_answer_is_one_that_is_described(path: str, served: LedgerServer) -> None:
    judge(fuzz(served, path, examples=25, seed=20261123, is_whole=False), served)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_twenty_thousand_generated_cases_meet_no_fault(
    served: LedgerServer, capsys: pytest.CaptureFixture[str]
) -> None:
    count = 0
    for path, examples in ((POINTS, 900), (SYNC, 300)):
        outcome = fuzz(served, path, examples=examples, seed=7)
        judge(outcome, served)
        count += outcome.cases
        with capsys.disabled():
            print(f"\n{path}: {outcome.cases:,} cases, {sum(outcome.checks.values()):,} checks, no failure", flush=True)
    assert count >= CASES_LEAST
