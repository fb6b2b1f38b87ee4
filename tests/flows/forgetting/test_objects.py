import json
import os
from pathlib import Path

from flows.forgetting.objects import Entry, Store, Verdicts, entry, listings, run_cache, scratch
from tasks.forgetting.inspection import Inspection
from tasks.forgetting.person import Person
from tests.portraits import orl

A, B, C, D = (letter * 32 for letter in "abcd")


def _store(folder: Path) -> Store:
    from dvc.fs import LocalFileSystem

    return Store(lambda: (LocalFileSystem(), str(folder)), folder)


def _object(folder: Path, digest: str, data: bytes) -> None:
    path = folder / "files" / "md5" / digest[:2] / digest[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_objects_of_both_layouts_and_runs_are_listed_and_nothing_else(tmp_path: Path) -> None:
    assert _store(tmp_path / "gone").objects == {}
    _object(tmp_path, A, b"1")
    _object(tmp_path, f"{B}.dir", b"[]")
    (tmp_path / C[:2]).mkdir()
    (tmp_path / C[:2] / C[2:]).write_bytes(b"of DVC 2")
    (tmp_path / "runs" / "ab" / "abc").mkdir(parents=True)
    text = f"deps: [{{md5: {A}}}]\nouts: [{{md5: {B}.dir}}, {{path: x}}]"
    (tmp_path / "runs" / "ab" / "abc" / "def").write_text(text)
    (tmp_path / "README").touch()
    store = _store(tmp_path)
    assert list(store.objects) == [A, f"{B}.dir", C]
    (found,) = run_cache(store)
    assert (found.deps, found.outs) == ({A}, {f"{B}.dir"})
    store.remove(store.objects[A])
    store.remove(found.path)
    store.remove(found.path)  # again, after an interruption
    assert list(store.objects) == [f"{B}.dir", C]
    assert store.runs == []


def test_a_damaged_entry_names_nothing() -> None:
    for text in (b"", b"{", b"[]", b"deps: 3", b"outs: [3]"):
        assert entry("x", text) == Entry("x", frozenset(), frozenset())


def test_verdicts_follow_folders_and_what_a_picture_was_drawn_from(tmp_path: Path) -> None:
    person = Person()
    photo = os.urandom(3000)
    person.add_photo(photo)
    orl(1).save(tmp_path / "p.png")
    picture = (tmp_path / "p.png").read_bytes()
    _object(tmp_path, A, b"shard" + photo)
    _object(tmp_path, "1" * 32, b"clean")
    _object(tmp_path, f"{A}.dir", f'[{{"md5": "{A}", "relpath": "faces"}}]'.encode())
    for digest in (B, C, D):
        _object(tmp_path, digest, picture)
    store = _store(tmp_path)
    verdicts = Verdicts(Inspection(person))
    verdicts.judge(store)
    assert (verdicts.held, verdicts.pictures) == ({A}, {B, C, D})
    verdicts.judge_listed(listings(store))
    of_ours = Entry("1", frozenset({f"{A}.dir"}), frozenset({B}))
    of_others = Entry("2", frozenset({"1" * 32}), frozenset({C}))
    verdicts.judge_pictures([of_ours, of_others], [])
    assert verdicts.held == {A, f"{A}.dir", B, D}  # nobody knows what D was drawn from
    assert verdicts.clean - verdicts.held == {"1" * 32}


def test_objects_of_a_remote_are_downloaded_one_at_a_time(tmp_path: Path) -> None:
    from dvc.fs import MemoryFileSystem

    system = MemoryFileSystem(global_store=False)
    system.makedirs(f"/remote/files/md5/{A[:2]}")
    with system.open(f"/remote/files/md5/{A[:2]}/{A[2:]}", "wb") as file:
        file.write(b"far away")
    with scratch() as folder:
        store = Store(lambda: (system, "/remote"), Path(folder))
        assert store.local(store.objects[A]).read_bytes() == b"far away"
        assert [path.name for path in Path(folder).iterdir()] == ["object"]


def test_photos_in_folders_are_no_plots_and_go_by_the_name_of_the_folder(tmp_path: Path) -> None:
    for number, digest in enumerate((A, B, C), 1):
        orl(number).save(tmp_path / "p.png")
        _object(tmp_path, digest, (tmp_path / "p.png").read_bytes())
    paths = {A: "Ada/1.png", B: "Bob/1.png", C: "Ada/2.png"}
    listed = json.dumps([{"md5": digest, "relpath": path} for digest, path in paths.items()])
    _object(tmp_path, f"{D}.dir", listed.encode())
    moved = json.dumps([{"md5": C, "relpath": "Bob/2.png"}])  # whose photo it is was corrected
    _object(tmp_path, f"{C}.dir", moved.encode())
    store = _store(tmp_path)
    verdicts = Verdicts(Inspection(Person(identities={"Ada"})))
    verdicts.judge(store)
    assert verdicts.pictures == {A, B, C}
    verdicts.judge_listed(listings(store))
    verdicts.judge_pictures([], [])
    assert verdicts.held == {A, f"{D}.dir"}
    assert verdicts.clean == {B, C, f"{C}.dir"}


def test_a_photo_of_dvc_add_is_no_plot(tmp_path: Path) -> None:
    orl(1).save(tmp_path / "p.png")
    _object(tmp_path, A, (tmp_path / "p.png").read_bytes())
    verdicts = Verdicts(Inspection(Person(identities={"Ada"})))
    verdicts.judge(_store(tmp_path))
    verdicts.judge_pictures([], [A])
    assert verdicts.held == set()
