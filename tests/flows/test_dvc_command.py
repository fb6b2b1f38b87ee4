import subprocess

from flows.dvc_command import dvc_command, dvc_commands, dvc_environment


def test_it_is_the_dvc_of_this_environment_whatever_the_path(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    import dvc

    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    command = dvc_command("version")
    done = subprocess.run(command, env=dvc_environment(), capture_output=True, text=True, check=True)
    assert f"DVC version: {dvc.__version__}" in done.stdout
    which = ["python", "-c", "import sys; print(sys.executable)"]
    found = subprocess.run(which, env=dvc_environment(), capture_output=True, text=True, check=True)
    assert found.stdout.strip() == command[0]


def test_several_commands_run_in_one_process_up_to_one_that_fails(tmp_path) -> None:  # type: ignore[no-untyped-def]
    command = dvc_commands(["init", "--no-scm", "-q"], ["status", "--json"], ["repro", "-q"], ["version"])
    done = subprocess.run(command, env=dvc_environment(), cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("{}\n", 255)
