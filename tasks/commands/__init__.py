"""Small tools run by `python -m tasks.commands.<name>`."""
