import hashlib

import pytest

from tasks.labels.pseudonyms import PATTERN, new_salt, pseudonym, salt_of

SALT = "00112233445566ff"


def test_the_hash_is_scrypt_of_the_folded_name() -> None:
    expected = hashlib.scrypt(b"adalovelace", salt=bytes.fromhex(SALT), n=4096, r=8, p=1, dklen=16).hex()
    assert pseudonym("Ada Lovelace", SALT) == f"person-{SALT}-{expected}"


def test_spellings_have_one_pseudonym_and_other_names_or_salts_another() -> None:
    assert pseudonym("Ada Lovelace", SALT) == pseudonym("ada_lovelacé", SALT)
    assert pseudonym("Ada Lovelace", SALT) != pseudonym("Ada Byron", SALT)
    assert pseudonym("Ada Lovelace", SALT) != pseudonym("Ada Lovelace", new_salt())


def test_a_pseudonym_shows_its_salt_and_not_the_name() -> None:
    text = pseudonym("Ada", SALT)
    assert PATTERN.fullmatch(text)
    assert salt_of(text) == SALT
    assert "ada" not in text.lower()
    with pytest.raises(ValueError, match="'Ada' is not a pseudonym"):
        salt_of("Ada")


def test_salts_are_random() -> None:
    assert len({new_salt() for _ in range(8)}) == 8
