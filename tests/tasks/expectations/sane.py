"""Tables in which every expectation holds, for tests to break."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from facenet.errors import DataInvalid

IDS = [f"{number:064x}" for number in range(12)]
PEOPLE = ["Ada", "Ada", "Ada", "Bob", "Bob", "Bob", "Cy", "Cy", "Cy", "Dé", "Dé", "Dé"]
ROWS = [*PEOPLE, "Eve", "Eve"]  # the identity of each row of the faces, when a plan is checked


def manifest() -> pd.DataFrame:
    """Two people who train, two who are evaluated, and one corrupt file."""
    rows: list[dict[str, Any]] = [
        {
            "image_id": IDS[n],
            "identity": PEOPLE[n],
            "source": "folder",
            "role": "train" if n < 6 else "evaluate",
            "path": f"{PEOPLE[n]}/{n}.jpg",
            "width": 92,
            "height": 112,
            "mode": "L",
            "bytes": 1000 + n,
            "status": "kept",
            "reason": None,
        }
        for n in range(12)
    ]
    broken = {"image_id": "f" * 64, "path": "Ada/bad.jpg", "width": None, "height": None, "mode": None}
    rows.append(rows[0] | broken | {"status": "corrupt", "reason": "cut off"})
    return pd.DataFrame(rows)


def pairs() -> pd.DataFrame:
    """A same and a different pair to score, one whose photo is missing, one for the threshold only."""
    return pd.DataFrame(
        [
            {
                "left": IDS[6],
                "right": IDS[7],
                "same": True,
                "fold": 0,
                "left_name": "Cy/1",
                "right_name": "Cy/2",
            },
            {
                "left": IDS[6],
                "right": IDS[9],
                "same": False,
                "fold": 1,
                "left_name": "Cy/1",
                "right_name": "Dé/1",
            },
            {
                "left": None,
                "right": IDS[9],
                "same": False,
                "fold": 1,
                "left_name": "Cy/9",
                "right_name": "Dé/1",
            },
            {
                "left": IDS[0],
                "right": IDS[1],
                "same": True,
                "fold": -1,
                "left_name": "Ada/1",
                "right_name": "Ada/2",
            },
        ]
    )


def faces() -> pd.DataFrame:
    """Eleven faces and a fallback."""
    found = [
        {
            "image_id": IDS[n],
            "identity": PEOPLE[n],
            "source": "folder",
            "role": "train" if n < 6 else "evaluate",
            "image": b"png",
            "box": np.array([10, 20, 60, 80], np.float32),
            "landmarks": np.full((5, 2), 30, np.float32).tolist(),
            "probability": 0.99,
            "faces_found": 1,
            "fallback": False,
        }
        for n in range(11)
    ]
    nothing = {
        "probability": 0.0,
        "faces_found": 0,
        "fallback": True,
        "landmarks": np.full((5, 2), np.nan).tolist(),
    }
    return pd.DataFrame([*found, found[10] | nothing | {"image_id": IDS[11]}])


def identities() -> pd.DataFrame:
    return pd.DataFrame(
        {"identity": ["Ada", "Bob", "Eve"], "images": 3, "split": ["train", "train", "validation"]}
    )


def images() -> pd.DataFrame:
    return pd.DataFrame({"row": [0, 1, 2, 3], "label": [0, 0, 0, 1]})


def triplets() -> pd.DataFrame:
    return pd.DataFrame({"anchor": [0, 1, 3], "positive": [1, 2, 4], "negative": [3, 4, 0]})


def labelled() -> pd.DataFrame:
    return pd.DataFrame({"left": [0, 0, 3, 1], "right": [1, 3, 4, 5], "same": [True, False, True, False]})


def message(call: Callable[[], None]) -> str:
    with pytest.raises(DataInvalid) as raised:
        call()
    return str(raised.value)
