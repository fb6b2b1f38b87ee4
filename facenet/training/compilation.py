"""What torch.compile's failures are for a user: a parameter, and what to do."""

from collections.abc import Iterator
from contextlib import contextmanager

from facenet.errors import CompilationFailed


@contextmanager
def compilation_explained() -> Iterator[None]:
    """Turn an error of torch.compile, which compiles at the first call, into ours.

    Raises:
        CompilationFailed: there is no C++ compiler, or what torch.compile wrote cannot be compiled.
    """
    from torch._dynamo.exc import (
        TorchDynamoException,
    )  # takes a second that uncompiled training need not wait

    try:
        yield
    except TorchDynamoException as error:
        reason = str(error).strip().partition("\n\n")[0]  # what follows is for torch's developers
        raise CompilationFailed(
            f"train.compile is true, and torch.compile cannot compile the network:\n{reason}\n"
            "Set train.compile to false, or install a C++ compiler (apt-get install g++) or name one in CXX."
        ) from error
