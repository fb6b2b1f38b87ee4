from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import torch

from facenet.embedder import Embedder
from facenet.errors import DataInvalid, DownloadFailed, ParamsInvalid
from facenet.evaluation.distances import Flip, Metric
from facenet.training import PairEvaluation
from tasks.evaluate.embeddings import Embeddings
from tasks.evaluate.mean import Mean
from tasks.evaluate.pairs import read_pairs
from tasks.evaluate.stage import evaluate
from tasks.shards import read_table
from tasks.train.setup import prepare
from tests.tasks.train.conftest import places, plan_triplets, small_params


def test_the_run_follows_the_parameters(workspace: Path, root: Path) -> None:
    setup = prepare(small_params(root, train={"optimizer": "sgd", "weight_decay": 0.01}), places(workspace))
    assert setup.trainer
    optimizer = setup.trainer.optimizer
    assert isinstance(optimizer, torch.optim.SGD)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.01, 0.0]
    trained = sum(p.numel() for group in optimizer.param_groups for p in group["params"])
    assert trained == setup.parameters + sum(p.numel() for p in setup.trainer.loss.parameters())
    assert setup.trainer.loader.dataset.table.keep
    convolutions = [
        m for m in setup.network.modules() if isinstance(m, torch.nn.Conv2d) and m.kernel_size != (1, 1)
    ]
    assert all(m.weight.is_contiguous(memory_format=torch.channels_last) for m in convolutions)


def test_same_parameters_same_start(workspace: Path, root: Path) -> None:
    one, other = (prepare(small_params(root), places(workspace)) for _ in range(2))
    assert one.trainer
    assert other.trainer
    for first, second in (
        (one.network, other.network),
        (one.trainer.loss, other.trainer.loss),
    ):
        assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_half_precision_is_refused_on_a_cpu(workspace: Path, root: Path) -> None:
    with pytest.raises(ParamsInvalid, match="fp16"):
        prepare(small_params(root, base={"precision": "fp16"}), places(workspace))


def test_missing_weights_are_reported(workspace: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACENET_MIRRORS", str(workspace / "nowhere"))
    with pytest.raises(DownloadFailed, match=r"nowhere/given\.safetensors"):
        prepare(small_params(root, train={"init": "given.safetensors"}), places(workspace))


def test_no_epochs_need_no_trainer(workspace: Path, root: Path) -> None:
    assert prepare(small_params(root, train={"epochs": 0}), places(workspace)).trainer is None


def test_evaluation_pairs_are_used_if_stage_triplets_wrote_them(workspace: Path, root: Path) -> None:
    params = small_params(root, train={"evaluate_every": 2})
    with pytest.raises(DataInvalid, match=r"evaluation_pairs\.parquet\. Run `dvc repro triplets`"):
        prepare(params, places(workspace))
    pairs = pd.DataFrame({"left": [0, 0, 5, 5], "right": [1, 9, 6, 1], "same": [True, False] * 2})
    pairs.assign(fold=pd.Series([0, 0, 1, 1], dtype="int32")).to_parquet(
        workspace / "data/triplets/evaluation_pairs.parquet"
    )
    setup = prepare(params, places(workspace))
    assert setup.trainer
    assert setup.trainer.evaluate_every == 2
    assert set(setup.trainer.evaluate(setup.network)) == {"accuracy", "val", "auc", "eer"}


def test_evaluation_in_training_has_the_metrics_of_stage_evaluate(workspace: Path, root: Path) -> None:
    train = {"evaluate_every": 1, "evaluate_distance": "cosine", "evaluate_flip": "add"}
    params = small_params(root, train={**train, "evaluate_subtract_mean": True})
    plan_triplets(workspace, params)
    setup = prepare(params, places(workspace))
    assert setup.trainer
    evaluation, network = setup.trainer.evaluate, setup.network.eval()
    assert isinstance(evaluation, PairEvaluation)
    assert (evaluation.distance, evaluation.flip, evaluation.subtract_mean) == ("cosine", "add", True)
    embedded = embeddings(workspace, Embedder(network, image_size=params.train.image_size), evaluation)
    pairs = read_pairs(workspace / "data/raw/pairs.parquet", embedded.image_ids)
    seen = set()
    for distance, flip, centred in product(get_args(Metric), get_args(Flip), (False, True)):
        options = {"distance": distance, "flip": flip, "subtract_mean": centred}
        mean = Mean("folds" if centred else "none")
        stage = evaluate(embedded, pairs, params.evaluate.model_copy(update=options), mean, seed=0)
        expected, found = stage.result.metrics(), replace(evaluation, **options)(network)
        assert found == pytest.approx({name: expected[name] for name in found}, abs=1e-6), options
        seen.add(round(found["auc"], 6))
    assert len(seen) > 4


def embeddings(workspace: Path, embedder: Embedder, evaluation: PairEvaluation) -> Embeddings:
    """Return the embeddings of all faces and of their mirror images, as stage evaluate computes them."""
    photos = read_table(workspace / "data/aligned", "faces", ["image_id"])["image_id"].to_pylist()
    faces = evaluation.embedder.table[np.arange(len(photos))]
    return Embeddings(
        image_ids=tuple(photos),
        digests=(b"",) * len(photos),
        faces=embedder.embed(faces),
        flipped=embedder.embed_flipped(faces),
        seconds=0.0,
    )
