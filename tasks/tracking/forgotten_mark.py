"""The mark of a registered version whose data had people who were forgotten since: a tag and a note."""

import re

TAG = "forgotten_people"
TITLE = "## Forgotten since"
_SECTION = re.compile(rf"\n*{TITLE}\n.*?(?=\n## |\Z)", re.DOTALL)


def marked(tag: str, person: str, role: str) -> str:
    """Return the tag with one more person. role: how the data had them, such as train, or unknown."""
    others = [entry for entry in tag.split(", ") if entry and not entry.startswith(f"{person} ")]
    return ", ".join([*others, f"{person} ({role})"])


def has_mark(tag: str, person: str) -> bool:
    """Return whether the tag has the person."""
    return any(entry.startswith(f"{person} ") for entry in tag.split(", "))


def note(tag: str) -> str:
    """Return the section of the model card, "" without people."""
    entries = [entry for entry in tag.split(", ") if entry]
    if not entries:
        return ""
    listed = "\n".join(f"- {entry}" for entry in entries)
    return (
        f"{TITLE}\n\nThis version was trained or evaluated with photos of people who have been forgotten "
        f"since. A version trained after that has not seen them:\n\n{listed}"
    )


def with_note(description: str, tag: str) -> str:
    """Return a model card with the section for this tag, in place of an earlier one."""
    rest = _SECTION.sub("\n", description).rstrip()
    return "\n\n".join(part for part in (rest, note(tag)) if part) + "\n"
