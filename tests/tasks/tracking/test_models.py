import base64
import io
import json
from pathlib import Path

import pytest
import yaml
from PIL import Image

import facenet
from tasks.tracking import models
from tasks.tracking.models import REQUIREMENTS, example_photo, requirements, save_served_model


@pytest.fixture(scope="module")
def saved(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "model"
    calibration = folder.with_name("calibration.json")
    calibration.write_text("{}")
    folder.with_name("monitoring.json").write_text("{}")
    save_served_model(
        folder,
        weights=tiny_model / "facenet.safetensors",
        card=tiny_model / "model.json",
        run_id="r" * 32,
        model_id="m-" + "1" * 32,
        calibration=calibration,
    )
    return folder


def test_the_folder_has_code_and_tensors_and_no_pickles(saved: Path, tiny_model: Path) -> None:
    files = {path.relative_to(saved).as_posix() for path in saved.rglob("*") if path.is_file()}
    assert {
        "serving.py",
        "artifacts/calibration.json",
        "artifacts/facenet.safetensors",
        "artifacts/model.json",
        "artifacts/monitoring.json",
        "artifacts/mtcnn.safetensors",
    } <= files
    assert "code/facenet/face_model.py" in files
    assert not [name for name in files if name.endswith((".pkl", ".pickle", ".pt", ".pth", ".pyc"))]
    assert not [name for name in files if name.startswith("code/") and not name.startswith("code/facenet/")]
    weights = "facenet.safetensors"
    assert (saved / "artifacts" / weights).read_bytes() == (tiny_model / weights).read_bytes()


def test_mlmodel_has_run_model_and_columns_but_no_local_path(saved: Path) -> None:
    text = (saved / "MLmodel").read_text()
    described = yaml.safe_load(text)
    assert described["run_id"] == "r" * 32
    assert described["model_id"] == "m-" + "1" * 32
    inputs = json.loads(described["signature"]["inputs"])
    outputs = json.loads(described["signature"]["outputs"])
    assert inputs == [
        {"type": "string", "name": name, "required": False} for name in ("image", "left", "right")
    ]
    assert [column["name"] for column in outputs] == list(models.OUTPUTS)
    assert not any(column["required"] for column in outputs)
    assert str(Path(facenet.__file__).parent.parent) not in text


def test_requirements_are_pinned_without_local_labels(saved: Path) -> None:
    lines = (saved / "requirements.txt").read_text().split()
    assert lines == requirements()
    assert [line.partition("==")[0] for line in lines] == list(REQUIREMENTS)
    assert all(line.partition("==")[2] for line in lines)
    assert not [line for line in lines if "+" in line]


def test_the_example_embeds_a_real_photo_and_verifies_two(saved: Path) -> None:
    image = Image.open(io.BytesIO(example_photo()))
    assert (image.format, image.size) == ("PNG", (92, 112))
    example = json.loads((saved / "serving_input_example.json").read_text())["dataframe_split"]
    assert example["columns"] == ["image", "left", "right"]
    first, second = (base64.b64encode(example_photo(number)).decode() for number in (1, 2))
    assert example["data"] == [[first, None, None], [None, first, second]]
