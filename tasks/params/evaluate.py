"""Section evaluate of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from tasks.params.section import Fraction, Natural, Positive, Section


class EvaluateParams(Section):
    """The LFW verification protocol and its options."""

    distance: Literal["euclidean_squared", "arccos", "cosine"]
    flip: Literal["none", "concatenate", "add", "mean"]  # how the embedding of the mirrored face is used
    subtract_mean: bool  # centre the embeddings before distances are computed
    sweep: Literal["exact", "grid"]  # thresholds tried: every distance, or a fixed grid
    far: Annotated[float, Field(gt=0, lt=1)]  # target false accept rate of VAL
    precision: Literal["auto", "fp32", "bf16", "fp16"]
    batch_size: Positive
    missing: Literal["fail", "fallback", "skip"]  # pairs without a detected face: see tasks/evaluate/pairs.py
    all_pairs: bool  # embed all photos of role evaluate, not only those in pairs
    bootstrap_draws: Positive
    gallery_photos: tuple[Positive, ...]  # photos per person in the gallery; one gallery per value
    # target false positive identification rate: unknown people who are identified as someone
    fpir: Annotated[float, Field(gt=0, lt=1)]
    leak_similarity: Fraction  # cosine similarity at which the pixels of two photos are compared
    leak_photos: Natural  # maximum number of training photos to compare with evaluation photos; 0: none
