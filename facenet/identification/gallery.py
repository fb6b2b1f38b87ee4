"""A gallery of enrolled people: embeddings by person, stored in a file."""

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
    """Embeddings by person, in order of enrolment; embeddings are L2-normalised when added."""

    def __init__(self) -> None:
        self._people: dict[str, Rows] = {}

    @property
    def people(self) -> list[str]:
        """The names, in order of enrolment."""
        return list(self._people)

    def __len__(self) -> int:
        return len(self._people)

    def __contains__(self, person: str) -> bool:
        return person in self._people

    def add(self, person: str, embeddings: npt.ArrayLike) -> None:
        """Add (N, E) embeddings, or one (E,), of a new or enrolled person.

        Raises:
            DataInvalid: there are none, one is not finite or zero, or E differs from the gallery's.
        """
        rows = np.atleast_2d(np.asarray(embeddings, np.float32))
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not rows.size or not np.isfinite(rows).all() or not (lengths > 0).all():
            raise DataInvalid(
                f"{person!r} has no embeddings, or one that is not finite or zero. Embed the photos again."
            )
        width = next((enrolled.shape[1] for enrolled in self._people.values()), rows.shape[1])
        if rows.shape[1] != width:
            raise DataInvalid(
                f"The embeddings of {person!r} have {rows.shape[1]} dimensions and the gallery's {width}: "
                "they come from different models. Embed the gallery again with the current model."
            )
        enrolled = [self._people[person]] if person in self._people else []
        self._people[person] = np.concatenate([*enrolled, rows / lengths])

    def remove(self, person: str) -> None:
        """Remove a person and all their embeddings.

        Raises:
            DataInvalid: the gallery has no person of that name.
        """
        if person not in self._people:
            raise DataInvalid(f"The gallery has no {person!r}. `people` lists the enrolled names.")
        del self._people[person]

    def table(self) -> tuple[Rows, npt.NDArray[np.int64]]:
        """Return all (G, E) embeddings and the (G,) index in `people` of each.

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
        counts = [[person, len(enrolled)] for person, enrolled in self._people.items()]
        with atomic_path(path) as temporary:
            save_file(
                {"embeddings": rows},
                temporary,
                {"people": json.dumps(counts, ensure_ascii=False, allow_nan=False)},
            )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the gallery stored in a file, bit for bit.

        Raises:
            DataInvalid: the file is missing or not a valid gallery.
        """
        try:
            with safe_open(path, "numpy") as file:
                rows, counts = file.get_tensor("embeddings"), json.loads(file.metadata()["people"])
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise DataInvalid(
                f"{path} is not a valid gallery: {error}. Write it again with Gallery.save."
            ) from error
        if sum(count for _, count in counts) != len(rows):
            raise DataInvalid(
                f"{path} has another number of embeddings than it states. Write it again with Gallery.save."
            )
        gallery, start = cls(), 0
        for person, count in counts:
            gallery._people[person] = rows[start : start + count]
            start += count
        return gallery
