"""Deploy every flow to a Prefect server, with what the deployments need there: `make deploy`.

It can be repeated at any time: what is there already is updated.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, WorkPoolCreate
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL, get_current_settings, temporary_settings

from facenet.errors import FaceNetError
from flows.alerts import DEFAULT, block_for_alerts
from flows.automations import apply, automations
from flows.gpu import LIMIT
from flows.servers import require_prefect
from tasks.entry import stage_main
from tasks.redaction import redact

FILE = Path("infra/prefect.yaml")
POOL = "facenet"
URL = "http://127.0.0.1:4200/api"  # where `make up` starts the server


class NotDeployed(FaceNetError):
    """Prefect refused the deployments; the message has its last lines."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Deploy as the command line says; a failure prints its reason and exits with 1."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.deploy", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument(
        "--alerts", default=DEFAULT, metavar="TYPE/NAME", help="block for alerts: %(default)s"
    )
    options = parser.parse_args(arguments)
    stage_main(lambda: deploy(options.alerts))


def deploy(alerts: str = DEFAULT) -> None:
    """Create or update work pool, GPU limit, deployments and automations on the configured server.

    Raises:
        ServerMissing: it does not answer.
        AlertsInvalid: it lacks the block for alerts.
        NotDeployed: Prefect refused the deployments.
    """
    url = get_current_settings().api.url or URL
    require_prefect(url)
    with temporary_settings({PREFECT_API_URL: url}), get_client(sync_client=True) as client:
        block = block_for_alerts(client, alerts, url)
        _create_missing(client)
        _deploy_file(url)
        wanted = automations(block)
        apply(client, wanted)
        names = sorted(deployment.name for deployment in client.read_deployments())
    sys.stdout.write(f"Deployed to {redact(url)}: {', '.join(names)}\n")
    sys.stdout.write(f"Automations: {', '.join(automation.name for automation in wanted)}\n")
    sys.stdout.write(f"Alerts go to the block {alerts}. A worker of the pool {POOL} runs the deployments.\n")


def _create_missing(client: SyncPrefectClient) -> None:
    """Create the work pool and the limit for GPUs; what an administrator has changed stays."""
    try:
        client.read_work_pool(POOL)
    except ObjectNotFound:
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    try:
        client.read_global_concurrency_limit_by_name(LIMIT)
    except ObjectNotFound:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=LIMIT, limit=1))


def _deploy_file(url: str) -> None:
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(FILE)]
    environment = {**os.environ, "PREFECT_API_URL": url}
    environment.pop("FACENET_WORKSPACE", None)  # it belongs to the worker
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise NotDeployed(f"Prefect refused {FILE}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}".rstrip())


if __name__ == "__main__":
    main()
