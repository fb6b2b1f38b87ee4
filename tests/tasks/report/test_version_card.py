"""The model card names data, result with interval, terms, limits and how to load the model."""

from dataclasses import replace

import pytest

from facenet.networks.dlib_file import SHA256
from tasks.params.sources import CelebaSource, FolderSource, OrlSource
from tasks.report.inputs import Findings, read_findings
from tasks.report.page import Subject
from tasks.report.version_card import version_card
from tasks.train.init import origin

REGISTERED = {"model": "faces", "version": 3, "digest": "d" * 64}


@pytest.fixture
def findings(evaluated: Subject) -> Findings:
    return read_findings(evaluated.reports)


def test_a_card_has_what_a_reader_has_to_know(evaluated: Subject, findings: Findings) -> None:
    card = replace(evaluated.card, commit="c" * 40)
    sources = [
        OrlSource(kind="orl"),
        FolderSource(kind="folder", path="staff"),
        CelebaSource(kind="celeba", images="i"),
    ]
    text = version_card(card, findings, sources, REGISTERED)
    assert text.startswith("# faces version 3\n\n")
    result, (low, high) = findings.evaluation, findings.evaluation["accuracy_interval"]
    assert f"accuracy **{result['accuracy']:.4f}**, 95 % interval {low:.4f} to {high:.4f}" in text
    assert f"on {result['pairs_used']:,} of {result['pairs_total']:,} pairs" in text
    assert "8 photos of 2 people, 3 epochs, 12 steps" in text
    assert "`orl` (40 photos of 10 people)" in text
    assert "- `orl`: the AT&T/ORL faces, free of charge; credit AT&T Laboratories Cambridge." in text
    assert "- `folder`: not stated." in text
    assert "- `celeba`: CelebA, for non-commercial research only." in text
    assert 'FaceModel.load("models:/faces/3")' in text
    assert f"Commit `{'c' * 40}`" in text
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert titles == [
        "## Trained on",
        "## Result",
        "## Calibration",
        "## Data",
        "## Terms of the data",
        "## Not for",
        "## Use",
    ]


def test_the_dataset_card_is_linked(evaluated: Subject, findings: Findings) -> None:
    place = "[Dataset card](dataset_card.md), and for programs as [Croissant](dataset_card.json)"
    assert f"\n{place}.\n" in version_card(evaluated.card, findings, [], REGISTERED)
    logged = version_card(evaluated.card, findings, [], {**REGISTERED, "run_id": "e1"})
    assert f"\n{place}; in MLflow `runs:/e1/reports/version-3/dataset_card.md` and `" in logged


def test_an_overlap_is_in_capital_letters_and_given_weights_are_not_called_trained(
    evaluated: Subject, findings: Findings
) -> None:
    result = {**findings.evaluation, "identity_overlap": 7}
    given = Findings({**findings.metrics, "train": {"epochs": 0}, "evaluation": result}, {})
    text = version_card(evaluated.card, given, [], REGISTERED)
    assert "**7 PEOPLE OF THE EVALUATION ARE ALSO IN THE TRAINING DATA.**" in text
    assert "Weights used as given, not trained here." in text


def test_published_weights_are_named_with_author_and_licence(evaluated: Subject, findings: Findings) -> None:
    card = replace(evaluated.card, origin=origin(SHA256), params={"train": {"epochs": 0}})
    text = version_card(card, findings, [], REGISTERED)
    section = text.split("## Origin of the weights\n\n")[1].split("\n\n")[0]
    assert "- author: Davis E. King\n- licence: CC0 1.0, public domain\n- source: " in section
    assert "started from them" not in text
    tuned = replace(card, params={"train": {"epochs": 2}})
    assert "The training here started from them." in version_card(tuned, findings, [], REGISTERED)


def test_few_people_support_no_rate(evaluated: Subject, findings: Findings) -> None:
    def card(*supported: str) -> str:
        rates = {rate: {"supported": rate in supported} for rate in ("0.1", "0.01", "0.001")}
        result = {**findings.evaluation, "val_at_far": rates}
        return version_card(
            evaluated.card, Findings({**findings.metrics, "evaluation": result}, {}), [], REGISTERED
        )

    assert "too few people to support any false accept rate" in card()
    assert "False accept rates down to 0.01 are supported" in card("0.1", "0.01")
