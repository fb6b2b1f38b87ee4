"""Pseudonyms of people: they recognise a name that is given, and do not reveal it.

Whoever guesses the name can confirm the guess, slowly: a pseudonym is a hash, not encryption.
"""

import hashlib
import re
import secrets

from facenet.identity import fold_name

PATTERN = re.compile(r"person-([0-9a-f]{16})-([0-9a-f]{32})")
COST = {"n": 2**12, "r": 8, "p": 1}  # of scrypt (RFC 7914): 4 MB and about 15 ms for each name


def new_salt() -> str:
    """Return the random salt of a project, as hexadecimal digits."""
    return secrets.token_hex(8)


def pseudonym(name: str, salt: str) -> str:
    """Return the pseudonym of a name, equal for all its spellings (see `fold_name`)."""
    digest = hashlib.scrypt(fold_name(name).encode(), salt=bytes.fromhex(salt), dklen=16, **COST)
    return f"person-{salt}-{digest.hex()}"


def salt_of(text: str) -> str:
    """Return the salt of a pseudonym.

    Raises:
        ValueError: `text` is not a pseudonym.
    """
    match = PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a pseudonym")
    return match[1]
