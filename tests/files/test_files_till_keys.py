"""The keys of a till's enrolments in its secrets, and what a program that died half-way finds again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from support.sync_kit import SPEND

from pos_app.files.secrets import SecretsError, TillSecrets
from pos_app.files.till_keys import NEXT_SIGNING_KEY, SIGNING_KEY, TillKeys


@pytest.fixture
def secrets(tmp_path: Path) -> TillSecrets:
    return TillSecrets.open(tmp_path, service="test", use_keyring=False)


def is_signed_by(public_key: str, keys: TillKeys) -> bool:
    from base64 import b64decode

    sealed = keys.seals.seal(SPEND)
    try:
        Ed25519PublicKey.from_public_bytes(b64decode(public_key)).verify(
            b64decode(sealed.signature), sealed.hash.encode("ascii")
        )
    except Exception:
        return False
    return True


def test_a_new_till_makes_a_key_and_keeps_it(secrets: TillSecrets) -> None:
    first, again = TillKeys(secrets, journal_epoch=0), TillKeys(secrets, journal_epoch=0)
    assert first.epoch == 0
    assert first.public_key() == again.public_key()
    assert is_signed_by(first.public_key(), first)


def test_the_first_enrolment_takes_the_key_that_is_there(secrets: TillSecrets) -> None:
    keys = TillKeys(secrets, journal_epoch=0)
    told = keys.public_key()
    keys.adopt(told, 1)
    again = TillKeys(secrets, journal_epoch=1)
    assert (keys.epoch, again.epoch, again.public_key()) == (1, 1, told)


def test_another_enrolment_has_another_key_which_is_the_same_until_it_was_taken(secrets: TillSecrets) -> None:
    keys = TillKeys(secrets, journal_epoch=0)
    old = keys.public_key()
    keys.adopt(old, 1)
    new = keys.next_public_key()
    assert new != old
    assert TillKeys(secrets, journal_epoch=1).next_public_key() == new
    assert is_signed_by(old, keys), "until the ledger took it nothing is signed with it"
    keys.adopt(new, 2)
    assert is_signed_by(new, keys)
    assert (keys.epoch, keys.public_key()) == (2, new)
    assert keys.next_public_key() not in {old, new}


def test_a_till_that_died_after_its_journal_began_the_new_epoch_signs_with_the_new_key(secrets: TillSecrets) -> None:
    keys = TillKeys(secrets, journal_epoch=0)
    keys.adopt(keys.public_key(), 1)
    new = keys.next_public_key()
    again = TillKeys(secrets, journal_epoch=2)
    assert (again.epoch, again.public_key()) == (2, new)
    assert is_signed_by(new, again)


def test_a_till_that_died_before_that_goes_on_with_the_old_key(secrets: TillSecrets) -> None:
    keys = TillKeys(secrets, journal_epoch=0)
    old = keys.public_key()
    keys.adopt(old, 1)
    keys.next_public_key()
    again = TillKeys(secrets, journal_epoch=1)
    assert (again.epoch, again.public_key()) == (1, old)


def test_a_key_of_somebody_else_is_not_taken(secrets: TillSecrets) -> None:
    keys = TillKeys(secrets, journal_epoch=0)
    with pytest.raises(ValueError, match="no key of this till"):
        keys.adopt("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 1)


@pytest.mark.parametrize("damaged", ["1", "1:", "1:AAAA", "x:" + "A" * 43 + "=", "1:!!"])
def test_a_damaged_key_is_told_and_never_replaced(secrets: TillSecrets, damaged: str) -> None:
    secrets.put(SIGNING_KEY, damaged)
    with pytest.raises(SecretsError, match="enrol this till again"):
        TillKeys(secrets, journal_epoch=1)
    assert secrets.get(SIGNING_KEY) == damaged


def test_no_key_shows_in_a_repr_and_all_of_them_are_texts(secrets: TillSecrets, tmp_path: Path) -> None:
    keys = TillKeys(secrets, journal_epoch=0)
    keys.next_public_key()
    kept = json.loads((tmp_path / "secrets").read_text())
    assert set(kept) == {SIGNING_KEY, NEXT_SIGNING_KEY}
    for value in kept.values():
        assert value.partition(":")[2] not in repr([keys, keys.seals])
