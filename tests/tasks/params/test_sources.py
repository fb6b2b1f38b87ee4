"""The sources of photos: each kind with its defaults, and what is refused."""

from typing import Any

import pytest

from tasks.params.sources import CelebaSource, FolderSource, LfwSource, OrlSource, SourceSection
from tests.tasks.params.changed import parsed, refusal

DIGEST = "0" * 64


def test_each_kind_of_source() -> None:
    sources = [
        {"kind": "orl"},
        {"kind": "folder", "path": "photos", "role": "train", "urls": ["https://example.org/a.zip"]},
        {"kind": "lfw", "pairs": "pairsDevTest.txt", "train_people": "peopleDevTrain.txt", "sha256": DIGEST},
        {"kind": "celeba", "images": "img_celeba.zip"},
    ]
    assert parsed({"ingest.sources": sources}).ingest.sources == (
        OrlSource(kind="orl"),
        FolderSource(kind="folder", path="photos", role="train", urls=("https://example.org/a.zip",)),
        LfwSource(kind="lfw", pairs="pairsDevTest.txt", train_people="peopleDevTrain.txt", sha256=DIGEST),
        CelebaSource(kind="celeba", images="img_celeba.zip"),
    )


def test_defaults() -> None:
    sources = [
        {"kind": "folder", "path": "x"},
        {"kind": "lfw"},
        {"kind": "celeba", "images": "x"},
    ]
    folder, lfw, celeba = parsed({"ingest.sources": sources}).ingest.sources
    assert folder.model_dump() == {
        "kind": "folder",
        "path": "x",
        "sha256": None,
        "urls": (),
        "role": "split",
        "pairs": None,
    }
    assert (lfw.archive, lfw.pairs, lfw.threshold_pairs) == ("lfw-deepfunneled.tgz", "pairs.txt", None)
    assert (celeba.identities, celeba.partition, celeba.attributes) == ("identity_CelebA.txt", None, None)


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ({"kind": "vgg"}, "0"),
        ({"path": "x"}, "0"),
        ({"kind": "orl", "path": "x"}, "0.orl.path"),
        ({"kind": "folder"}, "0.folder.path"),
        ({"kind": "folder", "path": "x", "sha256": "abc"}, "0.folder.sha256"),
        ({"kind": "folder", "path": "x", "role": "test"}, "0.folder.role"),
        ({"kind": "folder", "path": "x", "urls": "https://example.org/a.zip"}, "0.folder.urls"),
        ({"kind": "lfw", "role": "train"}, "0.lfw.role"),
        ({"kind": "celeba"}, "0.celeba.images"),
    ],
)
def test_an_invalid_source_is_refused_at_its_place(source: dict[str, Any], place: str) -> None:
    assert f"  ingest.sources.{place}: " in refusal({"ingest.sources": [source]})


@pytest.mark.parametrize(
    ("source", "public", "protocol"),
    [
        (OrlSource(kind="orl"), True, None),
        (FolderSource(kind="folder", path="x"), False, None),
        (FolderSource(kind="folder", path="x", pairs="a/my.txt"), False, "pairs of my.txt, 5 folds"),
        (LfwSource(kind="lfw", pairs="a.txt", threshold_pairs="b.txt"), True, "LFW View 1"),
        (LfwSource(kind="lfw"), True, "LFW View 2, 5 folds, unrestricted with labeled outside data"),
        (LfwSource(kind="lfw", pairs="my.txt"), True, "LFW, my.txt, 5 folds"),
        (CelebaSource(kind="celeba", images="x"), True, None),
    ],
)
def test_what_a_source_states_about_itself(source: SourceSection, public: bool, protocol: str | None) -> None:
    assert (source.public, source.protocol(5)) == (public, protocol)


def test_the_place_of_the_second_source_is_named() -> None:
    assert "  ingest.sources.1.folder.path: " in refusal(
        {"ingest.sources": [{"kind": "orl"}, {"kind": "folder"}]}
    )
