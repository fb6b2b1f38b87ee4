import dataclasses
import json

import pytest

from facenet.export.description import detector_metadata, embedder_metadata
from facenet.matching import Matcher, Threshold
from facenet.model import ModelCard
from facenet.pretrained.card import pretrained_card

MATCHER = Matcher(
    weights_sha256="ab" * 32,
    protocol="LFW View 2",
    metric="cosine",
    flip="mean",
    mean=(0.25, -0.5),
    slope=9.0,
    intercept=1.5,
    threshold=0.09,
    thresholds=(Threshold(0.001, 0.05, True),),
)


@pytest.fixture
def card() -> ModelCard:
    shipped = pretrained_card()
    align = {**shipped.align, "template": "dlib"}
    return dataclasses.replace(shipped, weights_sha256="ab" * 32, align=align)


def read(metadata: dict[str, str]) -> dict:
    return {name: json.loads(value) for name, value in metadata.items()}


def test_the_embedder_is_described_with_alignment_and_calibration(card: ModelCard) -> None:
    fields = read(embedder_metadata(card, MATCHER))
    assert (fields["kind"], fields["format"], fields["image_size"], fields["embedding_size"]) == (
        *("embedder", 1),
        *(150, 128),
    )
    assert (fields["standardisation"], fields["weights_sha256"]) == ("dlib", "ab" * 32)
    assert (fields["flip"], fields["metric"], fields["threshold"]) == ("mean", "cosine", 0.09)
    assert fields["calibration"]["mean"] == [0.25, -0.5]
    assert fields["calibration"]["thresholds"] == [{"far": 0.001, "threshold": 0.05, "supported": True}]
    align = fields["align"]
    assert (align["method"], align["image_size"], align["margin"]) == ("similarity", 150, 0)
    assert (align["template"]["name"], align["template"]["side"]) == ("dlib", 150)
    assert align["template"]["points"][0] == [47.5492, 46.599]


def test_a_model_that_was_not_evaluated_has_no_calibration(card: ModelCard) -> None:
    assert not {"calibration", "flip", "metric", "threshold"} & embedder_metadata(card, None).keys()


def test_cards_without_a_template_mean_the_default_one(card: ModelCard) -> None:
    align = {name: value for name, value in card.align.items() if name != "template"}
    older = dataclasses.replace(card, align=align)
    assert read(embedder_metadata(older, None))["align"]["template"]["name"] == "arcface"
    boxes = dataclasses.replace(card, align={**align, "method": "crop"})
    assert "template" not in read(embedder_metadata(boxes, None))["align"]


def test_the_detector_is_described_with_its_settings(card: ModelCard) -> None:
    fields = read(detector_metadata("rnet", card, "cd" * 32))
    assert fields["detector"] == {
        "min_face": 20,
        "thresholds": [0.6, 0.7, 0.7],
        "factor": 0.709,
        "max_side": 4096,
        "selection": "center_weighted",
    }
    assert (fields["kind"], fields["weights_sha256"]) == ("rnet", "cd" * 32)
    assert "24 x 24" in fields["input"]
