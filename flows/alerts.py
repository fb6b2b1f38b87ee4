"""Where alerts go: by default to the artifact `alerts` of the Prefect server, which lists them in its UI.

Any notification block of Prefect takes its place, such as a webhook of Slack: create it in the UI, and deploy
with `make deploy ALERTS=slack-webhook/NAME`.
"""

import base64
from uuid import UUID

from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings
from prefect.types import SecretDict

from facenet.errors import FaceNetError

DEFAULT = "custom-webhook/facenet-alerts"
KEY = "alerts"


class AlertsInvalid(FaceNetError):
    """The block for alerts is not on the server."""


def block_for_alerts(client: SyncPrefectClient, name: str, url: str) -> UUID:
    """Return the id of the notification block TYPE/NAME; create the default one, which is not replaced.

    Raises:
        AlertsInvalid: the server has no such block.
    """
    kind, _, document = name.partition("/")
    try:
        return client.read_block_document_by_name(document, kind).id
    except ObjectNotFound as error:
        if name != DEFAULT:
            raise AlertsInvalid(
                f"The Prefect server has no block {name}: create it in the UI under Blocks, "
                "or deploy without ALERTS."
            ) from error
    saved = _artifact_block(url).save(document)
    assert isinstance(saved, UUID)
    return saved


def _artifact_block(url: str) -> CustomWebhookNotificationBlock:
    """Return a block that makes the server write each alert as a version of the artifact `alerts`."""
    auth = get_current_settings().api.auth_string
    secrets: dict[str, str] = {}
    headers: dict[str, str] = {}
    if auth is not None:
        secrets = {"auth": base64.b64encode(auth.get_secret_value().encode()).decode()}
        headers = {"Authorization": "Basic {{auth}}"}
    text = {"description": "{{subject}}", "data": "**{{subject}}**\n\n{{body}}"}
    return CustomWebhookNotificationBlock(
        name=KEY,
        url=f"{url.rstrip('/')}/artifacts/",
        json_data={"key": KEY, "type": "markdown", **text},
        headers=headers or None,
        secrets=SecretDict(secrets),
    )
