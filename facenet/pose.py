"""The pose of a head, estimated from the five landmarks of its face."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Point = tuple[float, float]


@dataclass(frozen=True)
class Pose:
    """Proxies of the three angles of a head; see `poses` for the formulas.

    yaw: 0 frontal, about ±0.5 near profile, positive if the nose points to the viewer's right. pitch: about
    0.6 frontal, less when looking up, more when looking down. roll: degrees, positive clockwise as seen.
    """

    yaw: float
    pitch: float
    roll: float


def pose_of(landmarks: Sequence[Point] | None) -> Pose | None:
    """Return the pose of a face; None without landmarks, or if both eyes are in one place."""
    if landmarks is None:
        return None
    yaw, pitch, roll = (float(value) for value in poses(np.asarray(landmarks)[None])[0])
    return Pose(yaw, pitch, roll) if np.isfinite(yaw) else None


def poses(landmarks: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the (N, 3) yaw, pitch and roll of (N, 5, 2) landmarks: eyes, nose, mouth corners.

    With the line from the left to the right eye as seen, its length d and its midpoint m, yaw is the distance
    of the nose from m along the line, in units of d; pitch is that across the line, downwards positive; roll
    is the angle of the line with the horizontal. They change with the angles but are not angles: the depth
    of the nose and the proportions of the face enter, so they compare groups of faces, not two faces. NaN
    where both eyes are in one place, or for missing landmarks, which are NaN.
    """
    points = np.asarray(landmarks, np.float64)
    line = points[:, 1] - points[:, 0]
    offset = points[:, 2] - (points[:, 0] + points[:, 1]) / 2
    squared = (line**2).sum(axis=1)
    scale = np.where(squared > 0, squared, np.nan)
    along = (offset * line).sum(axis=1) / scale
    across = (line[:, 0] * offset[:, 1] - line[:, 1] * offset[:, 0]) / scale
    roll = np.where(squared > 0, np.degrees(np.arctan2(line[:, 1], line[:, 0])), np.nan)
    return np.stack([along, across, roll], axis=1)
