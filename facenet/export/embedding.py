"""The embedding network as a graph from pixels to embeddings."""

import torch
from torch import Tensor, nn

from facenet import networks
from facenet.export.graph import Graph
from facenet.networks.folding import fold_batch_norm
from facenet.standardisation import standardise

INPUT, OUTPUT = "faces", "embeddings"
TRIAL = 3  # faces on which ONNX Runtime must agree with torch; the graph is traced with two


class EmbeddingModule(nn.Module):
    """Standardise, embed and, unless the variant is raw, scale to unit length.

    Args:
        network: prelogits of standardised faces; it is copied, its batch norms folded.
        standardisation: see `facenet.standardisation`.
    """

    def __init__(self, network: nn.Module, standardisation: str) -> None:
        super().__init__()
        self.network, self.standardisation = fold_batch_norm(network).cpu().float(), standardisation
        self.requires_grad_(False)
        self.eval()

    def forward(self, faces: Tensor) -> Tensor:
        """Return the embeddings (N, E) of uint8 RGB faces (N, S, S, 3)."""
        return networks.embed(self.network, standardise(faces, self.standardisation))


def embedding_graph(network: nn.Module, *, image_size: int, standardisation: str) -> Graph:
    """Return the graph from `faces` uint8 (batch, S, S, 3), RGB, to `embeddings` float32 (batch, E).

    The arithmetic is float32, whatever the precision of the model card.
    """
    random = torch.Generator().manual_seed(0)
    shape = (2 + TRIAL, image_size, image_size, 3)
    faces = torch.randint(0, 256, shape, dtype=torch.uint8, generator=random)
    return Graph(
        name=type(network).__name__,
        module=EmbeddingModule(network, standardisation),
        example=faces[:2],
        trial=faces[2:],
        input=INPUT,
        axes={0: "batch"},
        outputs={OUTPUT: {0: "batch"}},
    )
