"""An exported graph that is ready to run."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Loaded(NamedTuple):
    """An embedder and the metadata of its file, values as JSON.

    run: maps faces uint8 (n, S, S, 3) to embeddings float32 (n, E); safe to call from several threads.
    """

    run: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
    metadata: Mapping[str, str]
