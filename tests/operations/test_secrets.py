"""Passwords are generated once and stay private."""

from dataclasses import astuple

import pytest

from operations.errors import ServicesFailed
from operations.folder import Folder
from operations.secrets import Secrets, load_secrets


def test_they_are_created_once_long_different_and_private(folder: Folder) -> None:
    secrets = load_secrets(folder)
    assert load_secrets(folder) == secrets
    values = astuple(secrets)
    assert len(set(values)) == len(values)
    assert all(len(value) >= 12 and value.isalnum() for value in values)  # MLflow requires 12 characters
    assert folder.secrets.stat().st_mode & 0o777 == 0o600
    assert load_secrets(folder) != Secrets()
    assert not any(value in repr(secrets) for value in values)


def test_damaged_secrets_are_not_replaced(folder: Folder) -> None:
    folder.secrets.write_text('{"control": ')
    with pytest.raises(ServicesFailed, match=r"secrets\.json, .* restore it from a backup"):
        load_secrets(folder)
    assert folder.secrets.read_text() == '{"control": '
