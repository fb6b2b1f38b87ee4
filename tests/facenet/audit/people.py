"""Vectors of people made by a generator: those of one person have a cosine of about 0.7."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]

SIZE = 64
SPREAD = 0.65  # length of the noise, next to a centre of length 1


def people(counts: list[int], *, seed: int = 0) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.str_]]:
    """Return vectors (N, 64) of people with so many faces each, and their names p000, p001, ..."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(len(counts), SIZE))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    owners = np.repeat(np.arange(len(counts)), counts)
    noise = rng.normal(size=(len(owners), SIZE)) * SPREAD / np.sqrt(SIZE)
    vectors = (centres[owners] + noise).astype(np.float32)
    return vectors, np.array([f"p{owner:03}" for owner in owners], "<U16")
