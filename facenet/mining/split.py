"""Split a data set into training and validation: by people, or by the images of each person."""

import hashlib
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def split_identities(identities: Sequence[str], fraction: float, seed: int) -> set[str]:
    """Return the `fraction` of people for validation: those with the smallest sha256 of seed and name.

    A person's rank does not depend on the others, so that adding people moves few existing ones.
    """
    ranked = sorted(identities, key=lambda name: _rank(seed, name))
    return set(ranked[: int(fraction * len(ranked) + 0.5)])


def split_images(
    image_ids: Sequence[str], labels: npt.NDArray[np.int64], fraction: float, seed: int
) -> npt.NDArray[np.bool_]:
    """Return which of N images are for validation: the `fraction` of each person's images, rounded up.

    At least one image of a person is left to train on, so a person with one image has none for validation.
    davidsandberg/facenet's SPLIT_IMAGES can leave such a person without a training image. The images with
    the smallest sha256 of seed and id are chosen, as in `split_identities`.

    Args:
        image_ids: N different names of images.
        labels: (N,) person of each image.
        fraction: 0 to 1.
        seed: of the choice.
    """
    order = sorted(range(len(labels)), key=lambda row: _rank(seed, image_ids[row]))
    _, person, counts = np.unique(labels, return_inverse=True, return_counts=True)
    wanted = [min(math.ceil(count * fraction - 1e-9), count - 1) for count in counts.tolist()]
    chosen = np.zeros(len(labels), dtype=np.bool_)
    for row in order:
        if wanted[person[row]] > 0:
            wanted[person[row]] -= 1
            chosen[row] = True
    return chosen


def _rank(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}/{name}".encode()).digest()
