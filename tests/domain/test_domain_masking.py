from __future__ import annotations

import pytest

from pos_app.domain.masking import mask, mask_card, mask_email, mask_mobile, short_name
from pos_app.domain.request import IdentifierKind


@pytest.mark.parametrize(
    ("mobile", "shown"),
    [
        ("9876545205", "98.....5205"),
        ("+91 98765-45205", "91.....5205"),
        ("12345678", ".....5678"),
        ("123456", "....."),
        ("", ""),
    ],
)
def test_a_mobile_number_shows_its_first_two_and_last_four_digits(mobile: str, shown: str) -> None:
    assert mask_mobile(mobile) == shown


@pytest.mark.parametrize(
    ("email", "shown"),
    [
        ("tom@example.com", "t...@example.com"),
        ("t@example.com", "t...@example.com"),
        ("@example.com", "...@example.com"),
        ("no address", "....."),
        ("", ""),
    ],
)
def test_an_email_address_shows_its_first_letter_and_domain(email: str, shown: str) -> None:
    assert mask_email(email) == shown


def test_a_card_shows_its_last_four_and_a_short_number_nothing() -> None:
    assert mask_card("6011000990134411") == "...4411"
    assert mask_card("4411") == "....."


@pytest.mark.parametrize("kind", list(IdentifierKind))
def test_no_kind_of_identifier_is_ever_shown_whole(kind: IdentifierKind) -> None:
    for value in ("9876545205", "tom.smith@example.com", "1234", "A", "EXT-000-77"):
        shown = mask(kind, value)
        assert shown
        assert value not in shown


def test_a_name_is_the_first_name_and_an_initial() -> None:
    assert short_name("Tom", "Smith") == "Tom S."
    assert short_name("Tom", "") == "Tom"
    assert short_name("", "Smith") == "S."
    assert short_name(" ", " ") == ""
