"""Every error the project raises on purpose.

A message names the object, the place and what to do next, so that it can be shown to a user as it is.
"""


class FaceNetError(Exception):
    """Base of all errors that are the caller's or the data's fault, shown without a traceback."""


class ParamsInvalid(FaceNetError):
    """A parameter is unknown, out of range or contradicts another."""


class SourceInvalid(FaceNetError):
    """A data source is missing, unreadable or not what its parameters say."""


class DownloadFailed(FaceNetError):
    """An archive could be had from no mirror or its digest does not fit."""


class ImageRejected(FaceNetError):
    """One photo cannot be used; `reason` is the status that the manifest records."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(
            reason, message
        )  # both, or it could not be pickled on its way out of a worker process
        self.reason = reason

    def __str__(self) -> str:
        return str(self.args[1])


class PairsFileInvalid(FaceNetError):
    """A pairs or people file does not follow the LFW format."""


class WeightsInvalid(FaceNetError):
    """Weights are missing, have another digest or do not fit the network."""


class DataInvalid(FaceNetError):
    """A data validation suite failed; the message names suite, expectation and rows."""


class TrainingDiverged(FaceNetError):
    """The loss or the weights are no longer finite."""


class CompilationFailed(FaceNetError):
    """A network cannot be compiled on this machine."""


class EmbeddingCollapsed(FaceNetError):
    """All embeddings fell onto one point, so that the triplet loss equals its margin."""


class NoTriplets(FaceNetError):
    """Mining has found no triplet to train on in several epochs."""


class GateFailed(FaceNetError):
    """A model misses a metric that params.yaml asks of it."""
