"""One side of the embedding benchmark: the rounds of detect_rounds.py, with Inception-ResNet-v1.

Runs in our environment and in the baseline's. Photos are aligned faces. Weights do not affect the time, so
both sides use random ones.
"""

from typing import Any

import numpy as np
import torch
from detect_rounds import Detect, answer_requests
from numpy.typing import NDArray


def ours() -> Detect:
    """Return our network, in the fastest precision of this processor."""
    from facenet import networks
    from facenet.embedder import Embedder

    network = networks.build("inception_resnet_v1", embedding_size=512)
    embedder = Embedder(network, image_size=160, precision="auto", batch_size=64)

    def embed(faces: list[NDArray[np.uint8]]) -> list[Any]:
        embedder.embed(np.stack(faces))
        return [[] for _ in faces]

    return embed


def peer() -> Detect:
    """Return facenet-pytorch's network with its defaults."""
    from facenet_pytorch import InceptionResnetV1, fixed_image_standardization

    network = InceptionResnetV1(num_classes=2).eval()  # classify=False: no classifier

    def embed(faces: list[NDArray[np.uint8]]) -> list[Any]:
        with torch.no_grad():
            pixels = torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2).float()
            network(fixed_image_standardization(pixels)).numpy()
        return [[] for _ in faces]

    return embed


if __name__ == "__main__":
    answer_requests({"ours": ours, "peer": peer})
