"""A promotion waits for a person, on a real Prefect server."""

import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows import approval, promotion
from flows.approval import ApprovalImpossible, ask
from tasks.params import load_params
from tasks.tracking import history, registry
from tests.tasks.promotion.versions import challenge
from tests.waiting import wait_for


@pytest.fixture
def workspace(mlflow_store: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A workspace whose promotions need an approval."""
    for name in (".dvc", ".git"):
        Path(name).mkdir()
    params = yaml.safe_load((root / "params.yaml").read_text())
    rule = {"metric": "accuracy", "min_gain": 0.01, "margin": None, "approval": True}
    params["register"] = {"model": "faces", "gates": {}, "promotion": rule}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    monkeypatch.setattr(approval, "POLL_SECONDS", 1)
    load_params.cache_clear()
    yield mlflow_store
    load_params.cache_clear()


def answer(answered: list[str], **fields: Any) -> None:
    """Answer the flow run that is paused, as the UI does."""
    from prefect.client.orchestration import get_client
    from prefect.flow_runs import resume_flow_run

    def paused() -> Any:
        with get_client(sync_client=True) as client:
            runs = client.read_flow_runs()
        return next((run for run in runs if run.state is not None and run.state.is_paused()), None)

    run = wait_for(paused)
    answered.append(run.name)
    resume_flow_run(run.id, run_input=fields)


@pytest.mark.slow
def test_a_person_decides_and_is_in_the_history(workspace: Path, api: str) -> None:
    for accuracy, approved in ((0.9, True), (0.95, False)):
        challenge(accuracy)
        answered: list[str] = []
        fields = {"approved": approved, "by": "ada", "note": "seen"}
        person = threading.Thread(target=answer, args=(answered,), kwargs=fields)
        person.start()
        state = promotion.promotion(return_state=True)
        person.join()
        assert answered
        assert state.is_completed() is approved, state.message
    assert registry.aliases("faces") == {"challenger": 2, "champion": 1}
    records = [entry.record for entry in history.entries("faces")]
    assert [(record["action"], record["by"]) for record in records] == [
        ("promoted", "ada"),
        ("refused", "ada"),
    ]
    assert records[1]["reason"].startswith("ada did not approve it: seen. Version 2 has accuracy 0.95")
    assert promotion.promotion(approved=True, return_state=True).is_completed()
    assert registry.aliases("faces")["champion"] == 2
    challenge(0.9)
    assert promotion.promotion(return_state=True).is_failed(), "nobody is asked about what the rule refuses"


def test_without_a_server_nobody_can_be_asked(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Settings:
        class api:  # Prefect's name
            url = None

    monkeypatch.setattr(approval, "get_current_settings", Settings)
    with pytest.raises(ApprovalImpossible, match=r"PREFECT_API_URL\. To approve it here, .* --approve"):
        ask("page")
