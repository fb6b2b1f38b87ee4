"""Stage evaluate: faces, pairs and model -> embeddings and verification metrics by the LFW protocol.

Writes data/embeddings, models/calibration.json, reports/evaluation.json and the tables and plots listed in
dvc.yaml; metrics and reports are also logged to the MLflow run that trained the model.
"""
