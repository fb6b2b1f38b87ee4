"""Find errors in the names of faces: photos under a wrong name, people under two names, names of two people.

`audit` takes comparable vectors and names, and returns `Findings`; it knows neither files nor workspaces.
"""

from facenet.audit.auditing import SUSPICIOUS, audit, steps
from facenet.audit.findings import Findings, MergedPeople, Outlier, SplitPerson

__all__ = ["SUSPICIOUS", "Findings", "MergedPeople", "Outlier", "SplitPerson", "audit", "steps"]
