"""SIGKILL of a gallery's writers, under readers: every acknowledged enrolment is there once, and whole."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from faults.cluster import cluster
from faults.errors import FaultFound, NotPossible
from faults.gallery_work import Log, check, open_gallery, photos_of
from faults.project import ROOT

WRITERS, READERS, SECONDS, KILL_EVERY = 4, 8, 60.0, 5.0
START_SECONDS = 120.0


def run(folder: Path) -> None:
    """Try both databases, PostgreSQL if it is installed."""
    (folder / "sqlite").mkdir()
    path = folder / "sqlite" / "gallery.db"
    disturb(str(path), folder / "sqlite-logs")
    with closing(sqlite3.connect(path)) as connection:
        ((state,),) = connection.execute("PRAGMA integrity_check")
    if state != "ok":
        raise FaultFound(f"the database is damaged: {state}")
    _expect_erased(folder / "sqlite", folder / "sqlite-logs")
    try:
        with cluster() as server:
            disturb(server.url, folder / "postgresql-logs")
            _expect_erased(server.data, folder / "postgresql-logs")
    except NotPossible as reason:
        print(f"   not tried on PostgreSQL: {reason}")


def disturb(
    url: str,
    logs: Path,
    *,
    writers: int = WRITERS,
    readers: int = READERS,
    seconds: float = SECONDS,
    every: float = KILL_EVERY,
) -> None:
    """Let writers and readers work, kill a writer now and then and start it again, and check the gallery.

    Raises:
        FaultFound: a process ended with an error, a reader saw a part of a person, or see `check`.
    """
    logs.mkdir()
    open_gallery(url).close()
    kills = 0
    with _processes(url, logs, writers, readers) as processes:
        _wait_for_work(processes, logs)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > every:
            time.sleep(min(every, left))
            _expect_running(processes, logs)
            name = f"writer{kills % writers}"
            processes[name].send_signal(signal.SIGKILL)
            processes[name].wait()
            kills += 1
            processes[name] = _start(name, url, logs)
        time.sleep(max(0.0, end - time.monotonic()))
        _expect_running(processes, logs)
    written = [Log(logs / f"writer{number}.log") for number in range(writers)]
    seen = [Log(logs / f"reader{number}.log") for number in range(readers)]
    if half := set[str]().union(*(log.names("half") | log.names("lost") for log in seen)):
        raise FaultFound(f"readers saw a part of {sorted(half)[:5]}")
    people, removed = check(url, written)
    reads = sum(len(log.lines()) for log in seen)
    unfinished = sum(len(log.unfinished()) for log in written)
    if not people or not reads:
        raise FaultFound(f"nothing was tried: {people} people, {reads} reads")
    print(
        f"   {url.partition(':')[0] if '://' in url else 'sqlite'}: {kills} kills, {people} people enrolled, "
        f"{removed} removed, {unfinished} cut off at the end, {reads} reads: nothing lost, doubled or halved"
    )


@contextmanager
def _processes(
    url: str, logs: Path, writers: int, readers: int
) -> Iterator[dict[str, "subprocess.Popen[bytes]"]]:
    names = [f"writer{number}" for number in range(writers)] + [
        f"reader{number}" for number in range(readers)
    ]
    processes = {name: _start(name, url, logs) for name in names}
    try:
        yield processes
    finally:
        for process in processes.values():
            process.kill()
        for process in processes.values():
            process.wait()


def _start(name: str, url: str, logs: Path) -> "subprocess.Popen[bytes]":
    role = "write" if name.startswith("writer") else "read"
    command = [sys.executable, "-m", "faults.gallery_work", role, url, str(logs / f"{name}.log")]
    with (logs / f"{name}.errors").open("ab") as errors:
        return subprocess.Popen(command, cwd=ROOT, stderr=errors)


def _wait_for_work(processes: dict[str, "subprocess.Popen[bytes]"], logs: Path) -> None:
    """Wait until everybody has written or read once: starting takes seconds on a busy machine."""
    deadline = time.monotonic() + START_SECONDS
    done = {"writer": "end enrol", "reader": "read"}
    while not all(Log(logs / f"{name}.log").names(done[name[:6]]) for name in processes):
        _expect_running(processes, logs)
        if time.monotonic() > deadline:
            raise FaultFound(f"not everybody has begun to work in {START_SECONDS:.0f} s")
        time.sleep(0.1)


def _expect_running(processes: dict[str, "subprocess.Popen[bytes]"], logs: Path) -> None:
    for name, process in processes.items():
        if process.poll() is not None:
            raise FaultFound(
                f"{name} ended with {process.returncode}: {(logs / f'{name}.errors').read_text()}"
            )


def _expect_erased(store: Path, logs: Path) -> None:
    """Check that no file of a store has the name, photos or templates of those who were removed."""
    removed = {name for path in sorted(logs.glob("writer*.log")) for name in Log(path).names("end remove")}
    traces = {name.encode(): name for name in removed}
    for name in removed:
        traces |= {entry.template.tobytes(): name for entry in photos_of(name)}
        traces |= {entry.photo or b"": name for entry in photos_of(name)}
    files = [path for path in store.rglob("*") if path.is_file()]
    for content in (path.read_bytes() for path in files):
        if left := {name for trace, name in traces.items() if trace in content}:
            raise FaultFound(f"content of removed people is left in {store}: {sorted(left)[:5]}")
    print(f"   no content of {len(removed)} removed people in {len(files)} files")
