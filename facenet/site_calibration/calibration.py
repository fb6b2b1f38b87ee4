"""The file of a site calibration, and how it replaces the thresholds and the curve of an evaluation."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from facenet.atomic import write_text
from facenet.errors import WeightsInvalid
from facenet.evaluation.histogram import Histogram
from facenet.matching import Matcher, Threshold

FORMAT = 1
SITE_FILE = "site_calibration.json"  # in the folder of a model, which then uses it


@dataclass(frozen=True, kw_only=True)
class SiteMatcher(Matcher):
    """An evaluation's calibration with the thresholds, curve, people and histogram of a site.

    site: its name.
    """

    site: str

    @property
    def site_name(self) -> str | None:
        """The name of the site."""
        return self.site


@dataclass(frozen=True, kw_only=True)
class SiteThreshold:
    """The threshold for one false accept rate.

    group, long_run: 95 % intervals of the rate of another group of as many people, and of all people like
    these. supported: whether there were enough people and pairs of people to state the rate.
    """

    far: float
    threshold: float
    group: tuple[float, float]
    long_run: tuple[float, float]
    supported: bool


@dataclass(frozen=True, kw_only=True)
class SiteCalibration:
    """The content of a site calibration; it has no photo, name or template of anybody.

    name: of the site. model_digest: of the only model that it can be used with. far: the default target rate,
    one of `thresholds`. slope, intercept: of the probability curve; None: the evaluation's curve is used.
    people, people_pairs, photos: compared. histogram: of their distances.
    """

    name: str
    model_digest: str
    far: float
    thresholds: tuple[SiteThreshold, ...]
    slope: float | None
    intercept: float | None
    people: int
    people_pairs: int
    photos: int
    histogram: Histogram
    format: int = FORMAT

    @property
    def default(self) -> SiteThreshold:
        """The threshold for the default target rate."""
        return next(entry for entry in self.thresholds if entry.far == self.far)

    def __str__(self) -> str:
        return f"{self.name} ({self.people} people, FAR {self.far:g})"

    def check(self, model_digest: str, path: Path) -> None:
        """Raise WeightsInvalid if the site calibration, which is stored in `path`, is of another model."""
        if self.model_digest != model_digest:
            raise WeightsInvalid(
                f"The site calibration {path} belongs to the model {self.model_digest[:12]}, and this is "
                f"{model_digest[:12]}. Run `facenet calibrate` with it, or use it without: --site none."
            )

    def applied(self, matcher: Matcher) -> SiteMatcher:
        """Return the evaluation's calibration with the site's thresholds, probability curve and people.

        Flips, mean and metric stay, so templates stay comparable, and so does what was measured about
        identification in galleries.
        """
        replaced: dict[str, Any] = {
            "threshold": self.default.threshold,
            "thresholds": tuple(Threshold(t.far, t.threshold, t.supported) for t in self.thresholds),
            "people": self.people,
            "people_pairs": self.people_pairs,
            "histogram": self.histogram,
        }
        if self.slope is not None:
            replaced |= {"slope": self.slope, "intercept": self.intercept}
        return SiteMatcher(site=self.name, **{**vars(matcher), **replaced})

    def to_json(self) -> str:
        """Return the text of the file, `format` first."""
        fields = dataclasses.asdict(self)
        ordered = {"format": fields.pop("format"), **fields}
        return json.dumps(ordered, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def write(self, path: Path) -> None:
        """Write the file atomically.

        Raises:
            StorageFailed: the disk is full or the folder is not writable.
        """
        write_text(path, self.to_json())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the site calibration stored in a file.

        Raises:
            WeightsInvalid: the file is missing, has another format, or a field is missing or unknown.
        """
        try:
            fields: dict[str, Any] = json.loads(path.read_text())
            if fields.get("format") != FORMAT:
                raise WeightsInvalid(
                    f"{path} has an unsupported format, expected {FORMAT}. Run `facenet calibrate`."
                )
            fields["thresholds"] = tuple(map(_threshold, fields["thresholds"]))
            fields["histogram"] = Histogram.parse(fields["histogram"])
            found = cls(**fields)
            _ = found.default
        except (OSError, ValueError, TypeError, KeyError, AttributeError, StopIteration) as error:
            raise WeightsInvalid(
                f"{path} is not a valid site calibration: {error}. Run `facenet calibrate`."
            ) from error
        return found


def _threshold(fields: dict[str, Any]) -> SiteThreshold:
    """Return the threshold of its JSON object."""
    intervals = {name: tuple(map(float, fields[name])) for name in ("group", "long_run")}
    return SiteThreshold(**{**fields, **intervals})
