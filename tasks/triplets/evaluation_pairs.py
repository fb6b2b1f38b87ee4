"""The evaluation pairs as rows of faces, for evaluation during training."""

from collections.abc import Set as AbstractSet
from pathlib import Path

import pandas as pd

from facenet.evaluation.unseen_people import pairs_of_strangers
from facenet.identity import fold_name

SIDES = ("left", "right")


def evaluation_pairs(pairs: Path, faces: pd.DataFrame, trained: AbstractSet[str]) -> pd.DataFrame:
    """Return left, right (rows of faces), same and fold of the pairs with two stored faces.

    Pairs of fold -1 that show `trained` people are excluded from choosing the threshold, unless too few pairs
    would be left.

    pairs: data/raw/pairs.parquet. faces: image_id and identity of every stored face, in order.
    """
    table = pd.read_parquet(pairs)
    row = {image_id: number for number, image_id in enumerate(faces["image_id"])}
    found = {side: table[side].map(row) for side in SIDES}
    complete = found["left"].notna() & found["right"].notna()
    listed = pd.DataFrame({side: found[side][complete].astype("int64") for side in SIDES})
    listed = listed.assign(
        same=table["same"][complete].astype(bool), fold=table["fold"][complete].astype("int32")
    )
    names = {fold_name(name) for name in trained}
    owner = faces["identity"].map(lambda name: fold_name(name) in names).to_numpy(bool)
    trained_pair = owner[listed["left"]] | owner[listed["right"]]
    stay = pairs_of_strangers(listed["same"].to_numpy(), listed["fold"].to_numpy(), trained_pair)
    kept = listed if stay is None else listed[stay]
    return kept.reset_index(drop=True)
