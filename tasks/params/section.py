"""The base class and the number types of the sections of params.yaml."""

from collections.abc import Iterable
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

BOOLEAN = "boolean_for_a_number"  # type of the error
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(gt=0)]
Natural = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Section(BaseModel):
    """A section of params.yaml: no unknown keys, no NaN or infinity, and values cannot be changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _numbers_are_not_booleans(cls, values: Any) -> Any:
        """Refuse `yes`, `on` and `true` for a number, which pydantic would read as 1."""
        for name, value in values.items() if isinstance(values, dict) else ():
            field = cls.model_fields.get(name)
            if isinstance(value, bool) and field is not None and _holds_a_number(field.annotation):
                raise PydanticCustomError(
                    BOOLEAN, "a number is required, got {value}", {"key": name, "value": str(value)}
                )
        return values


def _holds_a_number(kind: Any) -> bool:
    return kind in (int, float) or any(map(_holds_a_number, get_args(kind)))


def one_of(names: Iterable[str]) -> Any:
    """Return a validator that accepts only `names`; its message lists them, as that of a Literal does."""
    allowed = list(names)

    def check(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"Input should be {', '.join(map(repr, allowed))}")
        return value

    return AfterValidator(check)
