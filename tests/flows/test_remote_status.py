"""A real DVC repository: without a remote, with one, with one that is gone, and with a wrong one."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows.remote_status import RemoteMissing, main, reach


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet", "--no-scm"], check=True)
    return tmp_path


def use(repository: Path, url: str) -> None:
    text = f"[core]\n no_scm = true\n remote = team\n['remote \"team\"']\n url = {url}\n"
    (repository / ".dvc" / "config").write_text(text)


def test_each_state_of_the_remote(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reach() is None
    (repository / "storage").mkdir()
    use(repository, str(repository / "storage"))
    assert reach() == f"team at {repository}/storage answers"
    use(repository, str(repository / "elsewhere"))
    with pytest.raises(RemoteMissing, match="elsewhere, which does not exist") as missing:
        reach()
    assert missing.value.fix == f"mount it, or mkdir -p '{repository}/elsewhere' and dvc push"
    use(repository, "unknown://ada:secret@host/path")
    with pytest.raises(SystemExit) as stop:
        main()
    out = capsys.readouterr().out
    assert stop.value.code == 1
    assert "secret" not in out
    assert len(out.splitlines()) == 2
