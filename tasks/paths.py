"""All paths used in dvc.yaml, defined once, relative to the root of the workspace."""

from pathlib import Path

FORGOTTEN = Path("labels") / "forgotten.csv"  # the receipt of `facenet forget`
DECISIONS = Path("labels") / "decisions.csv"  # of reviewers, applied by ingest
DATA = Path("data")
DOWNLOADS = DATA / "downloads"  # original archives, not an output of any stage
FINGERPRINT = DATA / "fingerprint.json"  # of the sources; ingest runs again when it changes
TRAIN_INPUTS = DATA / "train_inputs.json"  # files that section train names; a change trains again
CACHE = DATA / "cache"  # saves work in later runs, not an output of any stage
RAW = DATA / "raw"  # manifest.parquet, images-*.arrow, pairs.parquet, attributes.parquet
MANIFEST = RAW / "manifest.parquet"
PAIRS = RAW / "pairs.parquet"
ATTRIBUTES = RAW / "attributes.parquet"
ALIGNED = DATA / "aligned"  # faces-*.arrow, rejects.parquet
REJECTS = ALIGNED / "rejects.parquet"
TRIPLETS = DATA / "triplets"  # identities.parquet, triplets.parquet or pairs.parquet
IDENTITIES = TRIPLETS / "identities.parquet"
OUTBOX = DATA / "outbox"  # what MLflow has not received yet, not an output of any stage
EMBEDDINGS = DATA / "embeddings"  # embeddings-0000.arrow

MODELS = Path("models")
WEIGHTS = MODELS / "facenet.safetensors"
MODEL_CARD = MODELS / "model.json"
CALIBRATION = MODELS / "calibration.json"  # written by evaluate, read by the served model
MONITORING = MODELS / "monitoring.json"  # written by evaluate, read by the served model
CHECKPOINTS = MODELS / "checkpoints"  # to resume an interrupted training, not an output

REPORTS = Path("reports")
REPORT_PAGE = REPORTS / "report.html"
DATASET_CARD = REPORTS / "dataset_card.md"
CROISSANT = REPORTS / "dataset_card.json"  # the same for programs
VERSION_CARD = REPORTS / "model_card.md"  # of the registered version
LABEL_AUDIT = REPORTS / "label_audit.parquet"  # not an output of any stage
PARAMS = Path("params.yaml")


def report(stage: str) -> Path:
    """Return the metrics file of a stage; those of evaluate and register have their conventional names."""
    names = {"evaluate": "evaluation", "register": "registration"}
    return REPORTS / f"{names.get(stage, stage)}.json"
