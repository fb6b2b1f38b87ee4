"""Approval of a promotion by a person: the flow run pauses until somebody answers in the Prefect UI.

No `from __future__ import annotations` here: Prefect evaluates the annotations of its form in another
namespace.
"""

from prefect import get_run_logger
from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput
from prefect.settings import get_current_settings
from pydantic import Field

from facenet.errors import FaceNetError

SECONDS = 24 * 3600  # to answer
POLL_SECONDS = 5


class ApprovalImpossible(FaceNetError):
    """Nobody can be asked, or nobody answered."""


class Approval(RunInput):
    """The form."""

    approved: bool = Field(default=False, description="Whether this version becomes the champion.")
    by: str = Field(description="Your name, for the history of promotions.")
    note: str = Field(default="", description="Why, for the history of promotions.")


def ask(page: str) -> Approval:
    """Show a page in Markdown in the Prefect UI, and return the answer.

    Raises:
        ApprovalImpossible: there is no server, or nobody answered within a day.
    """
    if not get_current_settings().api.url:
        raise ApprovalImpossible(
            "register.promotion.approval requires a Prefect server, whose UI asks for the approval: set "
            "PREFECT_API_URL. To approve it here, run `python -m flows.promotion --approve`."
        )
    get_run_logger().info("Waiting for an approval in the Prefect UI: choose Resume on this run's page.")
    form = Approval.with_initial_data(description=page, approved=False)
    try:
        return pause_flow_run(wait_for_input=form, timeout=SECONDS, poll_interval=POLL_SECONDS)
    except FlowPauseTimeout as error:
        raise ApprovalImpossible("Nobody answered within a day: nothing was promoted.") from error
