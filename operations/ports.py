"""Whether the ports of the servers are free."""

import socket

from operations.errors import PortTaken
from operations.settings import LOOPBACK, Settings, option_of, variable


def check_free(settings: Settings) -> None:
    """Check that nothing listens on the ports of the servers.

    Raises:
        PortTaken: naming the port, and the option and the variable that choose another.
    """
    for name, ports in settings.ports().items():
        for port in ports:
            if not is_free(port):
                raise PortTaken(
                    f"Port {port} is used by another program, so that {name.removesuffix('_port')} cannot "
                    f"start. Choose another: {option_of(name)} N, or {variable(name)}=N."
                )


def is_free(port: int) -> bool:
    """Return whether a server can listen on a port of this machine."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that ended do not count
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
