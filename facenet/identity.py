"""Decide when two spellings name the same person."""

import re
import unicodedata
from collections.abc import Iterable

# Letters that Unicode does not decompose into base letter and accent, and apostrophes classed as letters.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th"}
    | {"\u02bb": "", "\u02bc": ""}
)
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\W_]+(?=\d)")


def fold_name(name: str) -> str:
    """Return a name without case, accents and punctuation: equal for "Zoë_Ball" and "zoe ball".

    Numbers stay separate, so "1_12" and "11_2" are two people. Vowel signs of Indic scripts stay: they are
    letters, not accents. Names that are all punctuation keep it, so that two of them differ.
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    plain = "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_LETTERS)
    apart = _BETWEEN_DIGITS.sub("\n", plain)
    return "".join(c for c in apart if c == "\n" or unicodedata.category(c)[0] in "LNM") or decomposed


def one_spelling(names: Iterable[str]) -> list[str]:
    """Return the names in their order, each in the first spelling of its person."""
    first: dict[str, str] = {}
    return [first.setdefault(fold_name(name), name) for name in names]
