"""The three networks on any torch device."""

import numpy as np
import torch
from torch import Tensor, nn

from facenet.detection.integral import CHANNELS, Floats
from facenet.detection.networks import ONet, PNet, RNet
from facenet.detection.runtime import Runtime, whole_chunks

# Crops per call of R-Net and O-Net. On a CPU the largest layer, 1 MB, then fits in the second-level cache.
CPU_CHUNKS, ACCELERATOR_CHUNKS = (16, 4), (1024, 256)


def torch_runtime(pnet: PNet, rnet: RNet, onet: ONet, device: torch.device) -> Runtime:
    """Return the networks on a torch device, ready to run."""
    chunks = CPU_CHUNKS if device.type == "cpu" else ACCELERATOR_CHUNKS

    @torch.inference_mode()
    def propose(pixels: Floats, mask: Floats) -> Floats:
        scores, offsets = pnet(mtcnn_input(pixels[None], device), torch.from_numpy(mask).to(device))
        return _array(torch.cat([scores, offsets[0]]))

    @torch.inference_mode()
    def read(network: nn.Module, size: int, crops: Floats) -> Floats:
        outputs = (network(mtcnn_input(chunk, device)) for chunk in whole_chunks(crops, size))
        return np.concatenate([_array(torch.cat([s[:, None], *o], 1)) for s, *o in outputs])[: len(crops)]

    return Runtime(
        chunks,
        propose,
        refine=lambda crops: read(rnet, chunks[0], crops),
        decide=lambda crops: read(onet, chunks[1], crops),
    )


def mtcnn_input(pixels: Floats, device: torch.device) -> Tensor:
    """Return (x - 127.5) / 128 as float32 (N, 3, H, W), channels last, from pixels (N, H, W, 4), 0 to 255."""
    values = (pixels[..., : CHANNELS - 1] - np.float32(127.5)) * np.float32(1 / 128)
    return torch.from_numpy(values).permute(0, 3, 1, 2).to(device)


def _array(values: Tensor) -> Floats:
    array: Floats = values.cpu().numpy()
    return array
