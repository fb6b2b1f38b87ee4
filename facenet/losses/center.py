"""Center loss: a classification loss that also pulls every embedding towards the centre of its person.

| version | cost of (x, c) | step of centre c_j, times its lr | lr | start |
|---|---|---|---|---|
| wen | sum of squares / 2, mean of the batch | sum over its x of (c_j - x) / (1 + n_j) | 0.5 | Glorot |
| dl4j | the same, of unit x, as the head sees them | the same / N / length of all gradients | 0.9 | 0 |
| davidsandberg | mean of squares over batch and features | sum over its x of (c_j - x) | 0.05 | 0 |

n_j is the number of images of person j in the batch, N that of all. Sources: Wen et al. 2016 and its Caffe
code; Deeplearning4j's CenterLossOutputLayer under RenormalizeL2PerLayer, where the gradients of weights and
biases and the steps of the centres are divided by their joint length; davidsandberg/facenet (alfa = 1 - lr).
"""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from facenet.errors import ParamsInvalid
from facenet.losses.classification import ClassificationLoss
from facenet.losses.output import Loss, LossOutput
from facenet.networks.embedding import normalise

Version = Literal["wen", "dl4j", "davidsandberg"]
VERSIONS: tuple[str, ...] = get_args(Version)


def center_cost(features: Tensor, centers: Tensor, labels: Tensor, *, version: str) -> Tensor:
    """Return the cost, a scalar, of features (N, E) with labels (N,) at centres (C, E)."""
    squares = (features - centers[labels]).square()
    return squares.mean() if version == "davidsandberg" else squares.sum() / (2 * len(features))


def center_step(features: Tensor, centers: Tensor, labels: Tensor, *, version: str) -> Tensor:
    """Return what is subtracted from the centres (C, E) at lr 1, from a whole batch; see the module."""
    totals = torch.zeros_like(centers).index_add_(0, labels, features)
    counts = torch.zeros(len(centers), dtype=centers.dtype, device=centers.device)
    counts.index_add_(0, labels, torch.ones_like(features[:, 0]))
    steps = centers * counts[:, None] - totals
    if version == "davidsandberg":
        return steps
    steps = steps / (1 + counts[:, None])
    return steps / counts.sum() if version == "dl4j" else steps


class CenterLoss(Loss):
    """The loss of `head` + factor x the center cost.

    The centres are a buffer, not parameters. In training mode with gradients enabled they take a step after
    each loss, which still uses the old centres. Centres and head are discarded after training.

    Every process sees the whole batch (see facenet.training.processes), so all of them take the same step and
    nothing is exchanged here.

    Metrics: those of the head, and center, the unweighted cost.

    Args:
        head: over the same people.
        embedding_size: E.
        version: see the module.
        factor: weight of the center cost: 0.003 in Wen et al., 0.0001 in Deeplearning4j's example, 0.01 in
            davidsandberg's models of 2017.
        lr: learning rate of the centres.

    Raises:
        ParamsInvalid: unknown version.
    """

    centers: Tensor

    def __init__(
        self, head: ClassificationLoss, embedding_size: int, *, version: str, factor: float, lr: float
    ) -> None:
        super().__init__()
        if version not in VERSIONS:
            raise ParamsInvalid(
                f"There is no center loss {version!r}. "
                f"Set train.center_version to one of: {', '.join(VERSIONS)}."
            )
        self.head = head
        self.version, self.factor, self.lr = version, factor, lr
        centers = torch.zeros(head.classes, embedding_size)
        self.register_buffer("centers", nn.init.xavier_uniform_(centers) if version == "wen" else centers)

    def forward(self, prelogits: Tensor, labels: Tensor) -> LossOutput:
        """Return the loss of prelogits (N, E) with labels (N,), 0 to classes - 1."""
        with torch.autocast(prelogits.device.type, enabled=False):
            features = self._features(prelogits)
            output = self.head(features, labels)
            cost = center_cost(features, self.centers, labels, version=self.version)
            if self.training and torch.is_grad_enabled():
                self._move(features.detach(), labels, output.value)
            metrics = {**output.metrics, "center": cost.detach()}
            return LossOutput(output.value + self.factor * cost, metrics)

    def predict(self, prelogits: Tensor) -> Tensor:
        """Return the (N,) people with the highest score for prelogits (N, E)."""
        return self.head.predict(self._features(prelogits))

    def _features(self, prelogits: Tensor) -> Tensor:
        return normalise(prelogits) if self.version == "dl4j" else prelogits.float()

    @torch.no_grad()
    def _move(self, features: Tensor, labels: Tensor, head_loss: Tensor) -> None:
        step = self.lr * center_step(features, self.centers, labels, version=self.version)
        if self.version == "dl4j":
            gradients = torch.autograd.grad(head_loss, list(self.head.parameters()), retain_graph=True)
            self.step_square = step.square().sum()
            length = torch.stack([*(g.square().sum() for g in gradients), self.step_square]).sum().sqrt()
            step = step / length.clamp_min(torch.finfo(step.dtype).tiny)
        self.centers -= step
