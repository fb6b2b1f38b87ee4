"""The pose proxies of faces whose landmarks are drawn by hand."""

import numpy as np
import pytest

from facenet.pose import pose_of, poses

FRONTAL = ((40.0, 50.0), (80.0, 50.0), (60.0, 74.0), (45.0, 95.0), (75.0, 95.0))


def test_a_frontal_face() -> None:
    pose = pose_of(FRONTAL)
    assert pose is not None
    assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx((0, 0.6, 0))


def test_each_angle_moves_one_number() -> None:
    points = np.array(FRONTAL)
    turned, nodding = points.copy(), points.copy()
    turned[2, 0] += 10  # a quarter of the distance of the eyes
    nodding[2, 1] += 4
    assert poses([turned, nodding]) == pytest.approx(np.array([[0.25, 0.6, 0], [0, 0.7, 0]]))


@pytest.mark.parametrize("degrees", [-30, 15, 60])
def test_only_roll_depends_on_rotation_place_and_scale(degrees: float) -> None:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    tilted = 3 * np.array(FRONTAL) @ turn.T + (5, -7)
    assert poses(tilted[None])[0] == pytest.approx([0, 0.6, degrees], abs=1e-9)


def test_without_landmarks_there_is_no_pose() -> None:
    assert pose_of(None) is None
    assert pose_of(((1.0, 1.0),) * 5) is None
    assert np.isnan(poses(np.full((1, 5, 2), np.nan))).all()
