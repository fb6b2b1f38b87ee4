"""MLflow's database deleted: `restore` brings aliases, versions and history back, and a rollback works."""

from pathlib import Path

from faults.errors import FaultFound
from faults.project import Checkout, new_project

PROMOTION = ("python", "-m", "flows.promotion")


def run(folder: Path) -> None:
    """Promote two versions, delete the database, register and restore."""
    project = new_project(folder / "project")
    project.repro()
    project.run(*PROMOTION, "--local")
    project.change({"evaluate": {"flip": "none"}})  # another matcher, so another model, without a training
    project.repro()
    project.run(*PROMOTION, "promote", "--force", "--local")
    before, history = _digests(project), project.run(*PROMOTION, "history")
    (project.folder / "mlflow.db").unlink()
    project.run("dvc", "repro", "--force", "--single-item", "register")
    project.run(*PROMOTION, "restore")
    if (after := _digests(project)) != before:
        raise FaultFound(f"{after} instead of {before}")
    if (restored := project.run(*PROMOTION, "history")) != history:
        raise FaultFound(f"{restored}\ninstead of\n{history}")
    project.run(*PROMOTION, "rollback", "--local")
    if (back := _digests(project)["champion"]) != before["previous-champion"]:
        raise FaultFound(f"the rollback led to {back}")
    print("   " + project.run(*PROMOTION, "history").strip().replace("\n", "\n   "))


def _digests(project: Checkout) -> dict[str, str]:
    """Return the digest of the version with each alias."""
    code = (
        "from tasks.tracking.registry import aliased_version, aliases\n"
        "for alias in aliases('facenet'): print(alias, aliased_version('facenet', alias).tags['digest'])"
    )
    printed = project.run("python", "-c", code).splitlines()
    return dict(line.split() for line in printed)
