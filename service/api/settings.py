"""What one request, and all requests at once, may cost the server; and where it listens."""

import ipaddress
from dataclasses import dataclass, field

from facenet.cores import cores

MEGABYTE = 2**20
MAX_THREADS = 4  # more would wait for Python's lock
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
WILDCARDS = ("", "0.0.0.0", "::")  # noqa: S104  # compared with, not listened on


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Upper bounds that keep memory independent of what clients send.

    body: bytes of one request's body. bodies: bytes of all bodies in memory at once.
    pixels: of one photo. photos: of one request. faces: of one photo.
    requests: answered or waiting at once. connections: open at once. waiting: photos that wait for the model.
    header_seconds: until the headers of a request are complete. body_seconds: until its body is.
    """

    body: int = 20 * MEGABYTE
    bodies: int = 256 * MEGABYTE
    pixels: int = 25_000_000
    photos: int = 32
    faces: int = 64
    requests: int = 64
    connections: int = 1024
    waiting: int = 256
    header_seconds: float = 10.0
    body_seconds: float = 30.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the server listens, under which names, and what it grants.

    host: a name or address to listen on. port: 0 for a free one.
    allowed_hosts: further names in a request's Host header, such as that of a reverse proxy.
    require_tokens: also on loopback. threads: that run the model.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    allowed_hosts: tuple[str, ...] = ()
    require_tokens: bool = False
    threads: int = field(default_factory=lambda: min(cores(), MAX_THREADS))
    limits: Limits = field(default_factory=Limits)

    @property
    def needs_tokens(self) -> bool:
        """Whether every request needs a token: someone other than this machine's users can send one."""
        return self.require_tokens or not all(map(is_loopback, (self.host, *self.allowed_hosts)))

    @property
    def host_names(self) -> frozenset[str] | None:
        """The names accepted in a Host header, in lower case; None for any.

        Without tokens only loopback names are accepted: a page of another site, whose name an attacker made
        resolve to 127.0.0.1, could otherwise read answers.
        """
        if self.host in WILDCARDS and not self.allowed_hosts:
            return None
        names = (*LOOPBACK_NAMES, self.host, *self.allowed_hosts)
        return frozenset(name.strip("[]").lower() for name in names if name not in WILDCARDS)


def is_loopback(host: str) -> bool:
    """Return whether a name or address can only be reached from this machine."""
    name = host.strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
