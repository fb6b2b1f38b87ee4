"""When the pipeline runs: the only code that imports Prefect or calls DVC."""

import tasks  # noqa: F401  # disables the telemetry of every tool before Prefect is imported
from tasks.redaction import redact_logs

redact_logs()  # also in a worker, which imports a flow without its command line
