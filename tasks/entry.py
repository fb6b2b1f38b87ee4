"""The entry point of stages and commands: an expected error is one message and exit code 1."""

import sys
from collections.abc import Callable

from facenet.errors import FaceNetError


def stage_main(main: Callable[[], None]) -> None:
    """Run `main`; print a FaceNetError as one message without a traceback and exit with code 1."""
    try:
        main()
    except FaceNetError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(1)
