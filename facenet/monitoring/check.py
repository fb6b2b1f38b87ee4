"""The outcome of one check of a day."""

from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["ok", "alarm", "too few", "no reference"]
ABBREVIATIONS = ("ks", "psi", "mmd")


@dataclass(frozen=True, kw_only=True)
class Check:
    """What one check found.

    name: of the quantity. statistic: ks, psi, mmd, share or ratio. value: of the statistic; None if it was
    not computed. level: it is an alarm above this. p: probability of such a value without a change, which
    must be below the rate of the check as well; None where the level was chosen for the rate. rows: of the
    day. reference_rows: compared with. usual, found: the reference's and the day's median or share, in the
    unit of the quantity.
    """

    name: str
    statistic: str
    verdict: Verdict
    rows: int
    reference_rows: int = 0
    value: float | None = None
    level: float | None = None
    p: float | None = None
    usual: float | None = None
    found: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields."""
        return dict(vars(self))

    def __str__(self) -> str:
        statistic = self.statistic.upper() if self.statistic in ABBREVIATIONS else self.statistic
        if self.value is None or self.level is None:
            compared = f"{self.rows} rows and {self.reference_rows} to compare with"
            return f"{self.name} ({statistic}): {self.verdict}, {compared}"
        change = "" if self.usual is None else f" from {self.usual:.3g} to {self.found:.3g}"
        chance = "" if self.p is None else f", p {self.p:.2g}"
        return f"{self.name}{change} ({statistic} {self.value:.3g}, alarm above {self.level:.3g}{chance})"
