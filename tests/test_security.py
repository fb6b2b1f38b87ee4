"""Nothing that the product loads can run code: no pickles, no YAML objects, no shell, no eval."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGES = ("facenet", "tasks", "flows", "operations", "service", "commands", "infra")
LOADERS = {"pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal", "skops", "_pickle", "jsonpickle"}
# Calls that load what may run code, by the last two names of the call, and the argument that makes them safe.
SAFE_WITH = {
    "torch.load": ("weights_only", True),
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
    "yaml.load": ("Loader", "_Loader"),  # a SafeLoader, see the test below
}
NEVER = {
    "eval",
    "exec",
    "os.system",
    "os.popen",
    "pandas.read_pickle",
    "pd.read_pickle",
    "torch.package",
    "jit.load",
    "yaml.full_load",
    "yaml.unsafe_load",
    "yaml.load_all",
    "hub.load",
    "pytorch.load_model",
    "sklearn.load_model",
}
# Where a pickle is read after all: files whose sha256 is checked first.
CHECKED = {("facenet/detection/weights.py", "joblib.load")}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls of a file, by the last two parts of the name of what is called."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            parts = ast.unparse(node.func).split(".")
            yield ".".join(parts[-2:]) if len(parts) > 1 else parts[0], node


def faults_of(path: Path, name: str) -> Iterator[str]:
    """Yield the calls of a file that could run code of somebody else."""
    for called, node in calls(path):
        given = {word.arg: ast.unparse(word.value) for word in node.keywords}
        module, _, function = called.partition(".")
        if called in SAFE_WITH:
            argument, value = SAFE_WITH[called]
            if given.get(argument) != str(value):
                yield f"{name}:{node.lineno}: {called} without {argument}={value}"
        elif called in NEVER or given.get("shell") == "True" or given.get("allow_pickle") == "True":
            yield f"{name}:{node.lineno}: {called}"
        elif module in LOADERS and ("load" in function or function in ("open", "Unpickler")):
            if (name, called) in CHECKED:
                continue
            yield f"{name}:{node.lineno}: {called}"


def test_no_code_of_somebody_else_is_loaded(root: Path) -> None:
    files = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
    assert len(files) > 200
    found = [fault for path in files for fault in faults_of(path, str(path.relative_to(root)))]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "numpy.lib.npyio.NpzFile(path, allow_pickle=True)",
        "pickle.loads(data)",
        "pickle.Unpickler(file).load()",
        "joblib.load(path)",
        "cloudpickle.load(file)",
        "yaml.load(text, Loader=yaml.Loader)",
        "yaml.unsafe_load(text)",
        "pandas.read_pickle(path)",
        "mlflow.sklearn.load_model(uri)",
        "torch.jit.load(path)",
        "torch.hub.load('a/b', 'c')",
        "eval(text)",
        "subprocess.run(text, shell=True)",
    ],
)
def test_the_search_finds(code: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(code)
    assert list(faults_of(tmp_path / "module.py", "module.py"))


def test_what_is_allowed_is_safe(root: Path) -> None:
    import yaml

    from tasks.params.document import _Loader

    assert issubclass(_Loader, yaml.SafeLoader)
    assert not issubclass(_Loader, yaml.UnsafeLoader)
    weights = (root / "facenet" / "detection" / "weights.py").read_text()
    assert weights.index("if found != sha256") < weights.index("joblib.load(")
