"""The audit of a workspace: which photos may have a wrong name, and what to decide about them.

It reads the stored faces and a model, and writes reports/label_audit.parquet, .json and .html. It is not a
stage: no stage reads these files. Only `automatic` writes labels/decisions.csv.
"""
