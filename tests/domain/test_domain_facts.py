"""What is known of customers, programs and family groups."""

from __future__ import annotations

import pytest
from support.builders import CUSTOMER_ID, a_customer, a_family_group, a_program, a_record, criteria, facts

from pos_app.domain.facts import Customer, FamilyGroup, Member


def test_a_tier_with_conditions_of_its_own_does_not_use_the_common_ones() -> None:
    gold = criteria(maximum=300)
    program = a_program(minimum=50, tier_criteria={"Gold": gold})
    assert program.criteria_for("Gold") is gold
    assert program.criteria_for("Silver") is program.criteria
    assert program.criteria_for(None) is program.criteria


def test_a_member_is_found_while_active() -> None:
    her = Member(CUSTOMER_ID, is_primary=True)
    group = a_family_group(members=(Member(1, is_active=False), her))
    assert group.member(CUSTOMER_ID) is her
    assert group.member(1) is None
    assert group.member(2) is None


@pytest.mark.parametrize(
    "value",
    [
        a_customer(cards=("4000123400005678",)),
        a_family_group(name="Fernandes"),
        a_record(),
        facts(family_group=a_family_group()),
    ],
)
def test_people_stay_out_of_the_repr(value: Customer | FamilyGroup) -> None:
    shown = repr(value)
    for personal in ("919812345678", "ada@example.org", "Fernandes", "Ada", "C-1001", "4000123400005678"):
        assert personal not in shown
