"""What the operations of one app share."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from service.api.access import Access
from service.api.batching import Answered, Batcher
from service.api.decisions import Decisions
from service.api.galleries import Galleries
from service.api.metrics import Metrics
from service.api.models import Models
from service.api.problems import Problem
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
    decisions: Decisions

    async def answered(self, photos: Sequence[bytes], *, every: bool) -> Answered:
        """Return the selected face, or every face, of each photo of a request.

        Raises:
            Problem: 413 for too many photos, 429 if too many wait for the model, 503 while none is loaded.
        """
        if len(photos) > self.limits.photos:
            raise Problem(413, "too_many_photos", f"A request has at most {self.limits.photos} photos.")
        return await asyncio.wrap_future(self.batcher.submit(photos, every=every))

    def start(self) -> None:
        """Begin to load the model, and to answer."""
        self.decisions.start()
        self.models.start()
        self.batcher.start()

    def close(self) -> None:
        """Answer what waits, and release model and gallery."""
        self.batcher.close()
        self.models.close()
        self.galleries.close()
        self.decisions.close()


def context_of(request: Request) -> Context:
    """Return the parts of the service that a request was sent to."""
    context: Context = request.app.state.context
    return context
