"""Valid data passes in silence, and nothing is imported before it is needed."""

import subprocess
import sys
from pathlib import Path

import pandas as pd

from tasks.expectations import document, tables, validate_faces, validate_manifest, validate_triplets
from tests.tasks.expectations.sane import ROWS, faces, identities, images, labelled, manifest, pairs, triplets


def test_sane_data_passes_and_is_left_alone() -> None:
    given = [manifest(), pairs(), faces(), identities(), triplets(), labelled(), images()]
    copies = [table.copy(deep=True) for table in given]
    validate_manifest(given[0])
    validate_manifest(given[0], pairs=given[1])
    validate_faces(given[2])
    validate_faces(given[2].drop(columns="image"))
    for plan in (*given[4:], pd.DataFrame()):
        validate_triplets(given[3], plan, ["Cy", "Dé"])
        validate_triplets(given[3], plan, ["Cy", "Dé"], row_identities=ROWS)
    for table, copy in zip(given, copies, strict=True):
        pd.testing.assert_frame_equal(table, copy)


def test_great_expectations_is_imported_by_a_call_only_and_prints_nothing() -> None:
    code = "import sys, tasks.expectations as e; assert 'great_expectations' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_the_site_has_a_page_for_each_table_and_says_which_passed(tmp_path: Path) -> None:
    checked = [*tables.of_manifest(manifest(), pairs()), *tables.of_faces(faces().assign(probability=2.0))]
    passed = document(checked, tmp_path)
    assert passed == {"manifest": True, "pairs": True, "faces": False}
    for name in passed:
        assert list((tmp_path / "validations" / name).rglob("*.html"))
