"""Section register of params.yaml."""

from typing import Literal

from tasks.params.section import Section


class PromotionParams(Section):
    """When a challenger replaces the champion: its `metric` is at least `min_gain` above the champion's."""

    metric: str
    min_gain: float
    # also require that the interval of the paired accuracy difference is above min_gain
    require_significance: bool = False


class RegisterParams(Section):
    """The model's name in the registry, the gates a model must pass to be registered, and the report."""

    model: str
    gates: dict[str, float]  # minimum of a metric in reports/evaluation.json
    promotion: PromotionParams
    # photos in the report page; auto: if all sources are orl, lfw or celeba
    report_photos: Literal["auto", "always", "never"] = "auto"
