"""How names are compared in a search: without case, accents and marks, by the beginning of any of their words.

Letters of Latin, Greek, Cyrillic, Hebrew and Arabic lose their marks; in the scripts of India and South-East Asia the
marks are vowels and stay. Names in Chinese, Japanese and Korean have no words to speak of: each place in them begins
one. Everything here must give the same at every start: what it gave stands in the index.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

WORDS_MOST: Final = 6
"""A longer name is found by its first six words."""

KEY_MOST: Final = 60
"""No key of the index is longer, in characters."""

LAST_DIGITS_MOST: Final = 10
"""So many digits from the end are indexed: a number without its country code."""

LAST_DIGITS_LEAST: Final = 3
"""Fewer digits from the end name too many people."""

_MARKS_STAY_FROM: Final = "ऀ"
"""From here on, in the order of Unicode, marks are vowels."""

_ALIKE: Final = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "ı": "i",
        "ħ": "h",
        "ى": "ي",
        "ی": "ي",
        "ک": "ك",
        "ة": "ه",
        "ٱ": "ا",
        "ـ": "",
        "़": "",  # The dot that makes a sound foreign is often left out.
        "ँ": "ं",
        "\u200c": "",
        "\u200d": "",
    }
)
_APOSTROPHES: Final = str.maketrans(dict.fromkeys("'`´ʼ’‘", ""))
_ARTICLE: Final = "ال"
_WITHOUT_ARTICLE_LEAST: Final = 3

_EAST: Final = (("⺀", "鿿"), ("가", "힯"), ("豈", "﫿"), ("\U00020000", "\U0003ffff"))
"""Ideographs, kana and hangul, by first and last character."""

_EAST_MOST: Final = 8
"""A run of more such characters is a sentence, no name."""


def words_of(text: str) -> list[str]:
    """The words of a name, folded, in their order."""
    if text.isascii():
        plain = text.lower()
        if plain.replace(" ", "").isalnum():
            return plain.split()
    return _split(text.translate(_APOSTROPHES))


@lru_cache(maxsize=32_768)
def _split(text: str) -> list[str]:
    """The slow way. Names repeat, so most are met in memory."""
    folded = fold(text)
    return "".join(each if _is_of_a_word(each) else " " for each in folded).split()


def fold(text: str) -> str:
    """The text without case, accents and what people leave out."""
    if text.isascii():
        return text.lower()
    kept: list[str] = []
    marks_go = True
    for each in unicodedata.normalize("NFKD", text.casefold()):
        if unicodedata.category(each) == "Mn":
            if marks_go:
                continue
        else:
            marks_go = each < _MARKS_STAY_FROM
        kept.append(each)
    return unicodedata.normalize("NFC", "".join(kept).translate(_ALIKE))


def name_keys(first: str, last: str) -> set[str]:
    """What a customer's name is found by: its words, turned so that each comes first once."""
    name = f"{first} {last}"
    words = words_of(name)[:WORDS_MOST]
    if not words:
        return set()
    keys = {" ".join((*words[place:], *words[:place]))[:KEY_MOST] for place in range(len(words))}
    if name.isascii():
        return keys
    if all(_is_eastern(each) for each in words):
        return _eastern_keys(words)
    for place, word in enumerate(words):
        bare = word.removeprefix(_ARTICLE)
        if bare is not word and bare != word and len(bare) >= _WITHOUT_ARTICLE_LEAST:
            keys.add(" ".join((bare, *words[place + 1 :], *words[:place]))[:KEY_MOST])
    return keys


def _eastern_keys(words: list[str]) -> set[str]:
    """Family name first, as it is written there, and last; then from each further character on."""
    written = {"".join((words[-1], *words[:-1]))[:_EAST_MOST], "".join(words)[:_EAST_MOST]}
    return {f"{joined[place:]} {joined[:place]}".strip() for joined in written for place in range(len(joined))}


def last_digits_key(value: str) -> str:
    """What a number is found by from its end: its last digits, the last one first. Empty when it has too few."""
    digits = value if value.isascii() and value.isdigit() else digits_of(value)
    return digits[: -LAST_DIGITS_MOST - 1 : -1] if len(digits) > LAST_DIGITS_LEAST else ""


def digits_of(text: str) -> str:
    """The digits in a text, whatever script they are written in."""
    return "".join(str(unicodedata.digit(each)) for each in text if unicodedata.digit(each, -1) >= 0)


def _is_of_a_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char)[0] == "M"


def _is_eastern(word: str) -> bool:
    return all(any(first <= each <= last for first, last in _EAST) for each in word)
