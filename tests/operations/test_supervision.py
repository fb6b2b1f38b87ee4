"""The supervisor's configuration is what supervisor itself reads, and holds no secret of a server."""

import configparser
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from supervisor.options import ServerOptions

from operations import supervision
from operations.errors import ServicesFailed
from operations.folder import write_private
from operations.programs import programs
from operations.stack import Stack
from operations.supervision import Supervisor, configuration, identity
from tests.servers import free_port


def read(stack: Stack) -> Any:
    """Return the options that supervisor reads from the configuration."""
    write_private(stack.folder.supervisor, configuration(programs(stack), stack))
    options = ServerOptions()
    options.realize(["--configuration", str(stack.folder.supervisor)])
    return options


def test_supervisor_reads_the_programs_in_the_order_of_their_start(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(database="postgresql", s3=True, serve=True, control_port=4444)
    options = read(stack)
    groups = sorted(options.process_group_configs, key=lambda group: group.priority)
    expected = ["postgresql", "s3", "prefect", "mlflow", "worker", "model-a", "model-b", "champion"]
    assert [group.name for group in groups] == expected
    assert options.identifier == identity(stack.folder)
    (server,) = options.server_configs
    assert (server["host"], server["port"], server["password"]) == ("127.0.0.1", 4444, stack.secrets.control)
    for group in groups:
        (process,) = group.process_configs
        assert process.command.endswith(f'" -m operations run {group.name}')
        assert process.autorestart.__name__ == "RestartUnconditionally"
        assert process.stdout_logfile == str(stack.folder.log(group.name))
        assert (process.stdout_logfile_maxbytes, process.stdout_logfile_backups) == (10 * 1024 * 1024, 5)
        assert process.startsecs == 10  # so that a server that fails in its imports is not restarted at once
        assert process.autostart == (group.name != "model-b")


@pytest.mark.parametrize("python", ["/ünï cödé/100%/bin/python", '/a"b\\c/python'])
def test_any_path_of_python_is_quoted(
    make_stack: Callable[..., Stack], python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shlex

    monkeypatch.setattr(sys, "executable", python)
    (process,) = read(make_stack()).process_group_configs[0].process_configs
    assert shlex.split(process.command) == [python, "-m", "operations", "run", process.name]


def test_only_the_supervisors_own_password_is_in_it(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(database="postgresql", auth=True, s3=True, serve=True)
    text = configuration(programs(stack), stack)
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    found = [name for name, secret in asdict(stack.secrets).items() if secret in text]
    assert found == ["control"]


def test_a_busy_supervisor_is_not_taken_for_a_dead_one(
    make_stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "SECONDS", 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        with pytest.raises(ServicesFailed, match=f"port {port} does not answer"):
            Supervisor(make_stack(control_port=port)).runs()


def test_a_supervisor_that_does_not_run_is_not_ours(make_stack: Callable[..., Stack]) -> None:
    assert Supervisor(make_stack(control_port=free_port())).runs() is False
