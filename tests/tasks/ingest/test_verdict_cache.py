import json
from pathlib import Path

import pytest

from tasks.ingest import verdict_cache
from tasks.ingest.photos import Limits, Verdict
from tasks.ingest.spool import Spool
from tasks.ingest.verdict_cache import VerdictCache

LIMITS = Limits(20, 1000)
FOUND = {
    "a": Verdict("kept", "", 30, 40, "RGB"),
    "b": Verdict("kept", "", 31, 41, "L", b"a picture"),
    "c": Verdict("corrupt", "It is truncated."),
}


def _write(folder: Path, found: dict[str, Verdict]) -> None:
    cache = VerdictCache(folder, LIMITS)
    with Spool(folder.parent) as spool:
        for image_id, verdict in found.items():
            cache.add(image_id, verdict)
            spool.add(image_id, verdict.png or b"as it came")
        cache.write(spool)


def test_verdicts_are_read_back_with_converted_images(tmp_path: Path) -> None:
    _write(tmp_path / "cache", FOUND)
    cache = VerdictCache(tmp_path / "cache", LIMITS)
    assert {image_id: cache.get(image_id) for image_id in FOUND} == FOUND
    assert cache.get("d") is None


def test_verdicts_on_removed_photos_are_dropped(tmp_path: Path) -> None:
    _write(tmp_path / "cache", FOUND)
    _write(tmp_path / "cache", {"b": FOUND["b"]})
    cache = VerdictCache(tmp_path / "cache", LIMITS)
    assert [cache.get(image_id) for image_id in FOUND] == [None, FOUND["b"], None]


def test_other_limits_or_other_code_invalidate_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path / "cache", FOUND)
    assert VerdictCache(tmp_path / "cache", Limits(21, 1000)).get("a") is None
    monkeypatch.setattr(verdict_cache, "code_digest", lambda *_: "another")
    assert VerdictCache(tmp_path / "cache", LIMITS).get("a") is None


@pytest.mark.parametrize("name", ["verdicts.arrow", "verdicts.json"])
@pytest.mark.parametrize("length", [0, 50])
def test_a_damaged_cache_is_rebuilt(tmp_path: Path, name: str, length: int) -> None:
    _write(tmp_path / "cache", FOUND)
    file = tmp_path / "cache" / name
    file.write_bytes(file.read_bytes()[:length])
    assert VerdictCache(tmp_path / "cache", LIMITS).get("a") is None
    _write(tmp_path / "cache", FOUND)
    assert VerdictCache(tmp_path / "cache", LIMITS).get("b") == FOUND["b"]


def test_a_table_that_does_not_match_its_receipt_is_not_used(tmp_path: Path) -> None:
    _write(tmp_path / "cache", FOUND)
    receipt = tmp_path / "cache" / "verdicts.json"
    receipt.write_text(json.dumps(json.loads(receipt.read_text()) | {"sha256": "0" * 64}))
    assert VerdictCache(tmp_path / "cache", LIMITS).get("a") is None
    receipt.unlink()
    assert VerdictCache(tmp_path / "cache", LIMITS).get("a") is None
