"""What Prometheus collects from /metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
PHOTOS = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The counters of one app; each app has a registry of its own.

    Routes are labelled by their template, never by the path of a request, which may contain a name.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.requests = Counter(
            "facenet_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self.seconds = Histogram(
            "facenet_request_seconds", "Time to answer.", ("route",), buckets=SECONDS, registry=self._registry
        )
        self.in_flight = Gauge("facenet_requests_in_flight", "Being answered.", registry=self._registry)
        self.refused = Counter(
            "facenet_refused", "Requests refused, by reason.", ("reason",), registry=self._registry
        )
        self.batch = Histogram(
            "facenet_batch_photos", "Photos per call of the model.", buckets=PHOTOS, registry=self._registry
        )
        self.dropped = Counter(
            "facenet_decisions_dropped", "Decisions that were not logged.", registry=self._registry
        )
        self.model = Gauge("facenet_model", "1 for the model in use.", ("digest",), registry=self._registry)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)
