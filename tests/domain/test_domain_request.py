"""What a question may name: identifiers of a possible shape, and family groups by any route."""

from __future__ import annotations

import pytest
from support.builders import a_request

from pos_app.domain.commands import Redeem, SendCode
from pos_app.domain.request import CustomerRef, FamilyGroupRef, IdentifierKind, MemberSource, PrimaryKind

WELL_FORMED = [
    (IdentifierKind.MOBILE, "919812345678"),
    (IdentifierKind.MOBILE, "9812345678"),
    (IdentifierKind.MOBILE, "+91 (98) 123-456.78"),
    (IdentifierKind.EMAIL, "ada@example.org"),
    (IdentifierKind.EMAIL, "żółć@example.org"),
    (IdentifierKind.EXTERNAL_ID, "C-1001"),
    (IdentifierKind.EXTERNAL_ID, "x" * 200),
    (IdentifierKind.CARD_NUMBER, "4000 1234"),
    (IdentifierKind.CARD_EXTERNAL_ID, "k"),
    (IdentifierKind.ID, "1"),
    (IdentifierKind.ID, str(2**63 - 1)),
]
IMPOSSIBLE = [
    (IdentifierKind.MOBILE, ""),
    (IdentifierKind.MOBILE, "98x12345678"),
    (IdentifierKind.MOBILE, "123"),
    (IdentifierKind.MOBILE, "9" * 26),
    (IdentifierKind.MOBILE, "++919812345678"),
    (IdentifierKind.MOBILE, "٩٨١٢٣٤٥٦٧٨"),
    (IdentifierKind.EMAIL, "ada.example.org"),
    (IdentifierKind.EMAIL, "@example.org"),
    (IdentifierKind.EMAIL, "a b@example.org"),
    (IdentifierKind.EMAIL, "a@b@c"),
    (IdentifierKind.EMAIL, "a" * 250 + "@x.org"),
    (IdentifierKind.EXTERNAL_ID, ""),
    (IdentifierKind.EXTERNAL_ID, "x" * 201),
    (IdentifierKind.CARD_NUMBER, ""),
    (IdentifierKind.ID, "0"),
    (IdentifierKind.ID, "-1"),
    (IdentifierKind.ID, "A1"),
    (IdentifierKind.ID, "²"),
    (IdentifierKind.ID, "١"),
    (IdentifierKind.ID, str(2**63)),
    (IdentifierKind.ID, "1" * 20),
]


@pytest.mark.parametrize(("kind", "value"), WELL_FORMED)
def test_an_identifier_of_a_possible_shape(kind: IdentifierKind, value: str) -> None:
    assert CustomerRef(kind, value).is_well_formed


@pytest.mark.parametrize(("kind", "value"), IMPOSSIBLE)
def test_an_identifier_of_an_impossible_shape(kind: IdentifierKind, value: str) -> None:
    assert not CustomerRef(kind, value).is_well_formed


@pytest.mark.parametrize(
    "ref",
    [
        FamilyGroupRef(group_id=1),
        FamilyGroupRef(external_id="FG-1"),
        FamilyGroupRef(primary_user_id=5),
        FamilyGroupRef(primary_kind=PrimaryKind.MOBILE, primary_value="919812345678"),
        FamilyGroupRef(group_id=1, use_default=True),
    ],
)
def test_any_route_names_a_family_group(ref: FamilyGroupRef) -> None:
    assert ref.is_explicit


@pytest.mark.parametrize(
    "ref",
    [
        FamilyGroupRef(),
        FamilyGroupRef(use_default=True),
        FamilyGroupRef(source=MemberSource.WECHAT, account_id="shop"),
    ],
)
def test_source_account_and_the_default_are_no_names(ref: FamilyGroupRef) -> None:
    assert not ref.is_explicit


def test_who_asks_and_the_code_stay_out_of_the_repr() -> None:
    family = FamilyGroupRef(primary_kind=PrimaryKind.MOBILE, primary_value="919800000009")
    asked = a_request(validation_code="Q7XK2M", family_group=family)
    command = Redeem(request=asked, also_named=(CustomerRef(IdentifierKind.EMAIL, "ada@example.org"),), notes="Ada")
    shown = repr(asked) + repr(command) + repr(SendCode(customer=asked.customer))
    for personal in ("9198", "Q7XK2M", "ada@example.org", "Ada"):
        assert personal not in shown
