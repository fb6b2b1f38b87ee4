"""Write a model in MLflow's format: code, files, signature and requirements, nothing pickled."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.tracking.store import told


def save_pyfunc(
    folder: Path,
    *,
    script: Path,
    artifacts: Mapping[str, Path],
    code: Sequence[Path],
    requirements: Sequence[str],
    inputs: Mapping[str, str],
    outputs: Mapping[str, Any],
    example: Mapping[str, str],
    config: Mapping[str, Any],
    run_id: str,
    model_id: str,
) -> None:
    """Write a model whose code is the file `script` (models from code), with the packages `code` beside it.

    inputs: the MLflow type of each column. outputs: likewise; a one-element list stands for an array of it.
    example: one row of input. config: what `pyfunc.load_model(..., model_config=...)` may replace.
    """
    import pandas as pd
    from mlflow import pyfunc
    from mlflow.models import Model, ModelSignature

    with told():
        pyfunc.save_model(
            str(folder),
            mlflow_model=Model(run_id=run_id, model_id=model_id),
            python_model=str(script),
            artifacts={name: str(path) for name, path in artifacts.items()},
            code_paths=[str(path) for path in code],
            pip_requirements=list(requirements),
            signature=ModelSignature(inputs=_schema(inputs), outputs=_schema(outputs)),
            input_example=pd.DataFrame([dict(example)]),
            model_config=dict(config),
        )


def _schema(columns: Mapping[str, Any]) -> Any:
    from mlflow.types import ColSpec, Schema

    return Schema([ColSpec(_type(kind), name) for name, kind in columns.items()])


def _type(kind: Any) -> Any:
    from mlflow.types.schema import Array, DataType

    return Array(_type(kind[0])) if isinstance(kind, list) else DataType[kind]
