"""What the operations of one app share."""

from dataclasses import dataclass

from fastapi import Request

from service.api.access import Access
from service.api.batching import Batcher
from service.api.galleries import Galleries
from service.api.metrics import Metrics
from service.api.models import Models
from service.api.settings import Limits


@dataclass(frozen=True)
class Context:
    """The parts of a running service."""

    limits: Limits
    access: Access
    metrics: Metrics
    models: Models
    batcher: Batcher
    galleries: Galleries

    def start(self) -> None:
        """Begin to load the model, and to answer."""
        self.models.start()
        self.batcher.start()

    def close(self) -> None:
        """Answer what waits, and release model and gallery."""
        self.batcher.close()
        self.models.close()
        self.galleries.close()


def context_of(request: Request) -> Context:
    """Return the parts of the service that a request was sent to."""
    context: Context = request.app.state.context
    return context
