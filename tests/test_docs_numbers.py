"""Numbers in the documentation that a reader may act on are those of the code."""

import re
from pathlib import Path

import pytest
import yaml

from facenet.detection.pyramid import GRID
from facenet.evaluation.sample_size import LEAST_ERRORS, LEAST_PEOPLE
from facenet.pretrained.measured import measured
from facenet.training.mining import PATIENCE as EPOCHS_WITHOUT_TRIPLETS
from tasks.align.stage import LARGE_ROWS
from tasks.evaluate.photo_embedder import CLUSTER_ROWS
from tasks.ingest.inspection import CLUSTER_CHUNK_FILES
from tasks.shards import SHARD_BYTES
from tasks.workers.cluster import PATIENCE as CLUSTER_SECONDS
from tests.conftest import MAX_PROCESSES

MACHINES, REFERENCE = "docs/how-to/many-machines.md", "docs/reference.md"
WORDS = {3: "three", 4: "four"}
# Page, sentence, and what the code has in place of {}.
STATED = [
    (MACHINES, "A job is {} photos", LARGE_ROWS),
    (MACHINES, "A job is {} photos", CLUSTER_ROWS),
    (MACHINES, "A job is {} photos", CLUSTER_CHUNK_FILES),
    (MACHINES, "has no workers for {} s", int(CLUSTER_SECONDS)),
    (MACHINES, "within {} s each", int(CLUSTER_SECONDS)),
    (REFERENCE, "{} in a row end the run", WORDS[EPOCHS_WITHOUT_TRIPLETS]),
    (REFERENCE, "and at least {} false accepts are expected", LEAST_ERRORS),
    (REFERENCE, "if the different pairs show at least {} people", LEAST_PEOPLE),
    (
        "docs/responsible-use.md",
        "decides {} % of the 6,000",
        f"{100 * measured()['evaluation']['accuracy']:.1f}",
    ),
    ("docs/responsible-use.md", "with at least {} people", LEAST_PEOPLE),
    ("docs/decisions/0004-arrow-shards.md", "of about {} MB", SHARD_BYTES // 2**20),
    ("docs/decisions/0007-tests-in-parallel.md", "but at most {}", WORDS[MAX_PROCESSES]),
    ("docs/decisions/0008-openvino-runs-the-detector.md", "sides of canvases are multiples of {}", GRID),
]


@pytest.mark.parametrize(("page", "sentence", "value"), STATED)
def test_a_stated_number_is_that_of_the_code(root: Path, page: str, sentence: str, value: object) -> None:
    text = " ".join((root / page).read_text().split())
    assert sentence.format(value) in text


def test_the_support_of_view_2_follows_from_its_pairs(root: Path) -> None:
    text = " ".join((root / REFERENCE).read_text().split())
    ((pairs, far),) = re.findall(r"the ([\d,]+) of LFW View 2 support a FAR of ([\d.]+)", text)
    assert LEAST_ERRORS / int(pairs.replace(",", "")) == float(far)


def test_waiting_threads_spin_as_often_as_performance_says(root: Path) -> None:
    (spins,) = re.findall(r"therefore set ([\d,]+)", (root / "docs" / "performance.md").read_text())
    assert f'"GOMP_SPINCOUNT", "{spins.replace(",", "")}"' in (root / "tasks" / "__init__.py").read_text()


def test_every_parameter_and_value_the_reference_names_exists(root: Path) -> None:
    """`section.key` and `section.key: value`, as in `triplets.remine: epoch`."""
    text = (root / REFERENCE).read_text()
    params = yaml.safe_load((root / "params.yaml").read_text())
    named = set(re.findall(r"`((?:base|ingest|align|triplets|train|evaluate|register)\.[a-z_.]+)\b", text))
    assert len(named) > 15
    for name in sorted(named):
        place = params
        for part in name.split("."):
            assert part in place, name
            place = place[part]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs", "infra", "photos"])
def test_every_link_leads_somewhere(root: Path, page: str) -> None:
    pages = [root / page] if page.endswith(".md") else sorted((root / page).rglob("*.md"))
    for file in pages:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", file.read_text()):
            assert (file.parent / target).exists(), f"{file.relative_to(root)}: {target}"
