from pathlib import Path

import numpy as np
import pytest
import torch

from facenet.errors import NoTriplets
from facenet.mining.offline import Embeddings
from facenet.training.mining import PATIENCE, Mining, why_none
from tests.facenet.training.tiny import LABELS, TinyNetwork, make_trainer, recipe


def mining(folder: Path, name: str = "remined") -> Mining:
    made = make_trainer(folder, **recipe(name)).mining
    assert made
    return made


def test_it_mines_with_the_current_network_and_restores_its_mode(tmp_path: Path) -> None:
    found, network = mining(tmp_path), TinyNetwork().train()
    calls: list[tuple[int, int]] = []
    found.on_faces = lambda *faces: calls.append(faces)
    found(1, network, lambda: pytest.fail("the set is embedded in evaluation mode"))
    assert network.training
    assert calls[-1] == (len(LABELS), len(LABELS))
    embeddings = found.embedder(network, found.rows)
    triplets = found.plan.triplets
    d_ap, d_an = (np.square(embeddings[triplets[:, 0]] - embeddings[triplets[:, i]]).sum(1) for i in (1, 2))
    assert len(triplets) > 5
    assert ((d_ap < d_an) & (d_an < d_ap + 0.3)).all()


def test_photos_are_embedded_in_training_mode_if_the_miner_does_so(tmp_path: Path) -> None:
    found, network, asked = mining(tmp_path, "exemplars"), TinyNetwork().eval(), []

    def train() -> None:
        asked.append(True)
        network.train()

    torch.manual_seed(5)
    found(2, network, train)
    assert asked == [True]
    first = found.plan.triplets
    again, network = mining(tmp_path, "exemplars"), TinyNetwork()
    network.load_state_dict(make_trainer(tmp_path).network.state_dict())
    other = TinyNetwork()
    other.load_state_dict(network.state_dict())
    for seed, net, one in ((1, network, found), (2, other, again)):
        torch.manual_seed(seed)  # dropout does not depend on what was drawn before
        one.plan.set(0, first)
        one(2, net, net.train)
    np.testing.assert_array_equal(found.plan.triplets, again.plan.triplets)


def test_an_epoch_of_a_checkpoint_is_not_mined_again(tmp_path: Path) -> None:
    first, second = mining(tmp_path), mining(tmp_path)
    first(3, TinyNetwork(), lambda: None)
    second.restore(first.state())
    second(3, TinyNetwork(), lambda: None)
    np.testing.assert_array_equal(first.plan.triplets, second.plan.triplets)
    assert second.plan.triplets.dtype == np.int64
    assert (second.plan.epoch, second.idle) == (3, 0)


def test_a_collapsed_network_is_reported_after_a_few_epochs(tmp_path: Path) -> None:
    found, network = mining(tmp_path), TinyNetwork()
    torch.nn.init.zeros_(network.linear.weight)
    for epoch in range(1, PATIENCE):
        found(epoch, network, lambda: None)
        assert (found.idle, found.metrics) == (epoch, {"mined_triplets": 0.0})
    restored = mining(tmp_path)
    restored.restore(found.state())
    with pytest.raises(NoTriplets, match=rf"{PATIENCE} epochs in a row: all embeddings are at one point"):
        restored(PATIENCE, network, lambda: None)


def line(*places: float) -> Embeddings:
    return np.array([[place, 1.0] for place in places], dtype=np.float32)


@pytest.mark.parametrize(
    ("embeddings", "labels", "words"),
    [
        (line(0, 0.1, 5, 5.1), [0, 0, 1, 1], "100% of the pairs every negative is farther .* margin 0.2"),
        (line(0, 3, 0.1, 3.1), [0, 0, 1, 1], "100% of the pairs a negative is nearer"),
        (line(2, 2, 2), [0, 0, 1], "at one point"),
        (line(0, 1, 2), [0, 1, 2], "no person has two photos"),
    ],
)
def test_the_cause_is_named(embeddings: Embeddings, labels: list[int], words: str) -> None:
    import re

    reason = why_none(embeddings, np.array(labels), 0.2)
    assert re.search(words, reason)
    assert re.search(r"(?:[Ll]ower|[Rr]aise) (?:train|triplets)\.", reason)
