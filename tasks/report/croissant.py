"""The dataset card as Croissant, the JSON-LD of MLCommons, with its vocabulary for responsible AI.

Formats: Croissant 1.0 (Akhtar et al., 2024, arXiv:2403.19546) and Croissant RAI 1.0.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facenet.digests import value_digest
from tasks import paths
from tasks.report.dataset import PERSONAL, USES, Dataset
from tasks.report.dataset_card import summary

CONFORMS_TO = ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"]
_OF_CROISSANT = (  # all of the standard, which readers expect whether they are used or not
    *("citeAs", "column", "extract", "field", "fileProperty", "fileObject", "fileSet", "format", "includes"),
    *("isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex"),
    *("repeated", "replace", "samplingRate", "separator", "source", "subField", "transform"),
)
CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{name: f"cr:{name}" for name in _OF_CROISSANT},
}
# Columns of each table with their types and meaning; see tasks/ingest/records.py and protocol.py.
RECORDS: Mapping[Path, tuple[str, str, Mapping[str, tuple[str, str]]]] = {
    paths.MANIFEST: (
        "photos",
        "Every file that was found, with the verdict on it.",
        {
            "image_id": ("sc:Text", "sha256 of the file"),
            "identity": ("sc:Text", "the person, after decisions"),
            "source": ("sc:Text", "the source"),
            "role": ("sc:Text", "train or evaluate"),
            "path": ("sc:Text", "the file inside its source"),
            "width": ("sc:Integer", "pixels of the upright image"),
            "height": ("sc:Integer", "pixels of the upright image"),
            "bytes": ("sc:Integer", "length of the file"),
            "status": ("sc:Text", "kept, or why it was rejected"),
            "reason": ("sc:Text", "the verdict or the decision in a sentence"),
        },
    ),
    paths.PAIRS: (
        "pairs",
        "The pairs to evaluate on.",
        {
            "left": ("sc:Text", "image_id of a photo"),
            "right": ("sc:Text", "image_id of the other photo"),
            "same": ("sc:Boolean", "whether both show one person"),
            "fold": ("sc:Integer", "number of the fold; -1 only chooses thresholds"),
        },
    ),
}


def croissant(dataset: Dataset, folder: Path = paths.REPORTS) -> str:
    """Return the card as JSON-LD; it names no person.

    folder: where it is stored, from which the paths of the files start. The photos themselves are in Arrow
    files, which the manifest's digests check.
    """
    content = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": dataset.name,
        "description": summary(dataset),
        "version": f"1.0.0+{value_digest(dict(dataset.files))[:16]}",
        "license": [f"{source.name}: {source.terms}" for source in dataset.sources],
        "keywords": ["face verification", "biometrics"],
        **_responsible(dataset),
        "distribution": [*_files(dataset, folder), _photos(folder)],
        "recordSet": [_records(path) for path in RECORDS if str(path) in dataset.files],
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _responsible(dataset: Dataset) -> dict[str, Any]:
    """Return the properties of Croissant RAI."""
    sources = "; ".join(f"{s.name}: {s.found:,} files, {s.kept:,} kept" for s in dataset.sources)
    rejected = [
        f"{stage} rejected {count:,} files: {reason.replace('_', ' ')}."
        for stage, reasons in dataset.rejected.items()
        for reason, count in reasons.items()
    ]
    decided = [
        f"{rows:,} decisions to {action}, which affect {photos:,} photos."
        for action, (rows, photos) in dataset.decisions.items()
    ]
    found = {
        "rai:dataCollection": f"Sources: {sources}.",
        "rai:dataPreprocessingProtocol": rejected,
        "rai:dataAnnotationProtocol": ["The folder of a photo names its person.", *decided],
        "rai:dataLimitations": list(dataset.problems),
        "rai:dataUseCases": [USES],
        "rai:personalSensitiveInformation": [PERSONAL],
    }
    return {name: value for name, value in found.items() if value}


def _files(dataset: Dataset, folder: Path) -> list[dict[str, Any]]:
    return [
        {
            "@type": "cr:FileObject",
            "@id": Path(path).name,
            "name": Path(path).name,
            "contentUrl": Path(os.path.relpath(path, folder)).as_posix(),
            "encodingFormat": "application/x-parquet",
            "sha256": digest,
        }
        for path, digest in dataset.files.items()
    ]


def _photos(folder: Path) -> dict[str, Any]:
    """Return the photos that were kept, in the shards that ingest writes."""
    return {
        "@type": "cr:FileSet",
        "@id": "images",
        "name": "images",
        "description": "Kept photos with image_id, identity, source and role, as Arrow IPC files.",
        "includes": Path(os.path.relpath(paths.RAW / "images-*.arrow", folder)).as_posix(),
        "encodingFormat": "application/vnd.apache.arrow.file",
    }


def _records(path: Path) -> dict[str, Any]:
    name, description, columns = RECORDS[path]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": description,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{column}",
                "name": column,
                "description": meaning,
                "dataType": kind,
                "source": {"fileObject": {"@id": path.name}, "extract": {"column": column}},
            }
            for column, (kind, meaning) in columns.items()
        ],
    }
