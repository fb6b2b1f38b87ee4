"""Every command in the documentation is run by a test or by CI; RUN_BY says where and in which words."""

import re
from pathlib import Path

import pytest

PIPELINE, PRETRAINED, SERVING = (
    "tests/test_pipeline.py",
    "tests/test_pretrained.py",
    "tests/tasks/tracking/test_serving.py",
)
MLFLOW, SERVER, CRON = "tests/tasks/conftest.py", "tests/conftest.py", "tests/flows/test_training.py"
DETECT = "tests/commands/test_detect.py"
COMMANDS_PAGE = "tests/test_commands_doc.py"
CLONE = "faults/scenarios/clone_and_pull.py"
PROMOTION = "tests/flows/test_promotion.py"
DASK, TUTORIAL = "tests/tasks/dask_processes.py", "tests/test_tutorial.py"
SERVICES, SWITCH = "tests/operations/test_up.py", "faults/scenarios/serving_switch.py"
FIRST_STEPS = "tests/commands/test_main.py"
AUDIT = "tests/commands/test_audit.py"
CALIBRATE = "tests/commands/test_calibrate.py"
FORGET = "tests/commands/test_forget.py"
SERVE, TOKENS = "tests/commands/test_serve.py", "tests/commands/test_token.py"
MONITOR = "tests/commands/test_monitor.py"
RUN_BY = {
    "facenet monitor": (MONITOR, '"monitor", "--day"'),
    "facenet monitor --day 2026-11-30 --json": (
        MONITOR,
        '"--day", "2021-05-05", "--model", model_folder, "--json"',
    ),
    "python -m flows.monitoring --day yesterday": ("tests/flows/test_monitoring.py", 'main(["--day"'),
    "make setup": ("tests/test_makefile.py", '"setup"'),
    'facenet forget "Ada Lovelace"': (FORGET, 'facenet("forget", ADA, "--json")'),
    'facenet forget "Ada Lovelace" --yes --why "request of 1 December"': (FORGET, '"--yes", "--why"'),
    "facenet serve": (SERVE, '"serve", "--port", "0"'),
    "facenet serve --allow-host faces.example.org": (SERVE, '"--allow-host", "faces.example.org"'),
    "facenet token create phone --scope enrol --days 30": (TOKENS, '"create", "phone", "--scope", "enrol"'),
    "facenet token list": (TOKENS, '"token", "list"'),
    "facenet token revoke phone": (TOKENS, '"token", "revoke", "phone"'),
    "curl -s http://127.0.0.1:8000/v1/verify -F left=@a.jpg -F right=@b.jpg": (
        SERVE,
        '"docs" / "how-to" / "serve.md"',
    ),
    "curl -s http://127.0.0.1:8000/v1/identify -F photo=@a.jpg": (SERVE, '"docs" / "how-to" / "serve.md"'),
    "curl -s http://127.0.0.1:8000/v1/embed -F photos=@a.jpg -F photos=@b.jpg -F every=true": (
        SERVE,
        '"docs" / "how-to" / "serve.md"',
    ),
    'curl -s http://127.0.0.1:8000/v1/people -F "name=Ada Lovelace" -F photos=@a.jpg -F photos=@b.jpg': (
        SERVE,
        '"docs" / "how-to" / "serve.md"',
    ),
    'curl -s "http://127.0.0.1:8000/v1/people?search=ada"': (SERVE, '"docs" / "how-to" / "serve.md"'),
    "curl -s http://127.0.0.1:8000/v1/people/Ada%20Lovelace": (SERVE, '"docs" / "how-to" / "serve.md"'),
    "curl -s -X DELETE http://127.0.0.1:8000/v1/people/Ada%20Lovelace": (
        SERVE,
        '"docs" / "how-to" / "serve.md"',
    ),
    "curl -s http://127.0.0.1:8000/v1/model": (SERVE, '"docs" / "how-to" / "serve.md"'),
    "make run": (PIPELINE, '"make", "run"'),
    "make test": (".ci/run", "make test"),
    "infra/docker/make-secrets": ("tests/infra/test_docker.py", 'folder / "make-secrets"'),
    "cp infra/docker/.env.example infra/docker/.env": ("tests/infra/test_docker.py", '".env.example"'),
    "make faults": ("tests/faults/test_main.py", "main("),
    "make test-gpu": ("tests/test_gpu.py", "make test-gpu"),
    "make recipes": (PIPELINE, '"make", "recipes"'),
    "make recipe NAME=photos && dvc repro": (PIPELINE, "NAME=photos"),
    'make recipe NAME="arcface on-lfw-view1"': (PIPELINE, "NAME=arcface on-lfw-view1"),
    'make recipe NAME="pretrained on-lfw-view2" && dvc repro': (PRETRAINED, "NAME=pretrained on-lfw-view2"),
    "export FACENET_MIRRORS=/data/lfw": (PRETRAINED, "mirrors="),
    "make data-docs": (PIPELINE, '"make", "data-docs"'),
    "make ui": (MLFLOW, "--backend-store-uri"),
    "make up": (SERVICES, '"up", "--wait"'),
    "make status": (SERVICES, 'root, "status")'),
    "make down": (SERVICES, 'root, "down")'),
    "source .services/env": (SERVICES, "source '{running.environment}'"),
    'make up ARGS="--serve --prefect-port 4300"': (SWITCH, 'running(folder, "--serve")'),
    "make up ARGS=--auth": ("faults/scenarios/services_auth.py", 'running(folder, "--auth")'),
    "make up ARGS=--serve": (SWITCH, 'running(folder, "--serve")'),
    "python -m operations switch": (SWITCH, 'servers.command("switch")'),
    "source .venv/bin/activate": ("faults/project.py", '"PATH": f"{programs}'),
    "dvc repro": (PIPELINE, "project.repro()"),
    "dvc exp run -S evaluate.sweep=grid": (PIPELINE, '"dvc", "exp", "run", "-S"'),
    "dvc exp run -S train.margin=0.3": (PIPELINE, '"train.margin=0.3"'),
    "python -m flows.sweep --grid train.margin=0.2,0.35 --grid train.epochs=2,4": (PIPELINE, '"flows.sweep"'),
    "accelerate launch --multi_gpu --num_processes 2 --main_process_port 0 -m tasks.train": (
        PIPELINE,
        '"accelerate", "launch", "--multi_gpu"',
    ),
    "dvc commit --force train": (PIPELINE, '"dvc", "commit", "--force", "train"'),
    "dvc metrics show": (PIPELINE, '"dvc", "metrics", "show"'),
    "prefect server start --background": (SERVER, '"server", "start"'),
    "export PREFECT_API_URL=http://127.0.0.1:4200/api": (SERVER, "PREFECT_API_URL"),
    "python -m flows.training": (PIPELINE, '"flows.training"'),
    'python -m flows.training serve --cron "0 2 * * *"': (CRON, '"--cron"'),
    "python -m flows.promotion": (TUTORIAL, '"docs" / "tutorial.md"'),
    "python -m flows.promotion rollback": (PROMOTION, "rollback"),
    "python -m flows.promotion --version 7": (PROMOTION, '"--version"'),
    "python -m flows.promotion show": (PROMOTION, '"show"'),
    "python -m flows.promotion history": (PROMOTION, '"history"'),
    "python -m flows.promotion export registry.json": (PROMOTION, '"export", "registry.json"'),
    "python -m flows.promotion restore registry.json": (PROMOTION, '"restore", "registry.json"'),
    "MLFLOW_TRACKING_URI=sqlite:///mlflow.db mlflow models serve -m models:/facenet@champion "
    "--env-manager local --port 5001": (
        SERVING,
        '"models", "serve"',
    ),
    "mlflow models serve -m models:/facenet@champion --env-manager local --host 127.0.0.1 --port 5001": (
        SERVING,
        '"models", "serve"',
    ),
    'printf \'{"inputs": [{"image": "%s"}]}\' "$(base64 -w0 photo.jpg)" | curl -s -H \'Content-Type: '
    "application/json' --data-binary @- http://127.0.0.1:5001/invocations": (SERVING, '{"inputs": rows}'),
    'printf \'{"inputs": [{"left": "%s", "right": "%s"}]}\' "$(base64 -w0 left.jpg)" "$(base64 -w0 '
    "right.jpg)\" | curl -s -H 'Content-Type: application/json' --data-binary @- "
    "http://127.0.0.1:5001/invocations": (*(SERVING, '{"inputs": asked}'),),
    "mlflow server --host 127.0.0.1 --port 5000 --workers 1 --backend-store-uri "
    "sqlite:////srv/mlflow/mlflow.db --artifacts-destination /srv/mlflow/artifacts": (
        MLFLOW,
        "--artifacts-destination",
    ),
    "export MLFLOW_DISABLE_TELEMETRY=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false": (
        MLFLOW,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION",
    ),
    "export MLFLOW_TRACKING_URI=http://127.0.0.1:5000": (
        "tests/tasks/test_register.py",
        '"MLFLOW_TRACKING_URI", mlflow_server',
    ),
    "dvc remote add --default storage /srv/facenet/storage": (
        CLONE,
        '"remote", "add", "--default", "storage"',
    ),
    "facenet reproduce models:/facenet@champion": (
        "faults/scenarios/reproduce_champion.py",
        '"facenet", "reproduce", CHAMPION',
    ),
    "make backup TO=/backups/monday": ("faults/scenarios/backup_restore.py", '"make", "backup", f"TO='),
    "make restore FROM=/backups/monday": ("faults/scenarios/backup_restore.py", '"make", "restore", f"FROM='),
    "make prune": ("faults/scenarios/retention.py", '"-m", "flows.retention"'),
    'make prune ARGS="--days 30 --apply"': ("faults/scenarios/retention.py", '"--apply"'),
    "export FACENET_GALLERY=postgresql://facenet:PASSWORD@db.example.org/faces": (
        "tests/service/gallery/test_location.py",
        'setenv("FACENET_GALLERY"',
    ),
    "make update": (CLONE, '"make", "update"'),
    "git clone --quiet https://example.org/team/facenet.git facenet && cd facenet && make setup": (
        CLONE,
        '"git", "clone", "--quiet"',
    ),
    "git switch --quiet nightly": (CLONE, '"git", "switch", "--quiet", "nightly"'),
    "dvc pull --run-cache": (CLONE, '"dvc", "pull", "--run-cache"'),
    "dask scheduler --host 0.0.0.0 --port 8786": (DASK, '"scheduler", "--host"'),
    "OMP_NUM_THREADS=1 dask worker tcp://HOST:8786 --nworkers 8 --nthreads 1": (DASK, '"--nthreads", "1"'),
    "export FACENET_DASK_SCHEDULER=tcp://HOST:8786": (MLFLOW, "FACENET_DASK_SCHEDULER"),
    "git init && git add . && git commit -m Begin && make setup": (TUTORIAL, '"docs" / "tutorial.md"'),
    "facenet detect photos/ --json": (DETECT, '"--json"'),
    "facenet detect group.jpg --out drawn/": (DETECT, '"--out", "drawn"'),
    "facenet verify ada1.jpg ada2.jpg": (FIRST_STEPS, '"docs" / "first-steps.md"'),
    "facenet verify ada1.jpg bob1.jpg": (FIRST_STEPS, '"docs" / "first-steps.md"'),
    "facenet enrol Ada ada1.jpg ada2.jpg": (FIRST_STEPS, '"docs" / "first-steps.md"'),
    "facenet enrol Bob bob1.jpg": (FIRST_STEPS, '"docs" / "first-steps.md"'),
    "facenet identify group.jpg": (FIRST_STEPS, '"docs" / "first-steps.md"'),
    "facenet people": (FIRST_STEPS, '"docs" / "first-steps.md"'),
    "facenet remove Ada": (FIRST_STEPS, '"docs" / "first-steps.md"'),
    "facenet remove Bob": (FIRST_STEPS, '"docs" / "first-steps.md"'),
    "facenet identify party.jpg": ("tests/commands/test_identify.py", 'facenet("identify", "group.png"'),
    "facenet identify party.jpg --fpir 0.01": ("tests/commands/test_identify.py", '"--fpir"'),
    "facenet results": (PIPELINE, '"facenet", "results"'),
    "facenet verify ann-1.jpg ann-2.jpg": (COMMANDS_PAGE, '"docs" / "how-to" / "commands.md"'),
    "facenet verify a.jpg b.jpg": ("tests/commands/test_verify.py", 'facenet("verify", ANN, ANN2)'),
    "facenet compare ann-1.jpg ann-2.jpg bob-1.jpg": (COMMANDS_PAGE, '"docs" / "how-to" / "commands.md"'),
    "facenet embed photos/ --out templates.parquet": (COMMANDS_PAGE, '"docs" / "how-to" / "commands.md"'),
    "facenet enrol Ann ann-1.jpg ann-2.jpg": (COMMANDS_PAGE, '"docs" / "how-to" / "commands.md"'),
    "facenet enrol --from people/": (COMMANDS_PAGE, '"docs" / "how-to" / "commands.md"'),
    "facenet remove Ann": (COMMANDS_PAGE, '"docs" / "how-to" / "commands.md"'),
    "facenet gallery info": (COMMANDS_PAGE, '"docs" / "how-to" / "commands.md"'),
    "facenet cluster photos/ --out sorted/": (COMMANDS_PAGE, '"docs" / "how-to" / "commands.md"'),
    "facenet detect group.jpg": (COMMANDS_PAGE, '"docs" / "how-to" / "commands.md"'),
    'facenet verify ann-1.jpg ann-2.jpg --json > answer.json && echo "the same person"': (
        "tests/commands/test_verify.py",
        'facenet("verify", ANN, BOB, "--json")',
    ),
    "facenet gallery migrate --drop": (
        "tests/commands/test_gallery.py",
        'facenet("gallery", "migrate", "--drop")',
    ),
    'eval "$(facenet completion bash)"': ("tests/commands/test_completion.py", "input=script + ask"),
    "facenet review": ("tests/commands/test_review.py", '"commands.main", "review"'),
    "facenet audit": (AUDIT, 'words = ["audit", "--model"'),
    "facenet audit --model pretrained": (AUDIT, '"audit", "--model", "pretrained"'),
    "facenet doctor": ("tests/commands/test_doctor.py", 'facenet("doctor")'),
    "facenet calibrate people/ --far 0.01": (CALIBRATE, 'facenet("calibrate", "site") == 0'),
    "facenet calibrate people/ --far 0.01 --name office --out site.json --plot site.png": (
        CALIBRATE,
        '"--out", "site.json", "--plot", "a.png"',
    ),
    "facenet calibrate people/ --far 0.01 --store": (CALIBRATE, '"calibrate", "site", "--store"'),
    "facenet verify ada1.jpg ada2.jpg --site site.json": (CALIBRATE, '"--site", "site.json"'),
    "facenet serve --site site.json": (SERVE, '["--site", "site.json"]'),
    "facenet summary nn4_small2 --variant dl4j": (
        "tests/commands/test_summary.py",
        '"nn4_small2", "--variant"',
    ),
    "python -m tasks.shards export faces/": (PIPELINE, '"export", "faces/"'),
    "python -m tasks.shards show sheet.png": (PIPELINE, '"show", "sheet.png"'),
}


def _commands(root: Path) -> set[str]:
    pages = [root / "README.md", *(root / "docs").rglob("*.md"), *(root / "infra").rglob("*.md")]
    blocks = [
        block for page in pages for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    ]
    whole = [re.sub(r"(?:\\|(\|))\n\s*", r"\1 ", block) for block in blocks]  # one line for each command
    lines = [re.sub(r"\s+#.*", "", line) for block in whole for line in block.splitlines()]
    return {" ".join(line.split()) for line in lines if line.strip()}


def test_every_documented_command_is_run_somewhere(root: Path) -> None:
    assert _commands(root) == set(RUN_BY)


@pytest.mark.parametrize(("command", "place", "words"), [(c, p, w) for c, (p, w) in sorted(RUN_BY.items())])
def test_the_place_that_runs_a_command_does(root: Path, command: str, place: str, words: str) -> None:
    assert words in (root / place).read_text(), command


def test_every_row_about_a_fault_names_scenarios_that_try_it(root: Path) -> None:
    text = (root / "docs" / "reliability.md").read_text()
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")]
    faults = [row for row in rows if row[0].strip() not in ("fault", "---")]
    assert len(faults) > 20
    scenarios = {path.stem for path in (root / "faults" / "scenarios").glob("[!_]*.py")}
    for row in faults:
        assert len(row) == 5, row
        named = set(re.findall(r"`(\w+)`", row[1]))
        assert named, row
        assert named <= scenarios, named - scenarios


def test_no_phrase_reads_as_translated(root: Path) -> None:
    phrases = (
        r"\b(anew|beside|told|is no [a-z]+ of|cannot be had|not to be had|taken for (one|two|somebody))\b"
    )
    folders = (
        "docs",
        "facenet",
        "tasks",
        "flows",
        "infra",
        "recipes",
        "benchmarks",
        "operations",
        "service",
        "commands",
        "faults",
    )
    files = [path for name in folders for path in (root / name).rglob("*.*") if path.is_file()]
    for path in [root / "README.md", root / "CONTRIBUTING.md", root / "Makefile", *files]:
        if path.suffix in (".md", ".py", ".yaml", ".html", ""):
            found = re.search(phrases, path.read_text(), re.IGNORECASE)
            assert found is None, f"{path.relative_to(root)}: {found[0] if found else ''}"
