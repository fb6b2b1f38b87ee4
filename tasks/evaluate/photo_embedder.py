"""The embedding of photos by name: here or on a Dask cluster, and not again what was embedded before."""

from collections.abc import Collection
from functools import partial
from pathlib import Path

from facenet.model import Embedder, ModelCard, load_model
from tasks.evaluate.embeddings import Embeddings
from tasks.evaluate.kept import embed_or_take, embedding_key
from tasks.evaluate.work import Worker, find_places, load_worker
from tasks.params import EvaluateParams
from tasks.workers import scheduler_address

CLUSTER_ROWS = 256  # of a job, each of which costs Dask 0.15 s


class PhotoEmbedder:
    """Embeds the stored faces of photos with the model of `weights` and `card`.

    Args:
        params: precision and batch_size.
        weights: models/facenet.safetensors.
        card: models/model.json.
        device: a torch device or "auto".
        aligned: the folder of the face table.
        kept: the folder of the cache.

    Raises:
        WeightsInvalid: the model is missing, or its parts do not belong together.
    """

    def __init__(
        self, params: EvaluateParams, *, weights: Path, card: Path, device: str, aligned: Path, kept: Path
    ) -> None:
        self._weights, self._card, self._aligned, self._kept = weights, card, aligned, kept
        network, self.card = load_model(weights, card, device)
        self._embedder = Embedder(
            network,
            image_size=self.card.network.image_size,
            device=device,
            precision=params.precision,
            batch_size=params.batch_size,
            standardisation=self.card.standardisation,
        )

    @property
    def device(self) -> str:
        """The device that embeds."""
        return str(self._embedder.device)

    @property
    def precision(self) -> str:
        """The precision of the network's arithmetic, "auto" resolved."""
        return self._embedder.precision

    @property
    def origin(self) -> dict[str, str]:
        """What the embeddings are made with."""
        return {"weights_sha256": self.card.weights_sha256, "precision": self.precision}

    def embed(self, photos: Collection[str], *, mirrored: bool) -> tuple[Embeddings, int]:
        """Return the embeddings of photos in the order of the face table, and how many had to be made.

        Raises:
            WeightsInvalid: an embedding is not finite.
            ParamsInvalid: the faces are smaller than the network's input.
        """
        make_worker, rows = (
            partial(Worker, self._embedder, self._aligned, mirrored),
            self._embedder.batch_size,
        )
        if scheduler_address():
            make_worker, rows = self._cluster_worker(mirrored), CLUSTER_ROWS
        return embed_or_take(
            make_worker,
            find_places(self._aligned, photos),
            rows,
            aligned=self._aligned,
            folder=self._kept,
            key=embedding_key(
                self.card,
                precision=self.precision,
                device=self._embedder.device.type,
                mirrored=mirrored,
            ),
        )

    def _cluster_worker(self, mirrored: bool) -> partial[Worker]:
        return partial(
            load_worker,
            self._weights.absolute(),
            self._card.absolute(),
            device=self.device,
            precision=self.precision,
            batch_size=self._embedder.batch_size,
            aligned=self._aligned.absolute(),
            flip=mirrored,
        )


def trained_here(card: ModelCard) -> bool:
    """Return whether the weights were trained on our people, and did not come as they are."""
    return bool(card.params.get("train", {}).get("epochs") != 0)
