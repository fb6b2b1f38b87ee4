from pathlib import Path

import pandas as pd

from tasks.report.audited import open_findings

MANIFEST = [("a", "Ann", "kept"), ("b", "Ann", "dropped"), ("c", "Bob", "kept"), ("d", "Cid", "kept")]
AUDIT = [
    ("outlier", "a", "Ann", 1),
    ("outlier", "b", "Ann", 2),  # dropped since
    ("outlier", "c", "Ann", 3),  # moved since
    ("outlier", "d", "Cid", 4),
    ("burst", "a", "Ann", 5),
    ("burst", "b", "Ann", 5),
    ("split", "", "Bob", 6),
    ("split", None, "Zoe", 7),  # merged since
    ("split", "", "Ann", 8),  # merged the other way
]
OTHERS = {6: "Ann", 7: "Bob", 8: "Zoe"}


def test_findings_count_until_a_decision_settles_them(tmp_path: Path) -> None:
    audit, manifest = tmp_path / "audit.parquet", tmp_path / "manifest.parquet"
    pd.DataFrame(MANIFEST, columns=["image_id", "identity", "status"]).to_parquet(manifest)
    table = pd.DataFrame(AUDIT, columns=["kind", "digest", "identity", "group"])
    table["other_identity"] = [OTHERS.get(group, "") for group in table["group"]]
    table.to_parquet(audit)
    found = open_findings(audit, manifest)
    assert found is not None
    assert list(found.items()) == [("outlier", 2), ("burst", 1), ("split", 1)]


def test_without_an_audit_nothing_is_known(tmp_path: Path) -> None:
    assert open_findings(tmp_path / "audit.parquet", tmp_path / "manifest.parquet") is None
