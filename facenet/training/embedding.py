"""Embed faces of the table with the network in training."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from facenet import networks
from facenet.devices import autocast
from facenet.embedder import center_crop
from facenet.standardisation import standardise
from facenet.training.data import FaceTable
from facenet.training.processes import Processes
from facenet.training.sampling import Indices

OnFaces = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class TableEmbedder:
    """Embeds rows of a table: centre crop, standardisation, no augmentation.

    Every chunk has the same shape and the last one is padded, so that an embedding does not depend on the
    other faces of its chunk, nor on the number of processes.

    table: the faces.
    image_size: side in pixels of the network's input, cropped from the centre.
    batch_size: faces per chunk.
    standardisation: of the faces, see facenet.standardisation.
    raw: compute the prelogits, without normalisation.
    mirrored: embed the crops mirrored left to right.
    processes: each embeds its part of the rows, and all of them receive all embeddings.
    """

    table: FaceTable
    image_size: int
    device: torch.device
    precision: str
    batch_size: int
    standardisation: str = "fixed"
    raw: bool = False
    mirrored: bool = False
    processes: Processes = field(default_factory=Processes)

    def __call__(
        self, network: nn.Module, rows: Indices, on_faces: OnFaces | None = None
    ) -> npt.NDArray[np.float32]:
        """Return (M, E) embeddings of M >= 1 rows; the mode of the network is restored.

        on_faces: called after each chunk with the number of faces done, and to do, by this process.
        """
        training = network.training
        network.eval()
        part = self.processes.part(0, len(rows))
        own = rows[part] if part.stop > part.start else rows[:1]  # one row is needed for the width
        with torch.inference_mode():
            embedded = self._embed(network, own, on_faces)
            gathered = self.processes.assemble(embedded[: part.stop - part.start], part, len(rows))
        network.train(training)
        return gathered.float().cpu().numpy()

    def in_training(
        self, network: nn.Module, rows: Indices, on_faces: OnFaces | None = None
    ) -> npt.NDArray[np.float32]:
        """Return embeddings in the current mode of the network; training mode updates its statistics.

        In training mode a face depends on its whole chunk, so no chunk is padded and the processes share each
        one. A last chunk with fewer than two faces per process, too few for batch statistics, joins the chunk
        before.
        """
        fewest = 2 * self.processes.count
        edges = list(range(self.batch_size, max(len(rows) - fewest + 1, 1), self.batch_size))
        chunks, done = [], 0
        for chunk in np.split(rows, edges):
            part = self.processes.part(0, len(chunk))
            with torch.no_grad():
                embedded = self._forward(network, self.table[chunk[part]])
                chunks.append(self.processes.assemble(embedded, part, len(chunk)))
            done += len(chunk)
            if on_faces:
                on_faces(done, len(rows))
        return torch.cat(chunks).float().cpu().numpy()

    def _embed(self, network: nn.Module, rows: Indices, on_faces: OnFaces | None) -> Tensor:
        chunks = []
        for start in range(0, len(rows), self.batch_size):
            faces = self.table[rows[start : start + self.batch_size]]
            padded = np.zeros((self.batch_size, *faces.shape[1:]), np.uint8)
            padded[: len(faces)] = faces
            chunks.append(self._forward(network, padded)[: len(faces)])
            if on_faces:
                on_faces(start + len(faces), len(rows))
        return torch.cat(chunks)

    def _forward(self, network: nn.Module, faces: npt.NDArray[np.uint8]) -> Tensor:
        crops = center_crop(faces, self.image_size)
        pixels = torch.from_numpy(np.ascontiguousarray(crops[:, :, ::-1] if self.mirrored else crops))
        images = standardise(pixels.to(self.device), self.standardisation)
        with autocast(self.device, self.precision):
            return network(images).float() if self.raw else networks.embed(network, images)
