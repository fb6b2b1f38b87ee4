"""A version beside the champion, on a real store."""

from pathlib import Path

import pytest

from facenet.atomic import write_text
from tasks.promotion.champion import beside_champion
from tasks.promotion.paired import DECISIONS
from tasks.tracking import registry, start_run
from tasks.tracking.registry import CHAMPION, Version

TAGS = {"protocol": "generated pairs", "pairs_sha256": "e" * 64, "accuracy": "0.9", "auc": "0.95"}


def version(**tags: str) -> Version:
    def save(folder: Path, _model_id: str) -> None:
        write_text(folder / "MLmodel", "flavors: {}\n")

    run = start_run(name="trained", tags={})
    return registry.create_version("faces", run, save=save, tags={**TAGS, **tags}, metrics={})


@pytest.mark.usefixtures("mlflow_store")
def test_without_a_champion_there_is_nothing_to_tell() -> None:
    assert beside_champion(version()) is None


@pytest.mark.usefixtures("mlflow_store")
def test_the_champion_tells_its_own_metrics() -> None:
    champion, challenger = version(), version(accuracy="0.95")
    registry.set_alias("faces", CHAMPION, champion.number)
    told = {"version": 1, "figures": {"accuracy": 0.9, "auc": 0.95}, "alike": True, "paired": None}
    assert beside_champion(challenger) == told
    assert beside_champion(champion) == told


@pytest.mark.usefixtures("mlflow_store")
@pytest.mark.parametrize("tag", ["protocol", "pairs_sha256"])
def test_other_pairs_cannot_be_compared(tag: str) -> None:
    champion = version()
    registry.set_alias("faces", CHAMPION, champion.number)
    told = beside_champion(version(**{tag: "other"}))
    assert told is not None
    assert told["alike"] is False


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
    told = beside_champion(version(decisions_sha256=decided("true", "true", "true", "false")))
    assert told is not None
    paired = told["paired"]
    assert (paired["pairs"], paired["only_new"], paired["only_old"], paired["difference"]) == (4, 2, 1, 0.25)
