"""The known people: some embeddings each, to be added, removed and kept in a file."""

import json
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from facenet.atomic import atomic_path
from facenet.errors import DataInvalid

Rows = npt.NDArray[np.float32]


class Gallery:
    """Embeddings by person, in the order in which people came; every embedding is L2-normalised on entry."""

    def __init__(self) -> None:
        self._people: dict[str, Rows] = {}

    @property
    def people(self) -> list[str]:
        """The names, in the order in which they came."""
        return list(self._people)

    def __len__(self) -> int:
        return len(self._people)

    def __contains__(self, person: str) -> bool:
        return person in self._people

    def add(self, person: str, embeddings: npt.ArrayLike) -> None:
        """Add (N, E) embeddings, or one (E,), to those of a person, who may be new.

        Raises:
            DataInvalid: there are none, one is not finite or has no length, or E differs from the gallery's.
        """
        rows = np.atleast_2d(np.asarray(embeddings, np.float32))
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not rows.size or not np.isfinite(rows).all() or not (lengths > 0).all():
            raise DataInvalid(f"The embeddings of {person!r} are none, not finite or zero. Embed them again.")
        width = next((known.shape[1] for known in self._people.values()), rows.shape[1])
        if rows.shape[1] != width:
            raise DataInvalid(
                f"The embeddings of {person!r} have {rows.shape[1]} numbers and the gallery's {width}: they "
                "come from different models. Embed the gallery again with the present one."
            )
        known = [self._people[person]] if person in self._people else []
        self._people[person] = np.concatenate([*known, rows / lengths])

    def remove(self, person: str) -> None:
        """Forget a person and all their embeddings.

        Raises:
            DataInvalid: nobody of that name is known.
        """
        if person not in self._people:
            raise DataInvalid(f"The gallery has no {person!r}. `people` lists those it has.")
        del self._people[person]

    def table(self) -> tuple[Rows, npt.NDArray[np.int64]]:
        """Return all (G, E) embeddings and for each the number of its person in `people`, (G,).

        Raises:
            DataInvalid: the gallery is empty.
        """
        if not self._people:
            raise DataInvalid("The gallery is empty. Add people to it.")
        counts = [len(rows) for rows in self._people.values()]
        return np.concatenate(list(self._people.values())), np.repeat(np.arange(len(counts)), counts)

    def save(self, path: Path) -> None:
        """Write the gallery to a safetensors file, atomically; the same gallery gives the same bytes."""
        rows, _ = self.table()
        counts = [[person, len(known)] for person, known in self._people.items()]
        with atomic_path(path) as temporary:
            save_file({"embeddings": rows}, temporary, {"people": json.dumps(counts, ensure_ascii=False)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the gallery in a file, bit for bit as it was.

        Raises:
            DataInvalid: the file is missing or no gallery.
        """
        try:
            with safe_open(path, "numpy") as file:
                rows, counts = file.get_tensor("embeddings"), json.loads(file.metadata()["people"])
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise DataInvalid(f"{path} is no gallery: {error}. Make it anew with Gallery.save.") from error
        if sum(count for _, count in counts) != len(rows):
            raise DataInvalid(f"{path} names other numbers of embeddings than it has. Make it anew.")
        gallery, start = cls(), 0
        for person, count in counts:
            gallery._people[person] = rows[start : start + count]
            start += count
        return gallery
