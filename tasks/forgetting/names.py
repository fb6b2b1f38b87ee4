"""Find the name of a person in tables and texts that the project writes.

A name may be an ordinary word or number: in tables it counts in columns of names, in JSON as a value, and a
short or numeric one in other texts only where it cannot be anything else.
"""

import html
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from facenet.identity import fold_name

# Columns with names of people or of their photos, in any table of the project.
COLUMNS = re.compile(
    r"identity|identities|person|people|name|\w+_name|evaluated|trained|path|photo|other_identity|target|relpath",
)
SHORT = 2  # characters; such names are treated as numbers are


class Names:
    """The names of a person; spellings that fold to the same name count where whole values are compared."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(sorted(set(names)))
        self._folded = {fold_name(name) for name in self.names}
        self._text = re.compile("|".join(_patterns(self.names)) or r"(?!)")

    def is_value(self, value: object) -> bool:
        """Return whether a value of a table or of JSON is a name, or the path of a photo below one."""
        if not isinstance(value, str) or not value or not self.names:
            return False
        parts = value.split("/")
        return any(part in self.names for part in parts) or fold_name(parts[0]) in self._folded

    def is_exactly(self, value: object) -> bool:
        """Return whether a value is a name, in any spelling."""
        return isinstance(value, str) and bool(value) and fold_name(value) in self._folded

    def in_table(self, columns: Mapping[str, Iterable[object]]) -> bool:
        """Return whether a table, by its columns, has a name in a column of names."""
        return any(
            self.is_value(value)
            for column, values in columns.items()
            if COLUMNS.fullmatch(column)
            for value in values
        )

    def in_json(self, value: Any) -> bool:
        """Return whether a value of JSON has a name, as a value or within a text, or as a long enough key."""
        if isinstance(value, dict):
            return any(self._is_key(key) or self.in_json(inner) for key, inner in value.items())
        if isinstance(value, list):
            return any(map(self.in_json, value))
        return isinstance(value, str) and (
            self.is_value(value) or self.in_text(value) or self._is_listed(value)
        )

    def in_text(self, text: str) -> bool:
        """Return whether a text has a name, escaped or not."""
        return bool(self._text.search(text))

    def in_document(self, text: str) -> bool:
        """Return whether a text has a name, by the rules of JSON if it is JSON or lines of JSON."""
        try:
            return self.in_json(json.loads(text))
        except ValueError:
            pass
        lines = text.splitlines()
        try:
            return any(self.in_json(json.loads(line)) for line in lines if line) if lines else False
        except ValueError:
            return self.in_text(text)

    def _is_listed(self, text: str) -> bool:
        """Return whether a text is a list of names with one of the person, as reports show it."""
        entries = text.split(", ")
        return len(entries) > 1 and any(entry in self.names and not entry.isdecimal() for entry in entries)

    def _is_key(self, key: str) -> bool:
        return key in self.names and not _is_weak(key)


def _is_weak(name: str) -> bool:
    return name.isdecimal() or len(name) <= SHORT


def _patterns(names: Iterable[str]) -> set[str]:
    found = set()
    for name in names:
        spellings = {name, name.replace("_", " "), name.replace(" ", "_")}
        escapes = {html.escape(name), quote(name), json.dumps(name, allow_nan=False)[1:-1]}
        for form in spellings | escapes:
            escaped = re.escape(form)
            if _is_weak(name):
                found |= {rf"(?<!\w){escaped}/{escaped}_\d", f">{escaped}<", rf"(?m:^){escaped}\t\d+\t"}
                found.add(rf"(?<![\w.]){escaped}_\d{{4}}(?!\d)")
            else:
                found.add(rf"(?<![^\W_]){escaped}(?![^\W_])")
    return found
