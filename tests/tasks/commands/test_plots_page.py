"""The page of `dvc plots show` draws without the internet."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser import chromium

TABLES = {
    "roc.csv: {x: far, y: tpr}": "far,tpr\n0,0\n0,0.5\n1,1\n",
    "decisions.csv: {template: scatter, x: fold, y: distance}": "fold,distance\n0,0.5\n1,1.5\n",
    "errors.csv: {template: bar_horizontal, x: errors, y: identity}": "errors,identity\n3,Ann\n1,Bob\n",
    "empty.csv: {x: a, y: b}": "a,b\n",
}


@pytest.fixture
def page(tmp_path: Path, root: Path) -> Path:
    """What `dvc plots show` writes in a project of four tables, configured as `make` does it."""
    lines = ["plots:", *(f"  - {entry}" for entry in TABLES)]
    (tmp_path / "dvc.yaml").write_text("\n".join([*lines, ""]))
    for entry, text in TABLES.items():
        (tmp_path / entry.partition(":")[0]).write_text(text)
    recipe = re.search(
        r'\t@"\$\(BIN\)/python" -m tasks\.commands\.plots_page (.*)\n\t@"\$\(BIN\)/dvc" (config .*)\n',
        (root / "Makefile").read_text(),
    )
    assert recipe
    program = [sys.executable, "-m", "dvc"]
    for command in (
        [*program, "init", "--no-scm", "--quiet"],
        [sys.executable, "-m", "tasks.commands.plots_page", str(tmp_path / recipe[1])],
        [*program, *recipe[2].split()],
        [*program, "plots", "show"],
    ):
        folder = root if "tasks.commands.plots_page" in command else tmp_path
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return tmp_path / "dvc_plots" / "index.html"


@pytest.mark.slow
def test_plots_are_drawn_without_network_access(page: Path, tmp_path: Path) -> None:
    assert "cdn" not in page.read_text()
    with chromium(tmp_path / "profile") as tab:
        tab.open(page, width=900)
        assert {url for url in tab.requests if not url.startswith("data:")} == {page.as_uri()}
        assert [said for said in tab.complaints if '"error"' in said or "exceptionDetails" in said] == []
        tab.wait("document.querySelectorAll('.vega-embed').length === 3")
        assert "empty" in tab.value("document.body.innerText")
        assert "no rows" in tab.value("document.body.innerText")
