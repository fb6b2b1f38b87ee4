"""When the pipeline runs: the only code that imports Prefect or calls DVC."""

import tasks  # noqa: F401  # switches the telemetry of every tool off before Prefect is imported
