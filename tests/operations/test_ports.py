"""A port of somebody else is found before anything is started."""

import socket
from collections.abc import Callable

import pytest

from operations.errors import PortTaken
from operations.ports import check_free
from operations.stack import Stack
from tests.servers import free_port


def test_a_taken_port_is_named_with_what_chooses_another(make_stack: Callable[..., Stack]) -> None:
    first = free_port()
    ports = {"prefect_port": free_port(), "mlflow_port": first, "control_port": free_port()}
    settings = make_stack(**ports).settings
    check_free(settings)
    with socket.socket() as other:
        other.bind(("127.0.0.1", first))
        other.listen()
        with pytest.raises(
            PortTaken, match=f"Port {first} .* mlflow cannot start.*--mlflow-port N, or FACENET_MLFLOW_PORT=N"
        ):
            check_free(settings)
    check_free(settings)
