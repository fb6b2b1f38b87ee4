"""Section register of params.yaml."""

from typing import Literal

from tasks.params.section import Section


class PromotionParams(Section):
    """When a challenger replaces the champion: `metric` at least `min_gain` above the champion's."""

    metric: str
    min_gain: float
    require_significance: bool = False  # the interval of the paired difference of accuracies lies above it


class RegisterParams(Section):
    """The name in the registry and the metrics a model must reach to get a version; the report of the run."""

    model: str
    gates: dict[str, float]  # least value of a metric of reports/evaluation.json
    promotion: PromotionParams
    report_photos: Literal["auto", "always", "never"] = "auto"  # auto: if all sources are orl, lfw or celeba
