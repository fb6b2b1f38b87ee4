"""The log of decisions in production, and whether a day of it still looks like the evaluation.

One row per decision: when, by which model, what was decided, and measures of the face. Never a name, a
photo, an embedding or a template. `rows` makes rows of what a FaceModel answers, `store` has the log,
`day` compares a day.
"""
