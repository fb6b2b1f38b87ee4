"""Section align of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from facenet.images import ImageFormat
from tasks.params.section import Fraction, Natural, Positive, Section


class AlignParams(Section):
    """How faces are detected and cropped; stored with the model."""

    min_face: Annotated[int, Field(ge=12)]  # pixels, shorter side of the smallest face to detect
    thresholds: tuple[Fraction, Fraction, Fraction]  # of P-Net, R-Net and O-Net
    factor: Annotated[float, Field(gt=0, lt=1)]  # between consecutive scales of the image pyramid
    # pixels; larger photos are reduced for detection, boxes stay in source pixels
    max_side: Annotated[int, Field(ge=12)]
    selection: Literal["center_weighted", "largest", "most_probable"]  # which face, if several are found
    # box plus margin, a similarity transform of the landmarks, or whole photos without detection
    method: Literal["crop", "similarity", "none"]
    image_size: Positive  # pixels, side of the stored face image
    margin: Natural  # pixels in total, half on each side
    margin_in: Literal["source", "output"]  # davidsandberg/facenet | facenet-pytorch
    # method similarity: where the landmarks go, see facenet/detection/templates.py
    template: Literal["arcface", "dlib", "ours"] = "arcface"
    image_format: ImageFormat  # webp and png are lossless; webp is smaller and twice as fast to write

    @model_validator(mode="after")
    def _no_margin_around_a_photo(self) -> "AlignParams":
        if self.method == "none" and self.margin:
            raise ValueError(f"method none uses whole photos: set margin to 0, not {self.margin}")
        return self
