import os
import subprocess
import sys

import pytest

from facenet.cores import cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no affinity")
def test_a_process_restricted_to_one_processor_has_one() -> None:
    script = (
        "import os; from facenet.cores import cores; "
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); print(cores())"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "1\n"
    assert cores() >= 1
