"""`facenet export`: a model as ONNX files, which run without this project."""

import argparse
import sys
from pathlib import Path

from commands.exit_codes import OK
from commands.models import MODEL
from commands.output import as_text, printable, show, show_json
from commands.path_arguments import FOLDERS, completed


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet export`."""
    parser.description = (
        "Write the embedding network and the detector of a model as ONNX files, each compared with PyTorch "
        "before it is written."
    )
    folder = "folder to write to; it is created"
    completed(parser.add_argument("--onnx", type=Path, required=True, metavar="DIR", help=folder), FOLDERS)
    parser.add_argument("--model", metavar="MODEL", help=MODEL)
    parser.add_argument("--json", action="store_true", help="print {model, files}")


def run(arguments: argparse.Namespace) -> int:
    """Export the model and print the files.

    Raises:
        PackageMissing: a package of the extra `export` is not installed.
        ExportFailed: an exported graph does not compute what the network does.
        WeightsInvalid: a file of the model is missing or damaged.
        SourceInvalid: the registry has no such model.
        ParamsInvalid: the folder is that of the model.
    """
    from facenet.export import export  # imported late: torch takes seconds
    from facenet.model_source import model_folder

    with model_folder(arguments.model) as (folder, origin):
        sys.stderr.write(f"model: {printable(origin.words)}\n")
        files = export(folder, arguments.onnx)
    if arguments.json:
        show_json({"model": as_text(origin.words), "files": [as_text(str(file)) for file in files]})
    else:
        show("".join(f"{printable(str(file))}\n" for file in files))
    return OK
