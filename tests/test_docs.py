"""Every command in the documentation is run by a test or by CI: each one names where, and by which words."""

import re
from pathlib import Path

import pytest

PIPELINE, PRETRAINED, SERVING = (
    "tests/test_pipeline.py",
    "tests/test_pretrained.py",
    "tests/tasks/test_serving.py",
)
MLFLOW, SERVER, CRON = "tests/tasks/conftest.py", "tests/conftest.py", "tests/flows/test_training.py"
RUN_BY = {
    "make run": (PIPELINE, '"make", "run"'),
    "make test": (".ci/run", "make test"),
    "make recipes": (PIPELINE, '"make", "recipes"'),
    "make recipe NAME=photos && dvc repro": (PIPELINE, "NAME=photos"),
    "make recipe NAME=pretrained-lfw-view2 && dvc repro": (PRETRAINED, "NAME=pretrained-lfw-view2"),
    "export FACENET_MIRRORS=/data/lfw:/data/weights": (PRETRAINED, "mirrors="),
    "make data-docs": (PIPELINE, '"make", "data-docs"'),
    "make ui": (MLFLOW, "--backend-store-uri"),
    "source .venv/bin/activate": ("tests/project.py", '"PATH": f"{programs}'),
    "dvc repro": (PIPELINE, "project.repro()"),
    "dvc exp run -S evaluate.sweep=grid": (PIPELINE, '"dvc", "exp", "run", "-S"'),
    "dvc metrics show": (PIPELINE, '"dvc", "metrics", "show"'),
    "prefect server start --background": (SERVER, '"server", "start"'),
    "export PREFECT_API_URL=http://127.0.0.1:4200/api": (SERVER, "PREFECT_API_URL"),
    "python -m flows.training": (PIPELINE, '"flows.training"'),
    'python -m flows.training serve --cron "0 2 * * *"': (CRON, '"--cron"'),
    "python -m flows.promotion": (PIPELINE, '"flows.promotion"'),
    "python -m flows.promotion rollback": ("tests/flows/test_promotion.py", "rollback"),
    "mlflow models serve -m models:/facenet@champion --env-manager local --port 5001": (
        SERVING,
        '"models", "serve"',
    ),
    "facenet results": (PIPELINE, '"facenet", "results"'),
    "facenet summary nn4_small2 --variant dl4j": ("tests/tasks/test_summary.py", '"nn4_small2", "--variant"'),
    "python -m tasks.shards export faces/": (PIPELINE, '"export", "faces/"'),
    "python -m tasks.shards show sheet.png": (PIPELINE, '"show", "sheet.png"'),
}


def _commands(root: Path) -> set[str]:
    pages = [root / "README.md", root / "docs" / "reference.md"]
    blocks = [
        block for page in pages for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    ]
    lines = [re.sub(r"\s+#.*", "", line).strip() for block in blocks for line in block.splitlines()]
    return {line for line in lines if line}


def test_every_documented_command_is_run_somewhere(root: Path) -> None:
    assert _commands(root) == set(RUN_BY)


@pytest.mark.parametrize(("command", "place", "words"), [(c, p, w) for c, (p, w) in sorted(RUN_BY.items())])
def test_the_place_that_runs_a_command_does(root: Path, command: str, place: str, words: str) -> None:
    assert words in (root / place).read_text(), command
