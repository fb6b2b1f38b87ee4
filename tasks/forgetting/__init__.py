"""Forget a person: what is looked for, the places of the workspace that may have it, and its removal."""
