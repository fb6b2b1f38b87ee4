"""The stages of the pipeline, one module each, run by `python -m tasks.<stage>`.

They read and write the files that dvc.yaml names and know nothing of Prefect: `flows/stage.py` wraps each
of them as the Prefect task of the same name.
"""

import os

# No tool of ours calls home; set before any of them is imported. MLflow accepts the word "true" only.
for _switch, _value in {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DVC_NO_ANALYTICS": "1",
}.items():
    os.environ.setdefault(_switch, _value)

# A thread that has done its share soon sleeps until the others have. Where threads spin for long beside other
# work on the same cores, training takes twice as long; where they sleep at once, a training that has them to
# itself takes a third longer (docs/performance.md). Read when torch is loaded.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
