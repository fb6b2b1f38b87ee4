"""A scheduler and workers in processes of their own, on loopback."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

from tasks.workers.team import SCHEDULER
from tests.servers import free_port


class DaskProcesses:
    """A scheduler and workers as `dask scheduler` and `dask worker` start them."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder, self._root = folder, root
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.scheduler, self.workers = self._start_all()

    def _start_all(self) -> tuple["subprocess.Popen[bytes]", list["subprocess.Popen[bytes]"]]:
        port = self.address.rsplit(":", 1)[1]
        scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
        worker = ("worker", self.address, "--nthreads", "1", "--no-dashboard")
        return scheduler, [self._start(*worker), self._start(*worker)]

    def kill_scheduler(self) -> None:
        """Kill it; the workers see that and end."""
        self.scheduler.kill()
        self.scheduler.wait()

    def restart(self) -> None:
        """Start everything again at the same address, as a supervisor of services does."""
        self.end()
        self.scheduler, self.workers = self._start_all()

    def _start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        environment = {
            **os.environ,
            "PYTHONPATH": str(self._root),
            "OMP_NUM_THREADS": "1",
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
            "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "False",
        }
        environment.pop(SCHEDULER, None)
        with (self._folder / f"{arguments[0]}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments],
                cwd=self._folder,
                env=environment,
                stdout=log,
                stderr=log,
            )

    def working(self) -> list[psutil.Process]:
        """Return the processes that do the jobs: children of the nannies, which replace them."""
        children = [c for nanny in self.workers for c in psutil.Process(nanny.pid).children(recursive=True)]
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]

    def end(self) -> None:
        for process in [*self.workers, self.scheduler]:
            for child in (
                psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            ):
                child.kill()
            process.kill()
            process.wait()
