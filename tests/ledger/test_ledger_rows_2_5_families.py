"""Contract 2.5 at the HTTP face, row by row: groups of people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.http_counter import HttpCounter
from support.ledger_server import a_program
from support.row_ledgers import Ledgers
from support.row_shops import (
    HOME,
    OTHERS,
    TOM,
    a_shop,
)


@pytest.fixture
def reader(ledgers: Ledgers) -> HttpCounter:
    """One counter for all the questions that change nothing."""
    return ledgers.reader(a_shop())


@pytest.fixture
def counter(ledgers: Ledgers) -> Iterator[HttpCounter]:
    with ledgers.counter(a_shop()) as found:
        yield found


_TYPE, _VALUE = "user_group2_primary_user_identifier_type", "user_group2_primary_user_identifier_value"
_SOURCE, _ACCOUNT = "user_group2_primary_user_source", "user_group2_primary_user_accountId"


@pytest.mark.parametrize(
    ("who", "query", "code"),
    [
        *((TOM, "user_group2_id=77", 800), (TOM, "user_group2_external_id=FG-1", 800)),
        *((TOM, "user_group2_primary_user_id=50001", 800), (TOM, "use_default_user_group2=true", 800)),
        *(
            (TOM, f"{_TYPE}=mobile&{_VALUE}=9777785205", 800),
            (TOM, f"{_TYPE}=email&{_VALUE}=tom.sawyer@example.org", 800),
        ),
        *((TOM, f"{_TYPE}=cardnumber&{_VALUE}=6002", 800), (TOM, f"{_TYPE}=cardExternalId&{_VALUE}=X2", 800)),
        *((TOM, f"{_TYPE}=id&{_VALUE}=50001&{_SOURCE}=INSTORE", 800), (TOM, f"{_TYPE}=id&{_VALUE}=50009", 1632)),
        (TOM, f"{_TYPE}=id&{_VALUE}=50001&{_SOURCE}=WECHAT&{_ACCOUNT}=shop-1", 800),
        # Several must name the same group; the default beside an explicit one is ignored.
        (TOM, "user_group2_id=77&user_group2_external_id=FG-1&user_group2_primary_user_id=50001", 800),
        (TOM, "user_group2_id=77&user_group2_primary_user_id=50002", 1632),
        (TOM, "user_group2_id=78&use_default_user_group2=true", 1632),
        *((TOM, "user_group2_id=99", 1632), (TOM, "user_group2_id=-77", 1632), (TOM, "user_group2_id=78", 1632)),
        *((TOM, "user_group2_external_id=FG-9", 1632), (TOM, "user_group2_primary_user_id=50009", 1632)),
        ("mobile=9000000006", "use_default_user_group2=true", 1632),
        (OTHERS, "use_default_user_group2=true", 1632),
        ("mobile=9000000006", "user_group2_id=77", 1620),
        (OTHERS, "user_group2_id=77", 903),
        (TOM, "user_group2_id=77&program_id=974", 828),
        # Not malformed: no group is named.
        *(
            (TOM, f"{_SOURCE}=WECHAT", 818),
            (TOM, f"{_ACCOUNT}=shop-1", 818),
            (TOM, "use_default_user_group2=false", 818),
        ),
        *((TOM, "user_group2_id=", 818), (TOM, "user_group2_id=null", 818)),
    ],
)
def test_2_5_user_groups(reader: HttpCounter, who: str, query: str, code: int) -> None:
    assert reader.check(f"{who}&points=800&{query}").code == code


@pytest.mark.parametrize(
    "query",
    [
        *(f"{_TYPE}=mobile", f"{_VALUE}=9777785205", f"{_TYPE}=Mobile&{_VALUE}=9777785205"),
        *(f"{_TYPE}=externalId&{_VALUE}=1", f"{_TYPE}=id&{_VALUE}=50001&{_SOURCE}=WECHAT"),
        *(f"{_TYPE}=id&{_VALUE}=50001&{_SOURCE}=instore", f"{_SOURCE}=TELEX"),
        *(
            "user_group2_id=abc",
            "user_group2_id=7.7",
            "user_group2_primary_user_id=tom",
            "use_default_user_group2=maybe",
        ),
    ],
)
def test_2_5_what_names_no_group_in_any_way_is_malformed(reader: HttpCounter, query: str) -> None:
    assert reader.check(f"{TOM}&points=10&{query}").status == 400


def test_2_5_a_program_that_is_not_set_up_for_groups_is_828(ledgers: Ledgers) -> None:
    with ledgers.counter([*a_shop(), a_program(criteria={"multiple_of": 10})]) as counter:
        assert counter.check(f"{TOM}&points=10&user_group2_id=77").code == 828


def test_2_5_the_one_who_asks_is_the_one_who_hears_of_it(counter: HttpCounter) -> None:
    assert counter.code(f"{TOM}&points=800&user_group2_id=77") == counter.sender.codes[0]
    assert counter.sender.messages[0].to == "919777785205"


@pytest.mark.parametrize("status", ["INACTIVE", "DELETED"])
def test_2_5_a_group_that_is_not_active_is_1632(ledgers: Ledgers, status: str) -> None:
    lines = a_shop()
    family = next(line for line in lines if line["kind"] == "family_group" and line["id"] == HOME)
    family["status"] = status
    for group in ("user_group2_id=77", "user_group2_external_id=FG-1", "use_default_user_group2=true"):
        assert ledgers.reader(lines).check(f"{TOM}&points=10&{group}").code == 1632


@pytest.mark.parametrize(
    "source",
    "FACEBOOK WEB_ENGAGE WECHAT INSTORE MARTJACK TMALL TAOBAO JD ECOMMERCE WEBSITE LINE MOBILE_APP".split(),
)
def test_2_5_every_source_of_the_list_is_taken(reader: HttpCounter, source: str) -> None:
    who = f"{_TYPE}=id&{_VALUE}=50001&{_SOURCE}={source}&{_ACCOUNT}=shop-1"
    assert reader.check(f"{TOM}&points=800&{who}").code == 800
    without_account = reader.check(f"{TOM}&points=800&{_TYPE}=id&{_VALUE}=50001&{_SOURCE}={source}")
    assert without_account.http == (400 if source == "WECHAT" else 200)
