"""The options reach FaceModel.load; what cannot be loaded is one line."""

import argparse
from pathlib import Path

import pytest

from commands.models import add_decision, add_model, load_model, measured_rates, site_of
from facenet import FaceModel
from facenet.errors import ParamsInvalid
from tests.commands.running import facenet


def test_without_an_option_the_default_model_is_loaded_and_named(
    model: FaceModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def load(cls: type, source: object = None, **options: object) -> FaceModel:
        asked.append((source, options))
        return model

    monkeypatch.setattr(FaceModel, "load", classmethod(load))
    parser = argparse.ArgumentParser()
    add_model(parser)
    add_decision(parser)
    assert load_model(parser.parse_args([])) is model
    assert (
        load_model(
            parser.parse_args(
                ["--model", "pretrained", "--device", "cpu", "--runtime", "onnx", "--site", "site.json"]
            )
        )
        is model
    )
    assert asked == [
        (None, {"device": "auto", "runtime": "torch", "site": True}),
        ("pretrained", {"device": "cpu", "runtime": "onnx", "site": "site.json"}),
    ]
    assert (site_of(None), site_of("none"), site_of("a.json")) == (True, False, "a.json")
    assert capsys.readouterr() == ("", f"model: {model.origin}\n" * 2)


@pytest.mark.parametrize("source", ["nowhere", "models:/facenet@champion", "models:/facenet@x/y"])
def test_a_model_that_is_missing_is_one_line(
    people: Path, capsys: pytest.CaptureFixture[str], source: str
) -> None:
    assert facenet("verify", "people/ann/1.pgm", "people/ann/2.pgm", "--model", source) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert source.removeprefix("models:/") in err or "registry" in err


def test_a_rate_that_was_not_measured_is_named() -> None:
    def fail() -> None:
        with measured_rates():
            raise ValueError("no threshold was measured at FAR 0.5")

    with pytest.raises(ParamsInvalid, match=r"^--far: no threshold was measured at FAR 0\.5\.$"):
        fail()
