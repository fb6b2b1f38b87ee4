"""The receipt of the stage register and the registry: DVC restores the receipt, but not what it names."""

from pathlib import Path

from facenet.errors import DataInvalid
from tasks import paths
from tasks.reports import read_report
from tasks.tracking.registry import CHALLENGER, Version, get_version


def registered_version(receipt: Path) -> Version | None:
    """Return the version in a receipt; None without a valid receipt, or if this server has no such version.

    The digest has to agree as well: a new server counts versions from 1 again.
    """
    try:
        stated = read_report(receipt)
        model, number, digest = stated["model"], int(stated["version"]), stated["digest"]
    except (DataInvalid, KeyError, TypeError, ValueError):
        return None
    version = get_version(model, number)
    return version if version and version.tags.get("digest") == digest else None


def is_challenger(receipt: Path | None = None) -> bool:
    """Return whether the version in the receipt is registered and has the alias `challenger`.

    Otherwise the stage register has to run.
    """
    version = registered_version(receipt or paths.report("register"))
    return version is not None and CHALLENGER in version.aliases
