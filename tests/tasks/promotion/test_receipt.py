"""Receipts against a real registry."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.promotion.receipt import is_challenger, registered_version
from tasks.tracking import registry
from tests.tasks.promotion.versions import challenge

RECEIPT = Path("receipt.json")

pytestmark = pytest.mark.usefixtures("mlflow_store")


def write(**fields: Any) -> None:
    RECEIPT.write_text(json.dumps({"model": "faces", "version": 1, "digest": "one", **fields}))


def test_the_version_of_a_receipt_is_registered_and_the_challenger_until_another_is() -> None:
    assert registered_version(RECEIPT) is None
    assert not is_challenger(RECEIPT)
    challenge(0.9, digest="one")
    write()
    assert registered_version(RECEIPT) == registry.get_version("faces", 1)
    assert is_challenger(RECEIPT)
    challenge(0.9, digest="two")
    assert registered_version(RECEIPT) == registry.get_version("faces", 1)
    assert not is_challenger(RECEIPT)


@pytest.mark.parametrize("content", ["", '{"model": "fac', "[]", "{}", '{"model": "faces", "version": null}'])
def test_a_damaged_receipt_names_no_version(content: str) -> None:
    challenge(0.9, digest="one")
    RECEIPT.write_text(content)
    assert registered_version(RECEIPT) is None
    assert not is_challenger(RECEIPT)


@pytest.mark.parametrize("fields", [{"version": 2}, {"model": "cats"}, {"digest": "two"}])
def test_a_receipt_of_another_server_names_no_version(fields: dict[str, Any]) -> None:
    challenge(0.9, digest="one")
    write(**fields)
    assert registered_version(RECEIPT) is None
    assert not is_challenger(RECEIPT)
