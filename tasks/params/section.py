"""The base class and the number types of the sections of params.yaml."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(gt=0)]
Natural = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Section(BaseModel):
    """A section of params.yaml: unknown keys are refused, and values cannot be changed after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid")
