"""Resolve names to files: the parameters say which bytes, the environment says where they come from."""

from tasks.downloads.lookup import locate

__all__ = ["locate"]
