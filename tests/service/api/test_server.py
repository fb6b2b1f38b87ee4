import socket
from pathlib import Path

import pytest

from facenet.errors import ParamsInvalid
from service.api.server import check_tokens, listen
from service.api.settings import Settings
from service.api.tokens import TokenStore


def test_beyond_loopback_the_server_starts_only_with_a_token(tmp_path: Path) -> None:
    tokens = TokenStore(tmp_path / "tokens.json")
    check_tokens(Settings(), tokens)
    with pytest.raises(ParamsInvalid, match="facenet token create"):
        check_tokens(Settings(host="0.0.0.0"), tokens)
    tokens.create("phone")
    check_tokens(Settings(host="0.0.0.0"), tokens)


def test_a_port_in_use_and_a_foreign_address_are_named() -> None:
    with listen(Settings(port=0)) as listener:
        port = listener.getsockname()[1]
        assert listener.family == socket.AF_INET
        with socket.create_connection(("127.0.0.1", port)), listener.accept()[0] as connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        with pytest.raises(ParamsInvalid, match=f"127.0.0.1 port {port}: Address already in use"):
            listen(Settings(port=port))
    with pytest.raises(ParamsInvalid, match=r"192\.0\.2\.1"):
        listen(Settings(host="192.0.2.1"))
    with pytest.raises(ParamsInvalid, match="Cannot listen on"):
        listen(Settings(host="no such host"))
