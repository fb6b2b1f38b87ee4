"""The stages of the pipeline, one package each, run by `python -m tasks.<stage>`.

They read and write the files listed in dvc.yaml and do not depend on Prefect: `flows/stage.py` wraps each of
them in a Prefect task of the same name.
"""

import os

# Disable the telemetry of all tools, before any of them is imported. MLflow accepts only the word "true".
for _switch, _value in {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DVC_NO_ANALYTICS": "1",
}.items():
    os.environ.setdefault(_switch, _value)

# Idle OpenMP threads spin briefly, then sleep. With long spinning, training takes twice as long if other work
# shares the cores; without spinning, it takes a third longer on cores of its own (docs/performance.md). Read
# when torch is loaded.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
