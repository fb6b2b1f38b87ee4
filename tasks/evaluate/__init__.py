"""Stage evaluate: faces, pairs and model -> embeddings and how well they verify, by the LFW protocol.

Writes data/embeddings and reports/evaluation.json, roc.csv, roc.png, folds.csv and worst_errors.png; the
metrics and the reports also go to the MLflow run that trained the model.
"""
