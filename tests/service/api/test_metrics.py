from service.api.metrics import Metrics


def test_each_app_counts_for_itself() -> None:
    first, second = Metrics(), Metrics()
    first.requests.labels("POST", "/v1/verify", "200").inc()
    first.batch.observe(3)
    text = first.text().decode()
    assert 'facenet_requests_total{method="POST",route="/v1/verify",status="200"} 1.0' in text
    assert 'facenet_batch_photos_bucket{le="4.0"} 1.0' in text
    assert "process_resident_memory_bytes" in text
    assert "/v1/verify" not in second.text().decode()
