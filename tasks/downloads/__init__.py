"""Where bytes come from is environment, which bytes is a parameter: a name becomes a file on this machine."""

from tasks.downloads.lookup import locate

__all__ = ["locate"]
