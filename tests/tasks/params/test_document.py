"""The bytes of params.yaml: encodings, and YAML that PyYAML would crash on or read silently."""

import subprocess
import sys
from pathlib import Path

import pytest

from facenet.errors import ParamsInvalid
from tasks.params import parse_params
from tasks.params.document import decode, load, read_text
from tests.tasks.params.changed import DEFAULT


def test_utf_8_with_and_without_a_byte_order_mark() -> None:
    for content in (DEFAULT.encode(), DEFAULT.encode("utf-8-sig")):
        assert parse_params(decode(content)) == parse_params(DEFAULT)


def test_a_byte_order_mark_is_read_by_dvc_too(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes(b"\xef\xbb\xbfbase: {seed: 7}\n")
    (tmp_path / "dvc.yaml").write_text("stages: {s: {cmd: 'true', params: [base.seed]}}\n")
    for command in (["init", "--no-scm", "--quiet"], ["repro", "--quiet"]):
        subprocess.run([sys.executable, "-m", "dvc", *command], cwd=tmp_path, check=True)
    assert "base.seed: 7" in (tmp_path / "dvc.lock").read_text()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_by_name(encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    with pytest.raises(ParamsInvalid, match=r"params\.yaml is encoded in UTF-16\. Save it as UTF-8\."):
        decode(mark + DEFAULT.encode(encoding))


def test_latin_1_is_refused_with_its_line() -> None:
    content = "base:\n  seed: 1\n# Größe\n".encode("latin-1")
    with pytest.raises(ParamsInvalid, match=r"not encoded in UTF-8: byte 0xf6 in line 3\. Save it as UTF-8"):
        decode(content)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 2024-02-30", r"2024-02-30 is not a date: .*Quote it to make it a string\n.*line 1, column 4"),
        ("x: 1\na: 2024-13-01T10:00:00", r"is not a date: .*\n.*line 2"),
        ("a: !!timestamp foo", "not valid YAML"),
        ("a: 1\nb: {c: 1, c: 2}", r"the key 'c' occurs twice\n.*line 2, column 11"),
        ("a: 1\na: 2", r"the key 'a' occurs twice\n.*line 2, column 1"),
        ("a: [", r"not valid YAML: (?s:.*)line 1"),
        ("? [a]\n: 1", "not valid YAML"),
        ("a: !!int x", "not valid YAML: invalid literal"),
        ("a: !!python/object:os.system x", "could not determine a constructor"),
        ("a: \x07", "special characters are not allowed"),
        ("[" * 5000, "not valid YAML"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ParamsInvalid, match=message) as raised:
        load(text)
    assert str(raised.value).startswith("params.yaml is not valid YAML: ")


def test_dates_that_exist_and_merge_keys_still_work() -> None:
    assert str(load("a: 2024-02-29")["a"]) == "2024-02-29"
    assert load("a: &x {b: 1}\nc: {<<: *x, d: 2}")["c"] == {"b": 1, "d": 2}


def test_a_missing_file_a_folder_and_a_file_in_the_way_are_named(tmp_path: Path) -> None:
    with pytest.raises(ParamsInvalid, match=r"no .*nothing\.yaml in .*Run from the root"):
        read_text(tmp_path / "nothing.yaml")
    with pytest.raises(ParamsInvalid, match=r"cannot be read: Is a directory\."):
        read_text(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ParamsInvalid, match=r"cannot be read: Not a directory\."):
        read_text(tmp_path / "file" / "params.yaml")
