"""Leave out what is decided already: the audit does not suggest it again."""

from collections.abc import Sequence

from tasks.audit.suspects import Suspect
from tasks.labels.decision import KEEP, MERGE, Decision
from tasks.labels.routes import Routes


def undecided(suspects: Sequence[Suspect], decisions: Sequence[Decision]) -> list[Suspect]:
    """Return the suspects about which there is no decision.

    A decision to keep a photo counts under the name that the photo has by all decisions, too.
    """
    subjects = {decision.subject for decision in decisions if not decision.apart}
    kept = [d for d in decisions if d.action == KEEP and not d.apart]
    routes = Routes(decisions)
    subjects |= {(d.digest, routes.of(d.digest, d.identity).identity) for d in kept}
    pairs = {frozenset((d.identity, d.target)) for d in decisions if d.action == MERGE or d.apart}
    return [
        suspect
        for suspect in suspects
        if (suspect.digest, suspect.identity) not in subjects
        and (suspect.digest or frozenset((suspect.identity, suspect.target)) not in pairs)
    ]
