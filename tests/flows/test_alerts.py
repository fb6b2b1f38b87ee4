"""Alerts reach the artifact of the Prefect server, or the block that an administrator names."""

import pytest
from prefect.artifacts import Artifact
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_AUTH_STRING, temporary_settings

from flows.alerts import DEFAULT, KEY, AlertsInvalid, _artifact_block, block_for_alerts


def test_the_default_block_is_created_once_and_writes_an_artifact(api: str) -> None:
    with get_client(sync_client=True) as client:
        first, second = (block_for_alerts(client, DEFAULT, api) for _ in range(2))
    assert first == second
    block = CustomWebhookNotificationBlock.load("facenet-alerts")
    block.notify("night is Failed", subject="Failed: training")
    alert = Artifact.get(KEY)
    assert alert is not None
    assert alert.description == "Failed: training"
    assert alert.data == "**Failed: training**\n\nnight is Failed"


def test_with_a_password_the_block_sends_it_as_a_secret() -> None:
    with temporary_settings({PREFECT_API_AUTH_STRING: "admin:pass"}):
        block = _artifact_block("http://127.0.0.1:4200/api")
    assert "YWRtaW46cGFzcw==" not in block.model_dump_json()
    assert block.secrets.get_secret_value() == {"auth": "YWRtaW46cGFzcw=="}
    assert block.headers == {"Authorization": "Basic {{auth}}"}


def test_a_block_that_is_not_there_is_named(api: str) -> None:
    with (
        get_client(sync_client=True) as client,
        pytest.raises(AlertsInvalid, match="no block slack-webhook/ops: create it in the UI"),
    ):
        block_for_alerts(client, "slack-webhook/ops", api)
