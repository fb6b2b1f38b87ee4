"""The check of the number of people that all classification losses share."""

from facenet.errors import ParamsInvalid


def check_classes(classes: int) -> None:
    """Raise ParamsInvalid when there are fewer than two people to classify."""
    if classes < 2:
        raise ParamsInvalid(
            f"A classification loss needs two people or more, there are {classes}. "
            "Lower triplets.min_images or triplets.validation_fraction, or add photos in ingest.sources."
        )
