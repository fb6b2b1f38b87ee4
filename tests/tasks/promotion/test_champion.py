"""A version compared with the champion, on a real store."""

from pathlib import Path

import pytest

from facenet.atomic import write_text
from tasks.promotion.champion import compare_with_champion
from tasks.promotion.paired import DECISIONS
from tasks.tracking import registry, start_run
from tasks.tracking.registry import CHAMPION, Version

TAGS = {
    "protocol": "generated pairs",
    "pairs_sha256": "e" * 64,
    "pairs_used": "600",
    "accuracy": "0.9",
    "auc": "0.95",
}


def version(**tags: str) -> Version:
    def save(folder: Path, _model_id: str) -> None:
        write_text(folder / "MLmodel", "flavors: {}\n")

    run = start_run(name="trained", tags={})
    return registry.create_version("faces", run, save=save, tags={**TAGS, **tags}, metrics={})


@pytest.mark.usefixtures("mlflow_store")
def test_without_a_champion_there_is_no_comparison() -> None:
    assert compare_with_champion(version()) is None


@pytest.mark.usefixtures("mlflow_store")
def test_the_comparison_has_the_champion_s_metrics() -> None:
    champion, challenger = version(), version(accuracy="0.95")
    registry.set_alias("faces", CHAMPION, champion.number)
    expected = {"version": 1, "figures": {"accuracy": 0.9, "auc": 0.95}, "alike": True, "paired": None}
    assert compare_with_champion(challenger) == expected
    assert compare_with_champion(champion) == expected


@pytest.mark.usefixtures("mlflow_store")
@pytest.mark.parametrize("tag", ["protocol", "pairs_sha256", "pairs_used"])
def test_versions_on_different_pairs_are_not_alike(tag: str) -> None:
    champion = version()
    registry.set_alias("faces", CHAMPION, champion.number)
    compared = compare_with_champion(version(**{tag: "other"}))
    assert compared is not None
    assert compared["alike"] is False


def test_decisions_of_both_are_compared_pair_by_pair(mlflow_store: Path) -> None:
    import hashlib

    def decided(*right: str) -> str:
        rows = [f"a/a_{n:04d},b/b_{n:04d},false,0,1.0,0.5,{flag}" for n, flag in enumerate(right)]
        text = "\n".join(["left_name,right_name,same,fold,distance,threshold,right", *rows, ""])
        digest = hashlib.sha256(text.encode()).hexdigest()
        write_text(mlflow_store / DECISIONS / f"{digest}.csv", text)
        return digest

    champion = version(decisions_sha256=decided("true", "false", "false", "true"))
    registry.set_alias("faces", CHAMPION, champion.number)
    compared = compare_with_champion(version(decisions_sha256=decided("true", "true", "true", "false")))
    assert compared is not None
    paired = compared["paired"]
    assert (paired["pairs"], paired["only_new"], paired["only_old"], paired["difference"]) == (4, 2, 1, 0.25)
