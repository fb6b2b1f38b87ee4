"""`facenet completion`: a script that completes commands and options in a shell."""

import argparse

from commands.exit_codes import OK
from commands.output import show

SHELLS = ("bash", "zsh", "tcsh")
HOW = """\
Print a script for a shell. Load it once per session, or from the shell's startup file:
  bash: eval "$(facenet completion bash)"
  zsh:  facenet completion zsh > ~/.zfunc/_facenet      (with fpath+=~/.zfunc before compinit)
  tcsh: facenet completion tcsh > ~/.facenet.tcsh && source ~/.facenet.tcsh
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet completion`."""
    parser.description, parser.formatter_class = HOW, argparse.RawDescriptionHelpFormatter
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def run(arguments: argparse.Namespace) -> int:
    """Print the script for the shell; `arguments.parser` is that of all commands."""
    import shtab  # imported late: other commands do not need it

    show(shtab.complete(arguments.parser, arguments.shell) + "\n")
    return OK
