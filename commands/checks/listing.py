"""All checks, in the order of the report: what others depend on comes first."""

from commands.checks import device, gallery, installation, remote, servers, storage, weights, workspace
from commands.checks.finding import Check

CHECKS: tuple[Check, ...] = (
    installation.check_python,
    installation.check_packages,
    installation.check_lock,
    installation.check_code,
    device.check_torch,
    weights.check_mtcnn,
    weights.check_dlib,
    workspace.check_workspace,
    workspace.check_mirrors,
    workspace.check_locks,
    device.check_device,
    weights.check_model,
    gallery.check_gallery,
    storage.check_places,
    storage.check_secrets,
    servers.check_mlflow,
    servers.check_prefect,
    servers.check_dask,
    servers.check_services,
    remote.check_remote,
)
