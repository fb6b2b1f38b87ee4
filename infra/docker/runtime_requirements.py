"""Print what the pipeline and its servers require, one per line: pyproject.toml without the extra `dev`."""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path(sys.argv[1]).read_text())["project"]
extras = project["optional-dependencies"]
groups = [project["dependencies"], *(extras[name] for name in sorted(extras) if name != "dev")]
sys.stdout.writelines(f"{requirement}\n" for group in groups for requirement in group)
