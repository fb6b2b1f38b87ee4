"""What goes wrong when servers are started, asked or stopped."""

from facenet.errors import FaceNetError


class ServicesFailed(FaceNetError):
    """The servers cannot be started, stopped or changed; the message says which and why."""


class PortTaken(ServicesFailed):
    """A port is used by a program of somebody else."""
