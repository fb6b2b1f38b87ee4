"""`make status`: the state of each server, asked from the supervisor and from the server itself."""

import sys
from dataclasses import dataclass

from operations.folder import Folder
from operations.health import check_all, is_good
from operations.launch import stack_of
from operations.leftovers import leftovers
from operations.logs import last_line
from operations.programs import programs
from operations.stack import Stack
from operations.supervision import Supervisor

HEADER = ("server", "state", "pid", "uptime", "port", "health")


@dataclass(frozen=True)
class Row:
    """One server: what the supervisor says, and what it says itself.

    uptime: seconds; pid and port are 0 where there is none.
    """

    name: str
    state: str
    pid: int
    uptime: int
    port: int
    health: str

    @property
    def good(self) -> bool:
        """Whether it is as it should be."""
        return is_good(self.health)

    def cells(self) -> tuple[str, ...]:
        """Return the texts of the table's columns."""
        uptime = duration(self.uptime) if self.pid else "-"
        return self.name, self.state, str(self.pid or "-"), uptime, str(self.port or "-"), self.health


def rows(stack: Stack) -> list[Row]:
    """Return a row for each server, in the order of their start; none if the supervisor does not run."""
    supervisor = Supervisor(stack)
    if not supervisor.runs():
        return []
    states = supervisor.states()
    chosen = [program for program in programs(stack) if program.name in states]
    started = {program.name: float(states[program.name]["start"]) for program in chosen}
    health = check_all(chosen, stack, started)
    found = []
    for program in chosen:
        state = states[program.name]
        name, pid = program.name, int(state["pid"])
        uptime = int(state["now"] - state["start"]) if pid else 0
        found.append(Row(name, state["statename"].lower(), pid, uptime, program.port, health[name]))
    return found


def show(folder: Folder) -> bool:
    """Print the table, with the end of the log of each server that is not healthy; return whether all are."""
    stack = stack_of(folder)
    found = rows(stack)
    if not found:
        left = len(leftovers(folder))
        state = f"run without a supervisor (processes: {left})" if left else "are down"
        sys.stdout.write(f"The servers of {folder.path} {state}: run `make up`.\n")
        return False
    sys.stdout.write(table(found))
    for row in found:
        if not row.good:
            sys.stdout.write(f"{row.name}: {last_line(folder, row.name)}\n  {folder.log(row.name)}\n")
    return all(row.good for row in found)


def table(found: list[Row]) -> str:
    """Return the rows as lines of aligned columns, under a header."""
    lines = [HEADER, *(row.cells() for row in found)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n"
        for line in lines
    )


def duration(seconds: int) -> str:
    """Return seconds in the two largest units: 3 d 4 h, 5 h 6 min, 7 min 8 s, 9 s."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next((place for place, (count, _) in enumerate(units) if count), len(units) - 1)
    return " ".join(f"{count} {unit}" for count, unit in units[first : first + 2])
