"""Section register of params.yaml."""

import re
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from tasks.params.section import Section

LOWER_IS_BETTER = re.compile(
    r"(.*_)?(eer|std|standard_error|error|loss|brier)|far|fpir|fallbacks|identity_overlap|leaked_\w+"
    r"|peak_memory_mb"
)


def lower_is_better(metric: str) -> bool:
    """Return whether a smaller value of this metric of reports/evaluation.json is the better one."""
    return LOWER_IS_BETTER.fullmatch(metric) is not None


class Bounds(Section):
    """The range of a gate: `min`, `max` or both."""

    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _is_a_range(self) -> "Bounds":
        if self.min is None and self.max is None:
            raise ValueError("a gate needs min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is larger than max {self.max:g}")
        return self


def _form(value: Any) -> str | None:
    if isinstance(value, dict | Bounds):
        return "range"
    return "minimum" if isinstance(value, int | float) and not isinstance(value, bool) else None


Gate = Annotated[
    Annotated[float, Tag("minimum")] | Annotated[Bounds, Tag("range")],
    Discriminator(
        _form,
        custom_error_type="gate",
        custom_error_message="a gate is a number, its minimum, or {min: ..., max: ...}",
    ),
]


class PromotionParams(Section):
    """When a challenger replaces the champion: it is not worse, and better or trained on newer data.

    Not worse: the interval of the paired accuracy difference is above -`margin`. Better: its `metric` is at
    least `min_gain` above the champion's, or the interval is above zero. See docs/how-to/promotion.md.
    """

    metric: str
    min_gain: float
    # null: no such comparison, only the gain counts
    margin: Annotated[float, Field(ge=0)] | None = 0.01
    # require, even for newer data, that the interval of the paired accuracy difference is above min_gain
    require_significance: bool = False
    # a person has to approve each promotion in the Prefect UI
    approval: bool = False


class RegisterParams(Section):
    """The model's name in the registry, the gates a model must pass to be registered, and the report."""

    # a name that MLflow accepts and that `models:/NAME@ALIAS` can hold
    model: Annotated[str, Field(pattern=r"^\w([\w .+()=,-]*[\w+)=])?$", max_length=200)]
    # by metric of reports/evaluation.json: a number is its minimum; {min: a}, {max: b} or both are a range
    gates: dict[str, Gate]
    promotion: PromotionParams
    # photos in the report page; auto: if all sources are orl, lfw or celeba
    report_photos: Literal["auto", "always", "never"] = "auto"

    @field_validator("gates", mode="after")
    @classmethod
    def _bounds_are_on_the_right_side(cls, gates: dict[str, Gate]) -> dict[str, Gate]:
        for metric, gate in gates.items():
            if lower_is_better(metric) and not isinstance(gate, Bounds):
                raise ValueError(
                    f"{metric}: {gate:g} is a minimum, but lower is better: write {metric}: {{max: {gate:g}}}"
                )
        return gates
