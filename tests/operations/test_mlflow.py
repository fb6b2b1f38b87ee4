"""MLflow answers its own names only; passwords are in its environment and not in its command."""

import configparser
import sys
from collections.abc import Callable

from operations import mlflow
from operations.served import Served, save_served
from operations.stack import Stack


def test_it_answers_its_own_names_only(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(mlflow_port=5055)
    found = mlflow.server_environment(stack)
    assert found["MLFLOW_SERVER_ALLOWED_HOSTS"] == "127.0.0.1:5055,localhost:5055"
    assert found["MLFLOW_BACKEND_STORE_URI"] == f"sqlite:///{stack.folder.mlflow / 'mlflow.db'}"
    assert "basic-auth" not in mlflow.server_command(stack)


def test_with_a_password_others_may_reach_it(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(mlflow_port=5055, auth=True, hostname="box")
    found = mlflow.server_environment(stack)
    assert found["MLFLOW_SERVER_ALLOWED_HOSTS"] == "127.0.0.1:5055,localhost:5055,box:5055"
    assert len(found["MLFLOW_AUTH_ADMIN_PASSWORD"]) >= 12
    command = mlflow.server_command(stack)
    assert command[-2:] == ["--app-name", "basic-auth"]
    assert command[command.index("--host") + 1] == "0.0.0.0"


def test_users_are_in_the_database_of_the_runs(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(database="postgresql", auth=True)
    mlflow.write_auth_config(stack)
    config = configparser.ConfigParser()
    config.read(stack.folder.mlflow / "auth.ini")
    variables = mlflow.server_environment(stack)
    assert config["mlflow"]["database_uri"] == variables["MLFLOW_BACKEND_STORE_URI"]
    assert "admin_password" not in config["mlflow"]
    assert (stack.folder.mlflow / "auth.ini").stat().st_mode & 0o777 == 0o600


def test_the_servers_of_the_champion_load_their_versions_and_no_pickles(
    make_stack: Callable[..., Stack],
) -> None:
    stack = make_stack(serve=True, champion_port=6000, auth=True)
    save_served(Served("b", "3", candidate="4"), stack.folder)
    for slot, port, version in (("a", "6001", "4"), ("b", "6002", "3")):
        command = mlflow.model_command(slot)(stack)
        assert command[:5] == [sys.executable, "-m", "mlflow", "models", "serve"]
        assert command[command.index("-m", 2) + 1] == f"models:/facenet/{version}"
        assert command[command.index("--port") + 1] == port
        assert command[command.index("--host") + 1] == "127.0.0.1"
    found = mlflow.model_environment(stack)
    assert found["MLFLOW_TRACKING_PASSWORD"] == stack.secrets.mlflow
    assert found["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
