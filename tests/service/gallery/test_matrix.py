"""The matrix follows the changes of other processes, and a snapshot never changes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from service.gallery import Enrolment, Gallery, Snapshot
from service.gallery import matrix as module

Photo = Callable[..., Enrolment]
Opener = Callable[..., Gallery]


def check(snapshot: Snapshot, expected: dict[str, list[Enrolment]]) -> None:
    """Compare a snapshot with what each person has."""
    assert set(snapshot.names) == set(expected)
    assert len(snapshot) == sum(len(entries) for entries in expected.values())
    for number, name in enumerate(snapshot.names):
        found = {row.tobytes() for row in snapshot.templates[snapshot.owners == number]}
        assert found == {entry.template.tobytes() for entry in expected[name]}, name
    assert (np.diff(snapshot.photo_ids) > 0).all()
    assert (np.diff(snapshot.person_ids) > 0).all()


def test_it_follows_random_changes_as_one_that_is_loaded_anew(
    opened: Opener, tmp_path: Path, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 3)
    monkeypatch.setattr("service.gallery.gallery.erase", lambda *_, **__: "")  # takes most of the time
    writer, reader = opened(tmp_path / "g.db"), opened(tmp_path / "g.db")
    random, expected = np.random.default_rng(5), dict[str, list[Enrolment]]()
    check(reader.snapshot(), expected)
    for step in range(40):
        known = sorted(expected)
        action = random.choice(["enrol", "enrol", "more", "remove", "photo", "rename"]) if known else "enrol"
        name = str(random.choice(known)) if known else ""
        if action == "enrol":
            expected[f"person {step}"] = [photo() for _ in range(random.integers(1, 5))]
            writer.enrol(f"person {step}", expected[f"person {step}"], by="me")
        elif action == "more":
            expected[name].append(photo())
            writer.enrol(name, expected[name], by="me")
        elif action == "remove":
            writer.remove(name)
            del expected[name]
        elif action == "photo":
            writer.remove_photo(name, expected[name].pop(0).sha256)
            expected = {name: entries for name, entries in expected.items() if entries}
        else:
            writer.rename(name, f"renamed {step}")
            expected[f"renamed {step}"] = expected.pop(name)
        if random.random() < 0.6:  # several changes at once, too
            check(reader.snapshot(), expected)
    check(reader.snapshot(), expected)
    check(opened(tmp_path / "g.db").snapshot(), expected)
    assert len(expected) > 5


def test_a_snapshot_is_read_only_and_outlives_changes(gallery: Gallery, photo: Photo) -> None:
    entries = [photo() for _ in range(40)]
    gallery.enrol("Ada", entries[:20], by="me")
    old = gallery.snapshot()
    templates = old.templates.copy()
    gallery.enrol("Bob", entries[20:], by="me")
    gallery.snapshot()
    gallery.remove("Ada")
    new = gallery.snapshot()
    np.testing.assert_array_equal(old.templates, templates)
    assert (old.names, new.names) == (("Ada",), ("Bob",))
    with pytest.raises(ValueError, match="read-only"):
        old.templates[0] = 0
    assert gallery.snapshot() is new
    np.testing.assert_allclose(new.squares, 1, rtol=1e-6)
