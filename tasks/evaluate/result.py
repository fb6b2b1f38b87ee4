"""What the protocol leaves for everything that is read from it: tables, pictures, galleries, slices."""

from dataclasses import dataclass
from functools import cached_property

from facenet.evaluation.bootstrap import Codes, person_codes
from facenet.evaluation.distances import Floats
from facenet.evaluation.protocol import Measured, Verification
from facenet.evaluation.thresholds import Flags
from tasks.evaluate.embeddings import EmbeddingRows
from tasks.evaluate.pairs import Pairs


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """The usable pairs in all their forms, P of them, and the M embedded photos.

    faces: (M, E) embeddings of the photos alone, in the order of image_ids. vectors: (M, D), flips combined.
    draws, seed: of the bootstrap over people.
    """

    pairs: Pairs
    measured: Measured
    result: Verification
    image_ids: tuple[str, ...]
    faces: EmbeddingRows
    vectors: Floats
    draws: int
    seed: int

    @cached_property
    def codes(self) -> tuple[Codes, Codes]:
        """The numbers of the people on the left and on the right of each pair."""
        return person_codes(*self.pairs.people)

    @property
    def scored(self) -> Flags:
        """Which pairs are scored: those of fold -1 only choose thresholds."""
        return self.measured.pairs.fold >= 0

    @property
    def right(self) -> Flags:
        """Which pairs are decided right; False for fold -1."""
        accepted = self.result.distances < self.result.thresholds  # NaN is in no order
        right: Flags = (accepted == self.measured.pairs.same) & self.scored
        return right

    @property
    def centred(self) -> Floats:
        """The vectors less the mean that was taken off when pairs were scored, averaged over folds."""
        return (
            self.vectors if self.measured.means is None else self.vectors - self.measured.means.mean(axis=0)
        )
