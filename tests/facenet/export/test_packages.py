import sys

import pytest

from facenet.errors import PackageMissing
from facenet.export.packages import required


def test_a_package_is_imported() -> None:
    assert required("json.decoder").JSONDecoder


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(PackageMissing, match=r"onnxruntime.*pip install 'facenet-pipeline\[export\]'"):
        required("onnxruntime")
