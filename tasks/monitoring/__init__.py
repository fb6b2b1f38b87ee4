"""The log of decisions in production, and whether a day of it still looks like the evaluation.

One row per decision: when, by which model, what was decided, and measures of the face. Never a name, a
photo, an embedding or a template.
"""

from tasks.monitoring.rows import (
    DecisionRow,
    face_row,
    failure_row,
    identification_row,
    verification_row,
)
from tasks.monitoring.store import DecisionStore

__all__ = [
    "DecisionRow",
    "DecisionStore",
    "face_row",
    "failure_row",
    "identification_row",
    "verification_row",
]
