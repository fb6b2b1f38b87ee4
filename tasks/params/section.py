"""The base class and the number types of the sections of params.yaml."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(gt=0)]
Natural = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Section(BaseModel):
    """A section of params.yaml: unknown keys are refused, and values cannot be changed after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def one_of(names: Iterable[str]) -> Any:
    """Return a validator that accepts only `names`; its message lists them, as that of a Literal does."""
    allowed = list(names)

    def check(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"Input should be {', '.join(map(repr, allowed))}")
        return value

    return AfterValidator(check)
