"""The stage: aligned faces and evaluation pairs -> training and validation people, training plan.

| plan | file | rows |
|---|---|---|
| images, pk, exemplars, triplets with remine epoch | images.parquet | row of a face, label from 0 |
| triplets | triplets.parquet | anchor, positive, negative: rows of training faces |
| pairs | pairs.parquet | left, right: rows of training faces, same |

It also writes identities.parquet (identity, images, split), validation_pairs.parquet (as pairs), with split
images validation_images.parquet (as images) and, for evaluation during training, evaluation_pairs.parquet (as
pairs, with fold). A row is the number of a face in
the table of data/aligned.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from facenet.atomic import atomic_path, remove_temporaries
from facenet.errors import DataInvalid
from facenet.mining.split import split_identities, split_images
from tasks import paths
from tasks.params.triplets import TripletsParams
from tasks.shards import read_table, shard_paths
from tasks.triplets.evaluation_pairs import evaluation_pairs
from tasks.triplets.plan import Part, make_plan, make_validation_pairs


def run(
    params: TripletsParams,
    *,
    seed: int,
    device: str = "cpu",
    aligned: Path = paths.ALIGNED,
    pairs: Path = paths.PAIRS,
    target: Path = paths.TRIPLETS,
    allow_identity_overlap: bool = False,
    training: bool = True,
    with_evaluation_pairs: bool = False,
) -> dict[str, Any]:
    """Split people or images, write the plan to `target` and return the metrics of the report.

    device: of the model of triplets.embedder.
    training: whether a model will be trained; if not (train.epochs is 0), plan images may be empty.
    with_evaluation_pairs: whether training evaluates on them (train.evaluate_every).

    Raises:
        DataInvalid: fewer than two training people are left, the plan is empty, or an expectation fails.
        SourceInvalid, ParamsInvalid, WeightsInvalid, TrackingFailed: see `mine_with_embedder`.
    """
    faces = _read_faces(aligned)
    evaluated = _evaluation_identities(faces, pairs)
    identities, usable, metrics = _split(faces, params, seed)
    train, validation = _parts(identities, usable, params, seed)
    if training:
        _require_people(params, metrics)
    rng = np.random.default_rng([seed, 0])
    plan, plan_metrics = make_plan(params, train, rng, aligned=aligned, device=device)
    validation_pairs = make_validation_pairs(validation, np.random.default_rng([seed, 1]))
    tables = {"identities": identities, "validation_pairs": validation_pairs, params.table: plan}
    if params.split == "images":
        tables["validation_images"] = pd.DataFrame({"row": validation.rows, "label": validation.labels})
    _validate(tables, set() if allow_identity_overlap else evaluated, list(faces["identity"]))
    if with_evaluation_pairs:
        trained = set(identities["identity"][identities["split"] == "train"])
        tables["evaluation_pairs"] = evaluation_pairs(pairs, faces, trained)
    _write(target, tables)
    return {
        "plan": params.plan,
        **metrics,
        "identities_validation": len(np.unique(validation.labels)),
        "images_train": len(train.rows),
        "images_validation": len(validation.rows),
        "rows": len(plan),
        **plan_metrics,
        "validation_pairs": len(validation_pairs),
        "identities_shared_with_evaluation": len(evaluated & set(identities["identity"])),
    }


def _read_faces(aligned: Path) -> pd.DataFrame:
    if not shard_paths(aligned, "faces"):
        raise DataInvalid(f"There are no faces in {aligned}. Run `dvc repro align`.")
    table = read_table(aligned, "faces", ["image_id", "identity", "role", "fallback"])
    faces: pd.DataFrame = table.to_pandas()
    return faces


def _split(
    faces: pd.DataFrame, params: TripletsParams, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, int]]:
    """Return identities.parquet, the faces usable for training and validation, and the counts."""
    training = faces["role"] == "train"
    usable = faces[training & ~faces["fallback"]]
    fraction = params.validation_fraction if params.split == "people" else 0.0
    images = usable["identity"].value_counts().sort_index()
    kept = images[images >= params.min_images]
    validating = split_identities(list(kept.index), fraction, seed)
    identities = pd.DataFrame({"identity": kept.index, "images": kept.to_numpy()})
    identities["split"] = np.where(identities["identity"].isin(validating), "validation", "train")
    metrics = {
        "identities_train": len(kept) - len(validating),
        "identities_validation": len(validating),
        "identities_dropped": len(images) - len(kept),
        "images_dropped": int(images.sum() - kept.sum()),
        "fallbacks_left_out": int((training & faces["fallback"]).sum()),
    }
    return identities, usable, metrics


def _require_people(params: TripletsParams, metrics: dict[str, int]) -> None:
    left, validating = metrics["identities_train"], metrics["identities_validation"]
    if left < 2:
        raise DataInvalid(
            f"Training needs at least two people, and {'one is' if left else 'none is'} left: "
            f"of {left + validating + metrics['identities_dropped']} people with role train, "
            f"{left + validating} have at least {params.min_images} faces, and {validating} of those are for "
            "validation. "
            "Lower triplets.min_images or triplets.validation_fraction, or add photos in ingest.sources."
        )


def _parts(
    identities: pd.DataFrame, usable: pd.DataFrame, params: TripletsParams, seed: int
) -> tuple[Part, Part]:
    """Return the faces to train on and those to validate on."""
    train = _part(identities, usable, "train")
    if params.split == "people":
        return train, _part(identities, usable, "validation")
    names = usable["image_id"].loc[train.rows.tolist()].tolist()
    held_out = split_images(names, train.labels, params.validation_fraction, seed)
    return (
        Part(train.rows[~held_out], train.labels[~held_out]),
        Part(train.rows[held_out], train.labels[held_out]),
    )


def _part(identities: pd.DataFrame, usable: pd.DataFrame, split: str) -> Part:
    names = pd.Index(identities["identity"][identities["split"] == split])
    labels = names.get_indexer(pd.Index(usable["identity"])).astype(np.int64)
    inside = labels >= 0
    return Part(usable.index.to_numpy(np.int64)[inside], labels[inside])


def _evaluation_identities(faces: pd.DataFrame, pairs: Path) -> set[str]:
    """Return all people in pairs of fold 0 and up, by the names in the pairs and by the photos' people."""
    if not pairs.exists():
        raise DataInvalid(f"There is no {pairs}. Run `dvc repro ingest`.")
    scored = pd.read_parquet(pairs).query("fold >= 0")
    names = {name.rsplit("/", 1)[0] for side in ("left_name", "right_name") for name in scored[side]}
    photos = pd.concat([scored["left"], scored["right"]]).dropna()
    return names | set(faces["identity"][faces["image_id"].isin(photos)])


def _validate(tables: dict[str, pd.DataFrame], evaluated: set[str], row_identities: list[str]) -> None:
    from tasks.expectations import validate_triplets  # Great Expectations takes seconds to import

    identities, validation_pairs, plan, *images = tables.values()
    validate_triplets(identities, plan, evaluated, row_identities=row_identities)
    validating = identities if images else identities[identities["split"] == "validation"]
    for table in (validation_pairs, *images):
        if len(table):
            validate_triplets(validating, table, evaluated, row_identities=row_identities)


def _write(target: Path, tables: dict[str, pd.DataFrame]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    remove_temporaries(target)
    for stale in sorted(set(target.glob("*.parquet")) - {target / f"{name}.parquet" for name in tables}):
        stale.unlink()
    for name, table in tables.items():
        with atomic_path(target / f"{name}.parquet") as temporary:
            rows = pa.Table.from_pandas(table, preserve_index=False)
            pq.write_table(rows.replace_schema_metadata(), temporary)  # it would include pandas' version
