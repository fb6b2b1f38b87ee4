"""The automations of a server: created once, updated in place; tests/infra deploys them."""

import re
from pathlib import Path

from prefect.client.orchestration import get_client

from flows.alerts import DEFAULT, block_for_alerts
from flows.automations import ALARMING, ENDS, OURS, apply, automations


def test_applying_them_again_changes_nothing_and_a_paused_one_stays_paused(api: str) -> None:
    with get_client(sync_client=True) as client:
        wanted = automations(block_for_alerts(client, DEFAULT, api))
        apply(client, wanted)
        (first,) = client.read_automations_by_name(wanted[0].name)
        client.update_automation(first.id, wanted[0].model_copy(update={"enabled": False}))
        apply(client, wanted)
        found = [client.read_automations_by_name(automation.name) for automation in wanted]
    assert [len(same) for same in found] == [1, 1, 1, 1]
    assert [same[0].enabled for same in found] == [False, True, True, True]
    assert found[0][0].id == first.id
    assert found[0][0].trigger == wanted[0].trigger


def test_every_state_in_which_our_flows_end_ends_the_wait_for_a_heartbeat(root: Path) -> None:
    text = "\n".join(path.read_text() for path in sorted((root / "flows").glob("*.py")))
    named = set(re.findall(r'(?:Completed|Failed)\(\s*name="(\w+)"', text))
    assert {"TimedOut", "Refused"} <= named
    assert named <= set(ENDS)
    assert set(ALARMING) <= set(ENDS)
    assert sorted(re.findall(r'@flow\(\s*name="(\w+)"', text)) == sorted(OURS)
