"""One holder at a time, also when a holder dies or is too slow."""

import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from tasks.tracking import registry_lock as module
from tasks.tracking.registry_lock import LockLost, RegistryLock, registry_lock
from tasks.tracking.store import client

pytestmark = pytest.mark.usefixtures("mlflow_store")


def locks() -> list[str]:
    return [model.name for model in client().search_registered_models()]


def leave_behind(host: str, pid: int) -> RegistryLock:
    """Leave the lock of another process."""
    other = RegistryLock("faces")
    client().create_registered_model("faces.lock", {"owner": other.owner, "host": host, "pid": str(pid)})
    return other


def test_a_second_holder_waits_for_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        with registry_lock("faces") as lock:
            inside.append(number)
            lock.check()
            most.append(len(inside))
            inside.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1, 1]
    assert locks() == []


def test_the_lock_of_a_dead_process_on_this_machine_is_taken_over_at_once() -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    other = leave_behind(socket.gethostname(), dead.pid)
    with registry_lock("faces"), pytest.raises(LockLost, match=f"taken over by process {os.getpid()}"):
        other.check()
    assert locks() == []


def test_the_lock_of_another_machine_is_taken_over_after_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEASE_SECONDS", 0.5)
    other = leave_behind("elsewhere", 1)
    begun = time.monotonic()
    with registry_lock("faces"):
        assert time.monotonic() - begun > 0.5
        other.release()  # not its lock any more
        assert "faces.lock" in locks()
    assert locks() == []


def test_who_waits_too_long_is_told_who_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.0)
    leave_behind("elsewhere", 17)
    with pytest.raises(LockLost, match="process 17 on elsewhere"), registry_lock("faces"):
        pass
