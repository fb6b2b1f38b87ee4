"""The GPU, for which runs of different workspaces queue: a global concurrency limit on the Prefect server.

`make deploy` creates the limit with one slot. With several GPUs, raise it in Prefect's UI.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
from prefect.concurrency.sync import concurrency
from prefect.settings import get_current_settings

LIMIT = "gpu"
LEASE_SECONDS = 60.0  # the shortest that Prefect allows: a killed run frees its slot after that
POLL_SECONDS = 5.0
DEVICES = Path("/dev")


def needs_gpu(device: str) -> bool:
    """Return whether a run on `base.device` will use an NVIDIA GPU, without importing torch."""
    if device == "auto":
        return os.environ.get("CUDA_VISIBLE_DEVICES") != "" and any(DEVICES.glob("nvidia[0-9]*"))
    return device.startswith("cuda")


@contextmanager
def gpu_slot(check: Callable[[], None], warn: Callable[[str], None]) -> Iterator[None]:
    """Hold a slot of the limit `gpu`; without a server, without the limit, or in an outage, hold none.

    A lost slot does not end a training: two on one GPU are slow, a lost night is worse.

    Args:
        check: called every few seconds while it waits; an exception ends the wait.
        warn: called with what it waits for, and with why there is no slot.
    """
    with ExitStack() as stack:
        if get_current_settings().api.url:
            _enter(stack, check, warn)
        yield


def _enter(stack: ExitStack, check: Callable[[], None], warn: Callable[[str], None]) -> None:
    waiting = False
    while True:
        check()
        slot = concurrency(
            LIMIT,
            timeout_seconds=POLL_SECONDS,
            lease_duration=LEASE_SECONDS,
            raise_on_lease_renewal_failure=False,
        )
        try:
            stack.enter_context(slot)
        except TimeoutError:
            if not waiting:
                warn(f"Waiting for a GPU: all slots of the concurrency limit {LIMIT!r} are in use.")
            waiting = True
        except ConcurrencySlotAcquisitionError as error:
            warn(f"The run goes on without a slot of the concurrency limit {LIMIT!r}: {error}")
            return
        else:
            return
