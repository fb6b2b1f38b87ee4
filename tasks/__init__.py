"""The stages of the pipeline, one module each, run by `python -m tasks.<stage>`.

They read and write the files that dvc.yaml names and know nothing of Prefect: `flows/stage.py` wraps each of them
as the Prefect task of the same name.
"""
