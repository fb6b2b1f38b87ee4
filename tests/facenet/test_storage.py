"""Real write failures: full disks, missing permissions, and folders in the place of files."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from facenet.atomic import atomic_path, write_text
from facenet.errors import StorageFailed
from facenet.storage import explain, explain_write, named
from tests.disks import small_disk


def write_arrow(path: Path) -> None:
    schema = pa.schema({"a": pa.int64()})
    with pa.ipc.new_file(path, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_pydict({"a": list(range(10**5))}, schema))


NOISE = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
WRITERS: dict[str, Callable[[Path], object]] = {
    "bytes": lambda path: path.write_bytes(bytes(10**6)),
    "torch": lambda path: torch.save({"a": torch.zeros(10**6)}, path),
    "arrow": write_arrow,
    "parquet": lambda path: pd.DataFrame({"a": range(10**5)}).to_parquet(path),
    "image": lambda path: Image.fromarray(NOISE).save(path, "PNG"),
}


def write_to_full_device(path: Path, write: Callable[[Path], object]) -> None:
    with atomic_path(path) as temporary:
        temporary.symlink_to("/dev/full")
        write(temporary)


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_named_whatever_writes(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    write_text(path, "old")
    with pytest.raises(StorageFailed, match=rf"^{path}: the disk is full\. Free some space"):
        write_to_full_device(path, WRITERS[name])
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", [*WRITERS, "safetensors"])
def test_a_small_disk_runs_full(tmp_path: Path, name: str) -> None:
    write = {**WRITERS, "safetensors": lambda p: save_file({"a": torch.zeros(10**6)}, p)}[name]
    with small_disk(tmp_path / "disk", 256) as folder:
        path = folder / "file"
        write_text(path, "old")
        with (
            pytest.raises(StorageFailed, match=rf"^{path}: the disk is full"),
            atomic_path(path) as temporary,
        ):
            write(temporary)
        assert path.read_text() == "old"
        assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize("name", [*WRITERS, "safetensors"])
def test_a_folder_without_write_permission(tmp_path: Path, name: str, as_nobody: None) -> None:
    write = {**WRITERS, "safetensors": lambda p: save_file({"a": torch.zeros(10)}, p)}[name]
    folder = tmp_path / "locked"
    with pytest.raises(StorageFailed, match=r"locked/file: permission denied\."):  # noqa: SIM117
        with atomic_path(folder / "file") as temporary:
            write(temporary)


@pytest.fixture
def as_nobody(tmp_path: Path) -> Iterator[None]:
    """Run the test as an ordinary user, with a read-only folder owned by root."""
    (tmp_path / "locked").mkdir(mode=0o555)
    if os.geteuid():
        yield
        return
    opened = [folder for folder in (tmp_path, *tmp_path.parents) if folder.stat().st_mode & 0o005 != 0o005]
    modes = [folder.stat().st_mode & 0o777 for folder in opened]
    for folder in opened:
        folder.chmod(0o755)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        for folder, mode in zip(opened, modes, strict=True):
            folder.chmod(mode)


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "report.json" / "inside").mkdir(parents=True)
    with pytest.raises(
        StorageFailed, match=r"report\.json: this is a folder, but a file is needed here\. Move"
    ):
        write_text(tmp_path / "report.json", "{}")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.parametrize("inner", ["reports", "reports/deep"])
def test_a_file_in_the_place_of_a_folder(tmp_path: Path, inner: str) -> None:
    (tmp_path / "reports").touch()
    with pytest.raises(StorageFailed, match=r"/reports.*: a file is where a folder is needed\. Move it away"):
        write_text(tmp_path / inner / "train.json", "{}")


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="the name is too long"):
        write_text(tmp_path / ("x" * 300), "")


def test_an_error_about_another_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    with (
        pytest.raises(StorageFailed, match=r"/source: this is a folder"),
        atomic_path(tmp_path / "t"),
    ):
        (tmp_path / "source").read_bytes()


@pytest.mark.parametrize(
    "error",
    [ValueError("wrong shape"), RuntimeError("CUDA out of memory"), OSError("no number"), KeyError(28)],
)
def test_other_errors_are_not_explained(tmp_path: Path, error: Exception) -> None:
    assert explain_write(error, tmp_path / "file", tmp_path / "temporary") is None
    with pytest.raises(type(error)), atomic_path(tmp_path / "file"):
        raise error


def test_a_writer_that_fails_for_an_unknown_reason_is_reported_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "temporary").touch()
    error = RuntimeError("basic_ios::clear: iostream error")
    failure = explain_write(error, tmp_path / "last.pt", tmp_path / "temporary")
    assert str(failure).startswith(f"{tmp_path / 'last.pt'} cannot be written: basic_ios::clear")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO])
def test_each_cause_names_file_and_fix(number: int) -> None:
    failure = explain(OSError(number, "in the words of the system", "reports/a.json"))
    assert failure is not None
    assert str(failure).startswith("reports/a.json: ")
    assert str(failure).count(". ") == 1
    assert explain(FileNotFoundError(errno.ENOENT, "not there", "x")) is None


def test_an_error_without_a_file_gets_a_name_and_others_stay(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageFailed, match=r"faces\.arrow: the disk is full\. Free"),
        named(Path("faces.arrow")),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    for error in (
        OSError(errno.ENOSPC, "No space", "other"),
        ConnectionResetError(errno.ECONNRESET, "reset"),
    ):
        with pytest.raises(type(error)) as caught, named(Path("faces.arrow")):
            raise error
        assert caught.value is error
