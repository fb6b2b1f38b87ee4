"""Every error the project raises deliberately.

A message names the object, the place and what to do next, so that it can be shown to users directly.
"""


class FaceNetError(Exception):
    """Base of all errors caused by the caller or the data, shown without a traceback."""


class ParamsInvalid(FaceNetError):
    """A parameter is unknown, out of range or conflicts with another."""


class SourceInvalid(FaceNetError):
    """A data source is missing, unreadable or does not match its parameters."""


class DownloadFailed(FaceNetError):
    """No mirror has an archive, or its digest is wrong."""


class ImageRejected(FaceNetError):
    """One photo cannot be used; `reason` is the status that the manifest records."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)  # both are needed to unpickle it in the parent of a worker process
        self.reason = reason

    def __str__(self) -> str:
        return str(self.args[1])


class StorageFailed(FaceNetError):
    """A file cannot be read or written: disk full, permission denied, or something else in its place."""


class PairsFileInvalid(FaceNetError):
    """A pairs or people file does not follow the LFW format."""


class WeightsInvalid(FaceNetError):
    """Weights are missing, have the wrong digest or do not match the network."""


class DataInvalid(FaceNetError):
    """Data is missing, damaged or failed validation; the message names suite, expectation and rows."""


class TrainingDiverged(FaceNetError):
    """The loss or the weights are no longer finite."""


class CompilationFailed(FaceNetError):
    """A network cannot be compiled on this machine."""


class EmbeddingCollapsed(FaceNetError):
    """All embeddings collapsed to one point, so that the triplet loss equals its margin."""


class NoTriplets(FaceNetError):
    """Mining has found no triplets to train on for several epochs."""


class GateFailed(FaceNetError):
    """A model misses a metric that params.yaml requires."""


class ExportFailed(FaceNetError):
    """An exported network does not compute what the original does."""


class PackageMissing(FaceNetError):
    """A package of an optional extra is not installed; the message names the extra."""
