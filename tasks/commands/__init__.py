"""The `facenet` command, and small tools run by `python -m tasks.commands.<name>`."""
