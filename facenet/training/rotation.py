"""Rotate and scale faces about their centre."""

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

Pixels = npt.NDArray[np.uint8]


def rotate(
    faces: Pixels, degrees: npt.NDArray[np.float64], scales: npt.NDArray[np.float64] | None = None
) -> Pixels:
    """Return (N, H, W, 3) faces rotated counter-clockwise by (N,) degrees and enlarged by (N,) scales.

    Sampling is bilinear; edge pixels are repeated outside the face.
    """
    height, width = faces.shape[1:3]
    angles = torch.from_numpy(np.deg2rad(degrees))
    sine, cosine, zero = torch.sin(angles), torch.cos(angles), torch.zeros_like(angles)
    # Maps positions in the result to positions in the face; both range from -1 to 1 along either side.
    matrices = torch.stack(
        [
            torch.stack([cosine, -sine * height / width, zero], dim=1),
            torch.stack([sine * width / height, cosine, zero], dim=1),
        ],
        dim=1,
    ).float()
    if scales is not None:
        matrices /= torch.from_numpy(scales).float()[:, None, None]
    images = torch.from_numpy(faces).permute(0, 3, 1, 2).float()
    grid = F.affine_grid(matrices, list(images.shape), align_corners=False)
    rotated = F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
    pixels: Pixels = rotated.round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    return pixels
