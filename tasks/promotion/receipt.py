"""The receipt of the stage register and the registry: DVC restores the receipt, but not what it names."""

from pathlib import Path

from facenet.errors import DataInvalid
from tasks import paths
from tasks.reports import read_report
from tasks.tracking.registry import CHALLENGER, Version, get_version, standing


def registered_version(receipt: Path) -> Version | None:
    """Return the version in a receipt; None without a valid receipt, or if this server has no such version.

    The digest has to agree as well: a new server counts versions from 1 again.
    """
    stated = _stated(receipt)
    version = stated and get_version(stated[0], stated[1])
    return version if stated and version and version.tags.get("digest") == stated[2] else None


def is_challenger(receipt: Path | None = None) -> bool:
    """Return whether the version in the receipt is registered and has the alias `challenger`.

    Otherwise the stage register has to run.
    """
    stated = _stated(receipt or paths.report("register"))
    found = stated and standing(stated[0], stated[1])
    if not stated or not found:
        return False
    tags, aliases = found
    return tags.get("digest") == stated[2] and CHALLENGER in aliases


def _stated(receipt: Path) -> tuple[str, int, str] | None:
    """Return model, version and digest of a receipt, None if it is missing or damaged."""
    try:
        stated = read_report(receipt)
        return stated["model"], int(stated["version"]), stated["digest"]
    except (DataInvalid, KeyError, TypeError, ValueError):
        return None
