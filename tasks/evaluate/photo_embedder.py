"""Embedding of photos by image_id, locally or on a Dask cluster, with a cache."""

from collections.abc import Collection
from functools import partial

from facenet.devices import resolve_device, resolve_precision
from facenet.model import ModelCard, checked_card
from tasks.evaluate.embedding_cache import embed_cached, embedding_key
from tasks.evaluate.embeddings import Embeddings
from tasks.evaluate.files import EvaluatePaths
from tasks.evaluate.work import find_locations, load_worker
from tasks.params.evaluate import EvaluateParams
from tasks.workers.team import scheduler_address

CLUSTER_ROWS = 256  # per job: a job costs Dask 0.15 s


class PhotoEmbedder:
    """Embeds the stored faces of photos with the model of the stage.

    The network is loaded when the first face has to be embedded; often all of them are cached.

    Args:
        params: precision and batch_size.
        files: the model, the face table and the cache.
        device: a torch device or "auto".

    Attributes:
        card: the model card.
        precision: of the network's arithmetic, "auto" resolved.

    Raises:
        WeightsInvalid: the model is missing, or weights and card do not match.
    """

    def __init__(self, params: EvaluateParams, files: EvaluatePaths, *, device: str) -> None:
        self._files, self.card = files, checked_card(files.weights, files.card)
        self._device, self._batch_size = resolve_device(device), params.batch_size
        self.precision = resolve_precision(params.precision, self._device)

    @property
    def device(self) -> str:
        """The device used for embedding."""
        return str(self._device)

    @property
    def origin(self) -> dict[str, str]:
        """How the embeddings are computed: the weights and the precision."""
        return {"weights_sha256": self.card.weights_sha256, "precision": self.precision}

    def embed(self, photos: Collection[str], *, mirrored: bool) -> tuple[Embeddings, int]:
        """Return the embeddings of photos in the order of the face table, and how many had to be computed.

        Raises:
            WeightsInvalid: an embedding is not finite.
            ParamsInvalid: the faces are smaller than the network's input.
        """
        make_worker = partial(
            load_worker,
            self._files.weights.absolute(),
            self._files.card.absolute(),
            device=self.device,
            precision=self.precision,
            batch_size=self._batch_size,
            aligned=self._files.aligned.absolute(),
            flip=mirrored,
        )
        return embed_cached(
            make_worker,
            find_locations(self._files.aligned, photos),
            CLUSTER_ROWS if scheduler_address() else self._batch_size,
            aligned=self._files.aligned,
            folder=self._files.cache / "embeddings",
            key=embedding_key(
                self.card, precision=self.precision, device=self._device.type, mirrored=mirrored
            ),
        )


def trained_here(card: ModelCard) -> bool:
    """Return whether the weights were trained by this pipeline, as opposed to downloaded and not trained."""
    return bool(card.params.get("train", {}).get("epochs") != 0)
