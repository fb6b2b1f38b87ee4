"""The automations of a Prefect server: end the runs of dead processes, and report what needs attention."""

from datetime import timedelta
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

HEARTBEAT = "prefect.flow-run.heartbeat"
# Runs send one every 30 s; a server that restarts in a minute hears from them in time. A run that was given
# up too early says so: see flows/watch.py.
SILENCE = timedelta(seconds=150)
# The names of final states: Prefect's own, then those of our flows.
ENDS = (
    *("Completed", "Failed", "Cancelled", "Crashed", "TimedOut"),
    *("Unchanged", "Promoted", "Refused", "RolledBack", "Rejects", "AccuracyDropped", "NotServed", "Drifted"),
    "Suspects",
)
ALARMING = ("Failed", "Crashed", "TimedOut", "AccuracyDropped", "NotServed")
# Runs of other flows send heartbeats less often: Prefect's default is 180 s.
OURS = ("audit", "monitoring", "promotion", "reevaluation", "scoring", "sweep", "training")
RUNS = {"prefect.resource.id": "prefect.flow-run.*"}
DRIFT = "facenet.drift"  # of flows/monitoring.py: a day with an alarm


def automations(block: UUID) -> list[AutomationCore]:
    """Return the automations, which report to a notification block."""
    return [
        _automation(
            "facenet: end dead runs", "A run without a heartbeat is marked as Crashed.", _dead(), _crash()
        ),
        _automation(
            "facenet: report failed runs",
            "Failed, crashed, dead and timed out runs, and a champion whose accuracy has dropped.",
            _any(*ALARMING),
            _notify(block, "{{ flow_run.state.name }}"),
        ),
        _automation(
            "facenet: report late runs",
            "A scheduled run has not started: no worker runs, or it is busy.",
            _any("Late"),
            _notify(block, "Late"),
        ),
        _automation(
            "facenet: report drift",
            "The decisions of a day do not look like the evaluation, or like the days before.",
            _drift(),
            _notify_drift(block),
        ),
    ]


def apply(client: SyncPrefectClient, wanted: list[AutomationCore]) -> None:
    """Create the automations, or update those of the same name; whether one is paused stays as it is."""
    for automation in wanted:
        present = client.read_automations_by_name(automation.name)
        if present:
            kept = automation.model_copy(update={"enabled": present[0].enabled})
            client.update_automation(present[0].id, kept)
        else:
            client.create_automation(automation)


def _automation(
    name: str, description: str, trigger: EventTrigger, action: ChangeFlowRunState | SendNotification
) -> AutomationCore:
    return AutomationCore(name=name, description=description, trigger=trigger, actions=[action])


def _dead() -> EventTrigger:
    """Return the trigger for a run that sent a heartbeat, and then neither another one nor an end."""
    return EventTrigger(
        match=ResourceSpecification(RUNS),
        match_related=ResourceSpecification(
            {"prefect.resource.role": "flow", "prefect.resource.name": list(OURS)}
        ),
        after={HEARTBEAT},
        expect={HEARTBEAT, *map(_event, ENDS)},
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=SILENCE,
    )


def _any(*states: str) -> EventTrigger:
    return EventTrigger(
        match=ResourceSpecification(RUNS),
        expect=set(map(_event, states)),
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
    )


def _drift() -> EventTrigger:
    return EventTrigger(
        match=ResourceSpecification({"prefect.resource.id": "facenet.deployed.*"}),
        expect={DRIFT},
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
    )


def _event(state: str) -> str:
    return f"prefect.flow-run.{state}"


def _crash() -> ChangeFlowRunState:
    silence = int(SILENCE.total_seconds())
    message = f"No heartbeat for {silence} s: the process of the run was killed, or its machine is gone."
    return ChangeFlowRunState(state=StateType.CRASHED, name="Crashed", message=message)


def _notify(block: UUID, what: str) -> SendNotification:
    return SendNotification(
        block_document_id=block,
        subject=f"{what}: {{{{ flow.name }}}}",
        body="{{ flow_run.name }} is {{ flow_run.state.name }}: {{ flow_run.state.message }}\n\n"
        "{{ flow_run|ui_url }}",
    )


def _notify_drift(block: UUID) -> SendNotification:
    return SendNotification(
        block_document_id=block,
        subject="Drift: {{ event.resource.name }}",
        body="{{ event.payload.summary }}\n\n"
        "{% for alarm in event.payload.alarms %}- {{ alarm }}\n{% endfor %}",
    )
