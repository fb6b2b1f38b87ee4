"""An evaluated set of pairs, from which all tables, plots and metrics are computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from facenet.evaluation.bootstrap import Codes, person_codes
from facenet.evaluation.distances import Floats
from facenet.evaluation.protocol import Measured, Verification
from facenet.evaluation.thresholds import Flags
from tasks.evaluate.embeddings import EmbeddingRows
from tasks.evaluate.mean import Mean
from tasks.evaluate.pairs import Pairs


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The P usable pairs with distances and decisions, and the M embedded photos.

    faces: (M, E) embeddings of the photos alone, in the order of image_ids. vectors: (M, D), with flips.
    mean: the subtracted mean; its value is already subtracted from `vectors`, the means of folds are not.
    draws, seed: of the bootstrap over people.
    """

    pairs: Pairs
    measured: Measured
    result: Verification
    image_ids: tuple[str, ...]
    faces: EmbeddingRows
    vectors: Floats
    mean: Mean
    draws: int
    seed: int

    @cached_property
    def codes(self) -> tuple[Codes, Codes]:
        """The numbers of the people in the left and right photos of the pairs, (P,) each."""
        return person_codes(*self.pairs.people)

    @property
    def scored(self) -> Flags:
        """Whether each pair is scored; pairs of fold -1 only choose thresholds."""
        return self.measured.pairs.fold >= 0

    @property
    def correct(self) -> Flags:
        """Whether each pair is decided correctly; False for fold -1."""
        accepted = self.result.distances < self.result.thresholds  # False for NaN
        correct: Flags = (accepted == self.measured.pairs.same) & self.scored
        return correct

    @property
    def mean_value(self) -> Floats | None:
        """The (D,) mean to subtract from other embeddings, averaged over folds if it is theirs, or None."""
        return self.mean.value if self.measured.means is None else self.measured.means.mean(axis=0)

    @property
    def centred(self) -> Floats:
        """The (M, D) vectors after mean subtraction, with the average of the folds' means."""
        return (
            self.vectors if self.measured.means is None else self.vectors - self.measured.means.mean(axis=0)
        )

    def faces_of(self, photos: Sequence[str]) -> EmbeddingRows:
        """Return the (N, E) embeddings, without flips, of N of the photos."""
        row_of = {image_id: row for row, image_id in enumerate(self.image_ids)}
        return self.faces[[row_of[photo] for photo in photos]]
