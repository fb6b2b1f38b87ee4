"""The only access to MLflow: runs with explicit ids, and the model registry.

Nothing here relies on MLflow's thread-local active run: every call names its run by id. The store is the one
in MLFLOW_TRACKING_URI, or an SQLite file in the root of the workspace.
"""

from tasks.tracking.provenance import commit, provenance, workspace
from tasks.tracking.runs import Run, find_run, open_run, start_run, training_run
from tasks.tracking.store import TrackingFailed, public_uri, tracking_uri

__all__ = [
    "Run",
    "TrackingFailed",
    "commit",
    "find_run",
    "open_run",
    "provenance",
    "public_uri",
    "start_run",
    "tracking_uri",
    "training_run",
    "workspace",
]
