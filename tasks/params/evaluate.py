"""Section evaluate of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from tasks.params.section import Fraction, Natural, Positive, Section


class EvaluateParams(Section):
    """The LFW protocol and its options."""

    distance: Literal["euclidean_squared", "arccos", "cosine"]
    flip: Literal["none", "concatenate", "add"]
    subtract_mean: bool
    sweep: Literal["exact", "grid"]
    far: Annotated[float, Field(gt=0, lt=1)]
    precision: Literal["auto", "fp32", "bf16", "fp16"]
    batch_size: Positive
    missing: Literal["fail", "fallback", "skip"]  # of a pair's faces: see tasks/evaluate/pairs.py
    all_pairs: bool  # embed every photo of role evaluate, not only those of pairs
    bootstrap_draws: Positive
    gallery_photos: tuple[Positive, ...]  # k known photos of a person: one gallery for each k
    fpir: Annotated[float, Field(gt=0, lt=1)]  # strangers that may be taken for somebody
    leak_similarity: Fraction  # cosine from which the pixels of two photos are compared
    leak_photos: Natural  # of training, at most, that evaluated ones are compared with
