import json
import re
from pathlib import Path

import pytest

from commands.summary import table
from facenet.networks import NETWORKS, Layer
from tests.commands.running import facenet, facenet_process


def test_columns_are_aligned_and_summed() -> None:
    layers = [
        Layer("conv1", "ConvBlock", (64, 48, 48), 9600, 21_676_032),
        Layer("last_linear", "Linear", (128,), 94_336, 94_208),
    ]
    assert table(layers).splitlines() == [
        "layer        kind         output  parameters  multiply-adds",
        "-----------------------------------------------------------",
        "conv1        ConvBlock  64x48x48       9,600     21,676,032",
        "last_linear  Linear          128      94,336         94,208",
        "-----------------------------------------------------------",
        "total                                103,936     21,770,240",
    ]


def test_the_command_prints_a_network(tmp_path: Path) -> None:
    done = facenet_process(tmp_path, "summary", "nn4_small2", "--variant", "dl4j")
    assert done.returncode == 0, done.stderr
    assert "variant dl4j of openface, dl4j; images of 65 px or more" in done.stdout
    assert "one image of 96x96 px to 128 numbers of unit length" in done.stdout
    assert re.search(r"inception_3c +Inception +640x6x6 ", done.stdout)
    assert re.search(r"total +3,570,128 ", done.stdout)


def test_without_a_name_every_variant_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert facenet("summary") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [re.findall(r"^(\w+), variant (\w+): ", line) for line in lines] == [
        [(name, variant)] for name, network in NETWORKS.items() for variant in network.variants
    ]
    (dl4j,) = (line for line in lines if "variant dl4j" in line)
    assert dl4j.endswith("96 px (minimum 65), 3,570,128 parameters at 128 dimensions")
    assert facenet("summary", "--json") == 0
    entries = json.loads(capsys.readouterr().out)
    assert [
        (e["network"], e["variant"], f"{e['parameters']:,}" in line)
        for e, line in zip(entries, lines, strict=True)
    ] == [(name, variant, True) for name, network in NETWORKS.items() for variant in network.variants]


def test_sizes_and_depth(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--embedding-size", "16", "--image-size", "64", "--variant", "siamese"]
    assert facenet("summary", "densenet121", *options) == 0
    out = capsys.readouterr().out
    assert "64x64 px to 16 numbers of any length" in out
    assert re.search(r"block4 +Sequential +512x2x2 ", out)
    assert facenet("summary", "densenet121", *options, "--depth", "2") == 0
    opened = capsys.readouterr().out
    assert re.search(r"block4\.15 +Unit +512x2x2 ", opened)
    assert opened.splitlines()[-1].split() == out.splitlines()[-1].split()
    assert facenet("summary", "densenet121", *options, "--json") == 0
    layers = json.loads(capsys.readouterr().out)
    assert f"{sum(layer['parameters'] for layer in layers):,}" in out.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["resnet"], rf"'resnet'.*{', '.join(NETWORKS)}"),
        (["nn1", "--variant", "dl4j"], r"no variant 'dl4j'.*sane, faithful"),
        (["nn4_small2", "--image-size", "64"], "at least 65 px"),
        (["nn4_small2", "--embedding-size", "0"], "--embedding-size is 0"),
        (["nn4_small2", "--depth", "-1"], "--depth is -1"),
    ],
)
def test_bad_arguments_give_one_message(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert facenet("summary", *arguments) == 2
    assert re.match(rf"ParamsInvalid: .*{message}", capsys.readouterr().err)
