"""Keys: 128 bits in 26 characters, told apart from practice keys by their form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos_app.domain.keys import ALPHABET, KEY_BYTES, PRACTICE_PREFIX, is_key, key_from

random_bytes = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)


@given(random_bytes)
def test_a_key_has_26_characters_and_looks_like_one(some: bytes) -> None:
    key = key_from(some)
    assert len(key) == 26
    assert set(key) <= set(ALPHABET)
    assert is_key(key)


@given(random_bytes)
def test_no_bit_of_the_random_bytes_is_lost(some: bytes) -> None:
    number = 0
    for character in key_from(some):
        number = number * 32 + ALPHABET.index(character)
    assert number.to_bytes(KEY_BYTES, "big") == some


def test_keys_of_the_smallest_and_the_largest_bytes() -> None:
    assert key_from(bytes(16)) == "0" * 26
    assert key_from(b"\xff" * 16) == "7" + "Z" * 25


@pytest.mark.parametrize("size", [0, 15, 17])
def test_a_key_is_made_of_sixteen_bytes_only(size: int) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        key_from(bytes(size))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 25,
        "0" * 27,
        "0" * 26 + "\n",
        "o" * 26,
        "I" + "0" * 25,
        "L" + "0" * 25,
        "O" + "0" * 25,
        "U" + "0" * 25,
        PRACTICE_PREFIX + "0" * 23,
        PRACTICE_PREFIX + "0" * 26,
    ],
)
def test_other_texts_are_no_keys(text: str) -> None:
    assert not is_key(text)
