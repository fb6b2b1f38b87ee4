"""When the pipeline runs: the only code that imports Prefect or calls DVC."""

import tasks  # noqa: F401  # disables the telemetry of every tool before Prefect is imported
