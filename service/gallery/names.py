"""Which names can be enrolled, and who is the same person."""

import unicodedata

from facenet.identity import fold_name
from service.gallery.errors import NameInvalid

LONGEST = 200  # characters
_UNSHOWN = ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")  # control, surrogate, private, unassigned, line separators
# They reverse the text after them, so that one name could be shown as another.
_BIDI = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def checked_key(name: str) -> str:
    """Return the key of a name: equal for two spellings of one person.

    Raises:
        NameInvalid: the name is empty, too long, or has characters that cannot be shown.
    """
    if not name.strip():
        raise NameInvalid("A person needs a name that is not empty.")
    if len(name) > LONGEST:
        raise NameInvalid(
            f"The name {name[:30]!r}... has {len(name)} characters; at most {LONGEST} are allowed."
        )
    if wrong := [c for c in name if unicodedata.category(c) in _UNSHOWN or c in _BIDI]:
        raise NameInvalid(
            f"The name {name!a} has the character U+{ord(wrong[0]):04X}, which cannot be shown. Remove it."
        )
    return fold_name(name)
