"""The registered version that a URI names."""

from facenet.errors import SourceInvalid
from facenet.registry import parse_uri
from tasks.tracking.registry import Version, aliased_version, aliases, get_version


def resolve_version(uri: str) -> Version:
    """Return the version that models:/NAME@ALIAS or models:/NAME/VERSION names.

    Raises:
        SourceInvalid: the URI has another form, or the registry has no such version.
        TrackingFailed: the server cannot be reached or rejected a request.
    """
    model, alias, number = parse_uri(uri)
    version = aliased_version(model, alias) if alias else get_version(model, number)
    if version is None:
        known = ", ".join(aliases(model)) or "none"
        raise SourceInvalid(
            f"The registry has no {uri}; the aliases of {model} are: {known}. Run `dvc repro register`."
        )
    return version
