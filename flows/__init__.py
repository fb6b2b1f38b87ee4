"""When the pipeline runs: the only code that imports Prefect or calls DVC."""
