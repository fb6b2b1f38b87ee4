"""Turn faces about their middle."""

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

Pixels = npt.NDArray[np.uint8]


def rotate(faces: Pixels, degrees: npt.NDArray[np.float64]) -> Pixels:
    """Return (N, H, W, 3) faces turned counter-clockwise by (N,) degrees, bilinear.

    Beyond a face the pixels of its edge repeat.
    """
    height, width = faces.shape[1:3]
    angles = torch.from_numpy(np.deg2rad(degrees))
    sine, cosine, none = torch.sin(angles), torch.cos(angles), torch.zeros_like(angles)
    # From a place in the result to the place in the face; both run from -1 to 1, however long the side is.
    matrices = torch.stack(
        [
            torch.stack([cosine, -sine * height / width, none], dim=1),
            torch.stack([sine * width / height, cosine, none], dim=1),
        ],
        dim=1,
    ).float()
    images = torch.from_numpy(faces).permute(0, 3, 1, 2).float()
    grid = F.affine_grid(matrices, list(images.shape), align_corners=False)
    turned = F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
    pixels: Pixels = turned.round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    return pixels
