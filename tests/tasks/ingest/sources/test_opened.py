from dataclasses import replace
from pathlib import Path

from tasks.ingest.sources.opened import THRESHOLD_FOLD, read_pairs, scored_people


def test_scored_people_are_folded_names_without_those_of_threshold_pairs(
    tmp_path: Path,
) -> None:
    (tmp_path / "pairs.txt").write_text("1\nJosé\t1\t2\nJosé\t1\tAnn_B\t1\n")
    pairs = read_pairs("pairs.txt", tmp_path)
    assert scored_people(pairs) == {"jose", "annb"}
    assert scored_people([replace(pair, fold=THRESHOLD_FOLD) for pair in pairs]) == set()
