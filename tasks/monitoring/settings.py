"""How days are compared."""

from dataclasses import dataclass
from typing import Literal

from facenet.errors import ParamsInvalid

Against = Literal["auto", "model", "site"]


SITE_ROWS = 500  # of earlier days, from which they are a reference


@dataclass(frozen=True, kw_only=True)
class MonitoringSettings:
    """The options of monitoring.

    rate: of false alarms: the probability that a day without a change has any alarm, in (0, 1). least_rows:
    with fewer there is no test. history: days before the day that shares, scores and latency are compared
    with. against: what faces are compared with: "model", the reference of the model; "site", the site's
    earlier days; "auto", these as soon as they have `SITE_ROWS` rows, and the model until then. no_match: the
    share of no match to expect, instead of that of earlier days.

    Raises:
        ParamsInvalid: a value is out of range.
    """

    rate: float = 0.01
    least_rows: int = 50
    history: int = 28
    against: Against = "auto"
    no_match: float | None = None

    def __post_init__(self) -> None:
        if not 0.0001 <= self.rate <= 0.5:
            raise ParamsInvalid(f"The rate of false alarms is {self.rate}: from 0.0001 to 0.5 is required.")
        if self.least_rows < 10 or self.history < 1:
            raise ParamsInvalid("At least 10 rows and 1 day of history are required.")
        if self.no_match is not None and not 0 <= self.no_match <= 1:
            raise ParamsInvalid(f"The share of no match is {self.no_match}: from 0 to 1 is required.")
