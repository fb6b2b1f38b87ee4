"""The decision whether two embedded faces show the same person, calibrated by an evaluation."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from facenet.atomic import write_text
from facenet.errors import WeightsInvalid
from facenet.evaluation.distances import (
    Flip,
    Floats,
    Metric,
    combine_flips,
    cross_distances,
    pair_distances,
    unit_rows,
)
from facenet.evaluation.gallery_calibration import GalleryCalibration
from facenet.evaluation.histogram import Histogram
from facenet.evaluation.sample_size import SampleSize
from facenet.evaluation.sigmoid import Sigmoid

FORMAT = 1
UNMEASURED = (
    "the calibration has no rates of identification: run `dvc repro evaluate` to measure them, on at "
    "least 40 people"
)


@dataclass(frozen=True)
class Threshold:
    """Pairs nearer than `threshold` are accepted; the expected false accept rate is `far`.

    supported: whether the evaluation had enough people and pairs of people to state that rate.
    """

    far: float
    threshold: float
    supported: bool


@dataclass(frozen=True, kw_only=True)
class Matcher:
    """The content of calibration.json, field by field.

    weights_sha256: of the model it belongs to. protocol: the evaluation it was measured by. mean: subtracted
    from every embedding, or None. mean_source: what it is the mean of, see tasks/evaluate/mean.py. threshold:
    the default, that of the protocol. thresholds: for target false accept rates; none if the evaluation had
    too few people. people, people_pairs: of the evaluation's different pairs; None in files of earlier
    versions. precision: fp32, bf16 or fp16, of the evaluated embeddings; None in files of earlier versions.
    identification: measured in galleries; None in files of earlier versions, and if the evaluation
    had no two photos of one person. histogram: of the distances of the evaluation's pairs; None in files of
    earlier versions.
    """

    weights_sha256: str
    protocol: str
    metric: Metric
    flip: Flip
    mean: tuple[float, ...] | None
    slope: float
    intercept: float
    threshold: float
    thresholds: tuple[Threshold, ...] = ()
    people: int | None = None
    people_pairs: int | None = None
    mean_source: str | None = None
    precision: str | None = None
    identification: GalleryCalibration | None = None
    histogram: Histogram | None = None
    format: int = FORMAT

    @property
    def site_name(self) -> str | None:
        """The name of the site calibration whose thresholds and curve replace the evaluation's, if any."""
        return None

    def check(self, weights_sha256: str) -> None:
        """Raise WeightsInvalid if the calibration was measured with other weights."""
        if self.weights_sha256 != weights_sha256:
            raise WeightsInvalid(
                f"The calibration belongs to weights {self.weights_sha256[:12]} and the model has "
                f"{weights_sha256[:12]}. Run `dvc repro evaluate`."
            )

    def templates(
        self, embeddings: npt.ArrayLike, mirrored: npt.ArrayLike | None = None
    ) -> npt.NDArray[np.float32]:
        """Return the (N, D) templates of N faces: what the evaluation compares, as one vector each.

        Flips are combined. For cosine and arccos the mean is subtracted and the length is 1; an embedding
        equal to the mean becomes zero. The squared Euclidean distance is independent of the mean; its
        templates keep their lengths.

        Args:
            embeddings: (N, E) of the faces.
            mirrored: (N, E) of their mirror images; None if `flip` is "none".
        """
        rows = combine_flips(embeddings, mirrored, self.flip)
        if self.metric == "euclidean_squared":
            return rows.astype(np.float32)
        return unit_rows(rows if self.mean is None else rows - np.asarray(self.mean))

    def template_distances(self, queries: npt.ArrayLike, gallery: npt.ArrayLike) -> Floats:
        """Return the (Q, G) distances between (Q, D) and (G, D) templates, by one matrix product.

        It is computed in the precision of the templates: in float32 it differs from `template_pairs` by about
        1e-6 of the squared lengths, for arccos by up to 3e-4 between nearly equal templates.
        """
        return cross_distances(np.asarray(queries), np.asarray(gallery), self.metric)

    def template_pairs(self, left: npt.ArrayLike, right: npt.ArrayLike) -> Floats:
        """Return the (N,) distances of N pairs of templates, each (N, D), in float64."""
        sides = [np.asarray(side, np.float64) for side in (left, right)]
        if not len(sides[0]):
            return np.zeros(0)
        first = np.arange(len(sides[0]))
        distances: Floats = pair_distances(np.concatenate(sides), first, len(first) + first, self.metric)[0]
        return distances

    def probability(self, distances: Floats, prior: float = 0.5) -> Floats:
        """Return the probability of a match at each distance; `prior`: the expected fraction of matches."""
        return Sigmoid(self.slope, self.intercept).probability(distances, prior)

    def threshold_at(self, far: float | None = None) -> float:
        """Return the threshold for a target false accept rate, or the default threshold.

        Raises:
            ValueError: no threshold was measured for that rate, or the evaluation had too few people.
        """
        if far is None:
            return self.threshold
        measured = {entry.far: entry.threshold for entry in self.thresholds}
        if far not in measured and not measured and (shortage := self.shortage()):
            raise ValueError(f"there is no threshold for FAR {far:g}: {shortage}")
        if far not in measured:
            raise ValueError(f"no threshold was measured at FAR {far:g}, only at {sorted(measured)}")
        return measured[far]

    def shortage(self, far: float | None = None) -> str | None:
        """Return why the evaluation does not support the default threshold, or that for `far`; else None.

        The default threshold needs enough people, that for a false accept rate also enough pairs of people.
        """
        if self.people is None or self.people_pairs is None:
            return "the calibration does not state its number of people: run `dvc repro evaluate`"
        return SampleSize(self.people, self.people_pairs).shortage(far)

    def galleries(self) -> GalleryCalibration:
        """Return what was measured about identification.

        Raises:
            ValueError: nothing was.
        """
        if self.identification is None:
            raise ValueError(UNMEASURED)
        return self.identification

    def write(self, path: Path) -> None:
        """Write calibration.json atomically."""
        fields = dataclasses.asdict(self)
        text = json.dumps(
            {"format": fields.pop("format"), **fields}, indent=2, ensure_ascii=False, allow_nan=False
        )
        write_text(path, text + "\n")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the matcher stored in a file.

        Raises:
            WeightsInvalid: the file is missing, has another format, or a field is missing or unknown.
        """
        try:
            fields: dict[str, Any] = json.loads(path.read_text())
            if fields.get("format") != FORMAT:
                raise WeightsInvalid(
                    f"{path} has an unsupported format, expected {FORMAT}. Run `dvc repro evaluate`."
                )
            fields["mean"] = None if fields["mean"] is None else tuple(fields["mean"])
            fields["thresholds"] = tuple(Threshold(**entry) for entry in fields["thresholds"])
            if fields.get("identification") is not None:
                fields["identification"] = GalleryCalibration.parse(fields["identification"])
            if fields.get("histogram") is not None:
                fields["histogram"] = Histogram.parse(fields["histogram"])
            return cls(**fields)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise WeightsInvalid(
                f"{path} is not a valid calibration file: {error}. Run `dvc repro evaluate`."
            ) from error


def read_matcher(path: Path, weights_sha256: str) -> Matcher | None:
    """Return the calibration of a model with these weights, or None if it was not evaluated.

    Raises:
        WeightsInvalid: the file is invalid, or the calibration was measured with other weights.
    """
    if not path.exists():
        return None
    matcher = Matcher.read(path)
    matcher.check(weights_sha256)
    return matcher
