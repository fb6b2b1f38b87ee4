"""The supervisor: its configuration, its start, and requests to it over XML-RPC."""

import hashlib
import http.client
import os
import subprocess
import sys
import time
import xmlrpc.client
from typing import Any

from operations.errors import ServicesFailed
from operations.folder import MARKER, Folder, write_private
from operations.programs import Program
from operations.settings import LOOPBACK
from operations.stack import Stack

USER = "facenet"
SECONDS, STOP_POLL_SECONDS = 10.0, 0.1
LOG_SIZE, LOG_COPIES = "10MB", 5
# A server that ends within START_SECONDS is started again after 1, 2, 3, ... seconds, for over an hour.
START_SECONDS, RETRIES = 10, 100

CONTROL = """\
; Written by `make up`; changes are lost.
[supervisord]
identifier={identity}
logfile=%(here)s/logs/supervisor.log
logfile_maxbytes={size}
logfile_backups={copies}
pidfile=%(here)s/supervisord.pid
minfds=256

[inet_http_server]
port={host}:{port}
username={user}
password={password}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
PROGRAM = """
[program:{name}]
command={command}
priority={priority}
autostart={autostart}
autorestart=true
startsecs={start}
startretries={retries}
stopsignal={signal}
stopwaitsecs={seconds}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile=%(here)s/logs/{name}.log
stdout_logfile_maxbytes={size}
stdout_logfile_backups={copies}
"""


def configuration(programs: list[Program], stack: Stack) -> str:
    """Return supervisord.conf: the programs in the order of their start, and ended in the reverse order.

    Each command is `python -m operations run NAME`, which becomes the server: its real command and its
    environment, with passwords, are not in this file, nor is the path of the folder.
    """
    python = sys.executable.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    text = CONTROL.format(
        identity=identity(stack.folder),
        host=LOOPBACK,
        port=stack.settings.control_port,
        user=USER,
        password=stack.secrets.control,
        size=LOG_SIZE,
        copies=LOG_COPIES,
    )
    for place, program in enumerate(programs):
        text += PROGRAM.format(
            name=program.name,
            command=f'"{python}" -m operations run {program.name}',
            priority=(place + 1) * 10,
            autostart=str(program.autostart).lower(),
            start=START_SECONDS,
            retries=RETRIES,
            signal=program.stop_signal,
            seconds=program.stop_seconds,
            size=LOG_SIZE,
            copies=LOG_COPIES,
        )
    return text


def identity(folder: Folder) -> str:
    """Return the name of the supervisor of a folder."""
    return f"facenet-{hashlib.sha256(os.fsencode(folder.path)).hexdigest()[:12]}"


def start(programs: list[Program], stack: Stack) -> None:
    """Write the configuration and start the supervisor as a daemon, which starts the programs.

    Raises:
        ServicesFailed: it did not start.
    """
    write_private(stack.folder.supervisor, configuration(programs, stack))
    done = subprocess.run(
        [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(stack.folder.supervisor)],
        cwd=stack.settings.workspace,
        env={**os.environ, MARKER: str(stack.folder.path), "FACENET_SERVICES": str(stack.folder.path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ServicesFailed(f"The supervisor did not start: {(done.stdout + done.stderr).strip()[-500:]}")


class Supervisor:
    """Requests to the running supervisor of a folder."""

    def __init__(self, stack: Stack) -> None:
        address = f"http://{USER}:{stack.secrets.control}@{LOOPBACK}:{stack.settings.control_port}/RPC2"
        self._remote: Any = xmlrpc.client.ServerProxy(address, transport=_Transport()).supervisor
        self._identity, self._port = identity(stack.folder), stack.settings.control_port

    def runs(self) -> bool:
        """Return whether the supervisor of this folder answers.

        Raises:
            ServicesFailed: something listens on its port and does not answer; it may be a busy supervisor.
        """
        try:
            return bool(self._remote.getIdentification() == self._identity)
        except TimeoutError as error:
            raise ServicesFailed(
                f"What listens on port {self._port} does not answer within {SECONDS:.0f} s. Try again."
            ) from error
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return False

    def states(self) -> dict[str, dict[str, Any]]:
        """Return what is known of each program: `statename`, `pid`, `start`, `now`, `spawnerr`."""
        return {state["name"]: state for state in self._remote.getAllProcessInfo()}

    def pid(self) -> int:
        """Return the supervisor's process."""
        return int(self._remote.getPID())

    def start(self, name: str) -> None:
        """Start a program that does not run, without waiting for it."""
        self._remote.startProcess(name, False)

    def stop(self, name: str) -> None:
        """Stop a program, and wait until it has ended; do nothing if it does not run."""
        try:
            self._remote.stopProcess(name, False)
        except xmlrpc.client.Fault as fault:
            if "NOT_RUNNING" not in fault.faultString:
                raise
        while self.states()[name]["statename"] == "STOPPING":  # until it is killed
            time.sleep(STOP_POLL_SECONDS)

    def shut_down(self) -> None:
        """Ask it to end all programs, the last started first, and then itself."""
        self._remote.shutdown()


class _Transport(xmlrpc.client.Transport):
    """The standard transport, which by default would wait for ever and leave its connection open."""

    def single_request(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super().single_request(*arguments, **options)
        finally:
            self.close()

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = super().make_connection(host)
        connection.timeout = SECONDS
        return connection
