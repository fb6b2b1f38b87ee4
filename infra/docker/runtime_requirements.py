"""Print what the pipeline and its servers require, one per line: pyproject.toml without `dev` and `docs`."""

import sys
import tomllib
from pathlib import Path

NOT_SERVED = ("dev", "docs")  # extras of a developer

project = tomllib.loads(Path(sys.argv[1]).read_text())["project"]
extras = project["optional-dependencies"]
groups = [project["dependencies"], *(extras[name] for name in sorted(extras) if name not in NOT_SERVED)]
sys.stdout.writelines(f"{requirement}\n" for group in groups for requirement in group)
