"""What facenet.memory keeps, counted in pages that the system had to map."""

import subprocess
import sys

import pytest

BLOCK = 24 * 2**20  # bytes
COUNT_FAULTS = f"""
import resource, sys
import torch
from facenet.memory import keep_freed_memory

largest = sys.argv[1]
if largest != "unset":
    keep_freed_memory(*([int(largest)] if largest else []))
for round in range(4):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [torch.ones({BLOCK}, dtype=torch.uint8) for _ in range(4)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(largest: str) -> int:
    """Return the page faults of a round that allocates four blocks, after three such rounds."""
    command = [sys.executable, "-c", COUNT_FAULTS, largest]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_blocks_are_mapped_once() -> None:
    pages = 4 * BLOCK // 4096
    assert faults("unset") > pages / 2, "without it this test would show nothing"
    assert faults("") < pages / 100


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_longer_blocks_than_the_largest_are_given_back() -> None:
    assert faults(str(BLOCK // 2)) > 2 * BLOCK // 4096
