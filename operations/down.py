"""`make down`: end the servers in the reverse order of their start, and all that they have left behind."""

import sys

from operations.errors import ServicesFailed
from operations.folder import Folder
from operations.launch import stack_of
from operations.leftovers import end_flows, end_leftovers, wait_for_end
from operations.lock import exclusive
from operations.programs import programs
from operations.supervision import Supervisor
from operations.temporary import remove_temporary_folder

MARGIN_SECONDS = 30


def down(folder: Folder) -> None:
    """Stop everything of a folder; do nothing if nothing runs.

    Raises:
        ServicesFailed: the supervisor does not end.
    """
    if not folder.settings.exists():
        sys.stdout.write(f"{folder.path} has no servers.\n")
        return
    with exclusive(folder):
        stack = stack_of(folder)
        supervisor = Supervisor(stack)
        stopped = supervisor.runs()
        if stopped:
            pid = supervisor.pid()
            flows = end_flows(int(supervisor.states()["worker"]["pid"]))
            sys.stdout.write(f"Ended {flows} running flow{'s' * (flows > 1)}.\n" if flows else "")
            supervisor.shut_down()
            longest = sum(program.stop_seconds for program in programs(stack)) + MARGIN_SECONDS
            if not wait_for_end(pid, longest):
                raise ServicesFailed(f"The supervisor, process {pid}, has not ended after {longest} s.")
        for killed in end_leftovers(folder):
            sys.stdout.write(f"Ended {killed}.\n")
        remove_temporary_folder(folder)
    sys.stdout.write("The servers are down.\n" if stopped else "The servers were down.\n")
