import logging
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tasks.align.detection_cache import DetectionCache
from tasks.align.face_cache import PreviousFaces
from tasks.forgetting.caches import Caches
from tasks.forgetting.outputs import Outputs
from tasks.forgetting.place import Action
from tasks.ingest.file_digests import FileDigests
from tasks.ingest.scan import limits
from tasks.ingest.verdict_cache import VerdictCache
from tests.tasks.forgetting.small import gathered, holders, traces_of
from tests.tasks.ingest.settings import ingest_params


def test_caches_lose_the_person_and_keep_the_others(small: Path, caplog: pytest.LogCaptureFixture) -> None:
    person, traces, cache = gathered(small), traces_of(small), small / "data" / "cache"
    names = [*sorted(person.faces), *("f" * 64,)]
    pd.DataFrame({"sharpness": [1.0] * len(names)}, index=names).to_parquet(cache / "qualities-1.parquet")
    (cache / "decisions").mkdir()
    shutil.copy(small / "reports" / "decisions.csv", cache / "decisions" / "1.csv")
    others = set(pd.read_parquet(small / "data/raw/manifest.parquet")["image_id"]) - person.photos
    place = Caches(small)
    findings = place.find(person)
    rewritten = {Path(f.what).name for f in findings if f.action is Action.REWRITE}
    assert {
        "verdicts.arrow",
        "digests.arrow",
        "faces-0000.arrow",
        "1.arrow",
        "qualities-1.parquet",
    } < rewritten
    assert [f.what for f in findings if f.action is Action.REMOVE] == [str(cache / "decisions" / "1.csv")]
    place.erase(person, findings)
    assert place.find(person) == []
    assert holders(cache, traces) == []
    with caplog.at_level(logging.WARNING):
        detections = DetectionCache(cache / "detections-1")
        verdicts = VerdictCache(cache / "ingest", limits(ingest_params()))
        faces = PreviousFaces(cache / "aligned", key="key", shards=1)
        FileDigests(cache / "ingest")
    assert caplog.text == ""  # receipts and names agree with the bytes
    for photo in sorted(others):
        assert photo in detections
        assert photo in faces
        assert verdicts.get(photo) is not None
    for photo in sorted(person.photos):
        assert photo not in detections
        assert photo not in faces
        assert verdicts.get(photo) is None
    assert pd.read_parquet(cache / "qualities-1.parquet").empty  # nobody knows whose the other face was


def test_rows_of_others_stay_after_the_outputs_are_gone(small: Path) -> None:
    """As in the second search of a forgetting, and after an interruption."""
    person, place = gathered(small), Caches(small)
    place.erase(person, place.find(person))
    outputs = Outputs(small)
    outputs.erase(person, outputs.find(person))
    shutil.rmtree(small / "data" / "cache" / "aligned")
    assert place.find(person) == []
    assert Caches(small).find(person) == []


def test_without_data_the_rows_of_the_person_go_by_their_digests(small: Path) -> None:
    person, traces = gathered(small), traces_of(small)
    for name in ("raw", "aligned", "cache/aligned"):
        shutil.rmtree(small / "data" / name)
    place = Caches(small)
    place.erase(person, place.find(person))
    assert holders(small / "data" / "cache", traces) == []
    assert len(list((small / "data" / "cache").rglob("*.arrow"))) == 4
