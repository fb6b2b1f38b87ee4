"""A real process of `facenet review`, and what it refuses to start with."""

import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import requests

from tests.commands.running import ROOT, facenet_process
from tests.service.review.workspaces import small_workspace


def test_a_review_is_served_and_writes_under_the_given_name(tmp_path: Path) -> None:
    made = small_workspace(tmp_path)
    command = [sys.executable, "-m", "commands.main", "review", "--port", "0", "--reviewer", "Eve"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True,
                          env={"PYTHONPATH": str(ROOT), "PATH": ""}) as process:  # fmt: skip
        assert process.stderr is not None
        assert select.select([process.stderr], [], [], 120)[0]
        line = process.stderr.readline()
        assert "6 of 6 suspects to review as Eve on http://127.0.0.1:" in line
        address = re.findall(r"http://[\d.:]+\d", line)[0]
        page = requests.get(address, timeout=60).text
        key = re.findall(r'id="s-([0-9a-f]{16})"', page)[0]
        assert requests.post(f"{address}/decide", data={"key": key, "action": "keep"}, timeout=60).ok
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert made.decisions.read_text().splitlines()[1].split(",")[1:5] == ["Ann", "keep", "", "Eve"]


def test_without_an_audit_it_says_how_to_make_one(tmp_path: Path) -> None:
    done = facenet_process(tmp_path, "review", "--port", "0")
    assert done.returncode == 2
    assert "There is no reports/label_audit.parquet. Run `facenet audit` first." in done.stderr


def test_a_reviewer_needs_a_name(tmp_path: Path) -> None:
    done = facenet_process(tmp_path, "review", "--reviewer", " ")
    assert (done.returncode, "Choose --reviewer" in done.stderr) == (2, True)
