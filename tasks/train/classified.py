"""Closed-set identification of the validation images, with a split by images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from facenet.evaluation.closed_set import ClosedSet, closed_set
from tasks.train.setup import Setup


@dataclass(frozen=True)
class Classified:
    """The result, and the names of the people by label. images: number of validation images."""

    result: ClosedSet
    people: Sequence[str]
    images: int

    @property
    def names(self) -> list[str]:
        """The names of the most confused people, in the order of the confusion matrix."""
        return [self.people[label] for label in self.result.people]

    def metrics(self) -> dict[str, Any]:
        """Return `closed_set` of reports/train.json: macro averages, and confusions by their frequency."""
        names, matrix = self.names, self.result.confusion.tolist()
        confused = [
            {"identity": names[row], "predicted": names[column], "images": count}
            for row, counts in enumerate(matrix)
            for column, count in enumerate(counts)
            if row != column and count
        ]
        confused.sort(key=lambda entry: -int(str(entry["images"])))
        return {
            "closed_set": {
                "images": self.images,
                "identities": len(self.people),
                **{name: getattr(self.result, name) for name in ("accuracy", "precision", "recall", "f1")},
                "most_confused": confused,
            }
        }


def classified(setup: Setup) -> Classified | None:
    """Return the result of the model on the validation images; None without any."""
    classify = setup.classify
    if classify is None or not len(classify.rows):
        return None
    result = closed_set(classify.labels, classify.predict(setup.model))
    return Classified(result, setup.people, len(classify.rows))
