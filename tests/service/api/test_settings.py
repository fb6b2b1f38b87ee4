import pytest

from facenet.cores import cores
from service.api.settings import MAX_THREADS, Settings, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "localhost", "LOCALHOST", "::1", "[::1]"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)
    assert not Settings(host=host).needs_tokens


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "faces.example.org", "", "127.0.0.1.evil.org"]
)
def test_beyond_loopback_tokens_are_needed(host: str) -> None:
    assert not is_loopback(host)
    assert Settings(host=host).needs_tokens


def test_a_proxy_in_front_makes_tokens_necessary() -> None:
    assert Settings(allowed_hosts=("faces.example.org",)).needs_tokens
    assert not Settings(allowed_hosts=("localhost",)).needs_tokens
    assert Settings(require_tokens=True).needs_tokens


def test_names_of_the_host_header() -> None:
    assert Settings().host_names == {"localhost", "127.0.0.1", "::1"}
    assert "faces.example.org" in (Settings(allowed_hosts=("Faces.example.org",)).host_names or ())
    assert Settings(host="0.0.0.0").host_names is None
    assert Settings(host="0.0.0.0", allowed_hosts=("a.org",)).host_names == {
        "localhost",
        "127.0.0.1",
        "::1",
        "a.org",
    }


def test_the_model_has_a_thread_for_each_core_up_to_a_limit() -> None:
    assert 1 <= Settings().threads == min(cores(), MAX_THREADS)
