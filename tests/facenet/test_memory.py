"""Memory that facenet.memory keeps, measured in pages that the system had to map."""

import subprocess
import sys

import pytest

BLOCK = 24 * 2**20  # bytes
PAGES = 4 * BLOCK // 4096  # of the four blocks
ROUNDS = 20
COUNT_FAULTS = f"""
import resource, sys
import torch
from facenet.memory import keep_freed_memory

keep_freed_memory(*map(int, sys.argv[1:]))
for round in range(2 * {ROUNDS}):
    if round == {ROUNDS}:  # the heap moves upwards for some rounds before it settles
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [torch.ones({BLOCK}, dtype=torch.uint8) for _ in range(4)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*largest: int) -> int:
    """Return the page faults of rounds that allocate four blocks each, after as many warm-up rounds."""
    command = [sys.executable, "-c", COUNT_FAULTS, *map(str, largest)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_blocks_are_mapped_once() -> None:
    assert faults() < PAGES / 10


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_blocks_above_the_limit_are_returned() -> None:
    assert faults(BLOCK // 2) > ROUNDS * PAGES / 2
