"""Explain failures of torch.compile in terms of parameters."""

from collections.abc import Iterator
from contextlib import contextmanager

from facenet.errors import CompilationFailed


@contextmanager
def compilation_explained() -> Iterator[None]:
    """Convert errors of torch.compile, which compiles at the first call, into CompilationFailed.

    Raises:
        CompilationFailed: there is no C++ compiler, or the generated code does not compile.
    """
    # Imported here because it takes a second, which uncompiled training does not need.
    from torch._dynamo.exc import TorchDynamoException

    try:
        yield
    except TorchDynamoException as error:
        reason = str(error).strip().partition("\n\n")[0]  # the rest is for developers of torch
        raise CompilationFailed(
            f"train.compile is true, but torch.compile cannot compile the network:\n{reason}\n"
            "Set train.compile to false, or install a C++ compiler (apt-get install g++) or set CXX to one."
        ) from error
