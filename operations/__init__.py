"""The servers that a team runs on one machine: databases, Prefect, MLflow, a worker, the served champion."""
