"""Finding a customer, with and without a line."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support.builders import NOW, PROGRAM_ID, a_program, a_record, an_organisation
from support.clock import FakeClock
from support.fake_ledger import OUR_LEDGER, ScriptedLedger
from support.service_kit import ADA, Till

from pos_app.domain.answers import TillInfo
from pos_app.domain.facts import Program
from pos_app.domain.trouble import (
    LineDownError,
    NotAcceptedError,
    NotSafeError,
    NotTheServiceError,
    ServiceTroubleError,
)
from pos_app.services.results import CannotLookUpOfflineError, LineState, Source


def a_till(**script: object) -> Till:
    script.setdefault("program", [a_program()] * 50)
    return Till(ScriptedLedger(**script))  # type: ignore[arg-type]


def test_a_customer_is_found_at_the_ledger_and_remembered() -> None:
    till = a_till(find_customer=[replace(a_record(), as_of=None)])
    found = till.lookup.find(ADA)
    assert found is not None
    assert (found.source, found.as_of) == (Source.LEDGER, NOW)
    assert till.cache.find_customer(ADA) == found.record
    assert till.line.view.state is LineState.ONLINE


def test_nobody_has_this_identifier() -> None:
    till = a_till(find_customer=[None])
    assert till.lookup.find(ADA) is None


def test_without_a_line_a_customer_seen_before_is_found_with_the_age_of_what_is_known() -> None:
    till = a_till(find_customer=[a_record(), LineDownError()])
    till.lookup.find(ADA)
    till.clock.advance(3600)
    found = till.lookup.find(ADA)
    assert found is not None
    assert (found.source, found.as_of) == (Source.CACHE, NOW)


def test_once_the_line_is_down_nobody_waits_for_it_again() -> None:
    till = a_till(find_customer=[a_record(), LineDownError()])
    for _ in range(5):
        till.lookup.find(ADA)
    assert len(till.ledger.calls("find_customer")) == 2


def test_without_a_line_a_customer_never_seen_cannot_be_looked_up() -> None:
    till = a_till(find_customer=[LineDownError()])
    with pytest.raises(CannotLookUpOfflineError):
        till.lookup.find(ADA)
    with pytest.raises(CannotLookUpOfflineError):
        till.lookup.find(ADA)


@pytest.mark.parametrize("trouble", [NotAcceptedError(), ServiceTroubleError()])
def test_a_service_that_gives_no_use_is_told_where_she_was_never_seen(trouble: Exception) -> None:
    till = a_till(find_customer=[trouble])
    with pytest.raises(type(trouble)):
        till.lookup.find(ADA)


def test_a_service_that_gives_no_use_does_not_hide_a_customer_seen_before() -> None:
    till = a_till(find_customer=[a_record(), NotAcceptedError()])
    till.lookup.find(ADA)
    found = till.lookup.find(ADA)
    assert found is not None
    assert found.source is Source.CACHE


def test_a_sign_in_page_of_the_network_counts_as_no_line() -> None:
    till = a_till(find_customer=[NotTheServiceError()])
    with pytest.raises(CannotLookUpOfflineError):
        till.lookup.find(ADA)
    assert till.line.view.state is LineState.OFFLINE


def test_an_unsafe_connection_is_told_as_such_for_as_long_as_it_is() -> None:
    till = a_till(find_customer=[NotSafeError("not trusted")])
    for _ in range(2):
        with pytest.raises(NotSafeError):
            till.lookup.find(ADA)


def test_rules_of_a_new_program_are_fetched_once_a_day() -> None:
    till = a_till(find_customer=[a_record()] * 3, program=[a_program(multiple_of=10), a_program(multiple_of=20)])
    till.lookup.find(ADA)
    till.lookup.find(ADA)
    assert till.ledger.calls("program") == [PROGRAM_ID]
    till.clock.advance(timedelta(days=1).total_seconds())
    till.lookup.find(ADA)
    assert till.cache.program(PROGRAM_ID) == a_program(multiple_of=20)


def test_a_criteria_answer_does_not_make_the_default_program_a_plain_one() -> None:
    till = a_till(find_customer=[a_record()], program=[a_program(is_default=False)])
    till.lookup.find(ADA)
    known = till.cache.program(PROGRAM_ID)
    assert known is not None
    assert known.is_default


def test_a_service_that_does_not_tell_rules_still_teaches_the_program() -> None:
    till = a_till(find_customer=[a_record()], program=[None])
    till.lookup.find(ADA)
    known = till.cache.program(PROGRAM_ID)
    assert known is not None
    assert not known.are_rules_known


def test_rules_that_cannot_be_fetched_do_not_spoil_the_lookup_and_are_not_asked_for_at_once() -> None:
    till = a_till(find_customer=[a_record()] * 3, program=[ServiceTroubleError(), a_program(multiple_of=10)])
    assert till.lookup.find(ADA) is not None
    assert till.lookup.find(ADA) is not None
    assert len(till.ledger.calls("program")) == 1
    till.clock.advance(61)
    till.lookup.find(ADA)
    assert till.cache.program(PROGRAM_ID) == a_program(multiple_of=10)


def test_slow_rules_are_left_for_later() -> None:
    clock = FakeClock()

    def slowly(program_id: int) -> Program:
        clock.advance(5)
        return a_program(program_id)

    told = a_record(programs=tuple(a_program(number) for number in (1, 2, 3)))
    till = Till(ScriptedLedger(find_customer=[told], program=[slowly] * 3), clock=clock)
    started = clock.mono()
    assert till.lookup.find(ADA) is not None
    assert clock.mono() - started == 5
    assert till.ledger.calls("program") == [1]


def test_the_tills_own_program_stands_first() -> None:
    own = replace(OUR_LEDGER, till=TillInfo(login="till.014.3", store="014", program_id=7))

    def plain(program_id: int) -> Program:
        return a_program(program_id, name=f"Program {program_id}", is_default=False)

    switches = an_organisation(validation_required=True)
    till = Till(ScriptedLedger(capabilities=[own], organisation=[switches], program=[plain, plain]))
    till.cache.keep_program(a_program(8, name="Default"), NOW)
    till.lookup.refresh_rules()
    assert [program.program_id for program in till.lookup.programs()] == [7, 8]
    assert till.lookup.programs()[1].is_default
    assert till.lookup.organisation() == switches


def test_rules_cannot_be_refreshed_without_a_line() -> None:
    till = Till(ScriptedLedger(capabilities=[LineDownError()]))
    with pytest.raises(LineDownError):
        till.lookup.refresh_rules()
    assert till.line.view.state is LineState.OFFLINE
