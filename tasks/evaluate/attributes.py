"""Slices by the attributes that a source such as CelebA states for its photos: age, hat, glasses and hair."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from facenet.errors import DataInvalid
from facenet.evaluation.thresholds import Flags

# By CelebA's name of the attribute: the name of the slice, and what its parts say about the photos of a pair.
SLICES = {
    "Young": ("age", "young"),
    "Wearing_Hat": ("hat", "with a hat"),
    "Eyeglasses": ("glasses", "with glasses"),
    "Bald": ("bald", "bald"),
    "Bangs": ("bangs", "with bangs"),
    "Black_Hair": ("black hair", "with black hair"),
    "Blond_Hair": ("blond hair", "with blond hair"),
    "Brown_Hair": ("brown hair", "with brown hair"),
    "Gray_Hair": ("grey hair", "with grey hair"),
    "Receding_Hairline": ("receding hairline", "with a receding hairline"),
    "Straight_Hair": ("straight hair", "with straight hair"),
    "Wavy_Hair": ("wavy hair", "with wavy hair"),
}
COUNTS = {2: "both", 1: "one", 0: "neither"}  # of the photos of a pair


def read_attributes(path: Path) -> pd.DataFrame:
    """Return one row per photo with attributes, indexed by image_id: 1.0 yes, 0.0 no, NaN unknown.

    The columns are those attributes of SLICES that a source states, in that order.

    Raises:
        DataInvalid: the file is missing.
    """
    if not path.exists():
        raise DataInvalid(f"{path} does not exist. Run `dvc repro ingest`.")
    columns = [name for name in SLICES if name in pq.read_schema(path).names]
    return pd.read_parquet(path, columns=["image_id", *columns]).set_index("image_id").astype(np.float64)


def attribute_parts(left: pd.DataFrame, right: pd.DataFrame) -> Iterator[tuple[str, str, Flags]]:
    """Yield slice, part and its (P,) members for the attributes of the left and right photos of P pairs.

    A pair is `unknown` if either photo has no value; an attribute that is unknown for all pairs has no slice.
    """
    for name in left.columns:
        kind, words = SLICES[name]
        count = left[name].to_numpy() + right[name].to_numpy()
        unknown = np.isnan(count)
        if unknown.all():
            continue
        for photos, quantity in COUNTS.items():
            yield kind, f"{quantity} {words}", np.asarray(count == photos)
        yield kind, "unknown", unknown
