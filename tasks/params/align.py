"""Section align of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from facenet.images import ImageFormat
from tasks.params.section import Fraction, Natural, Positive, Section


class AlignParams(Section):
    """How a face is found and cut out; all of it is stored with the model."""

    min_face: Annotated[int, Field(ge=12)]  # pixels, shortest side of a face to look for
    thresholds: tuple[Fraction, Fraction, Fraction]  # P-Net, R-Net, O-Net
    factor: Annotated[float, Field(gt=0, lt=1)]  # between the scales of the pyramid
    max_side: Positive  # pixels; larger photos are detected on a reduced copy, boxes stay in source pixels
    selection: Literal["center_weighted", "largest", "most_probable"]
    method: Literal["crop", "similarity"]
    image_size: Positive  # pixels, side of the stored face
    margin: Natural  # pixels added in all, half on each side
    margin_in: Literal["source", "output"]  # davidsandberg/facenet | facenet-pytorch
    image_format: ImageFormat  # webp and png lose nothing; webp is smaller and twice as fast to write
