"""A real server process, as users start it, and what hostile clients send to it."""

import base64
import io
import json
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
import requests
from PIL import Image

from facenet.face_model import FaceModel
from service.api.tokens import TokenStore
from tests.commands.running import ROOT, facenet_process
from tests.facenet.site_calibration.test_calibration import site_calibration
from tests.waiting import wait_for

MEGABYTE = 2**20
NAMES = (
    "Robert'); DROP TABLE gallery_people;--",
    "<img src=x onerror=alert(1)>",
    "../../../etc/passwd",
    "%00",
    "{{7*7}}",
)


@dataclass(frozen=True)
class Server:
    """A running `facenet serve`, with a token for each scope and one that has expired."""

    port: int
    process: psutil.Process
    log: Path
    tokens: dict[str, str]

    def ask(self, method: str, path: str, *, token: str = "admin", **options: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.tokens.get(token, token)}"}
        url = f"http://127.0.0.1:{self.port}{path}"
        return requests.request(method, url, headers=headers, timeout=60, **options)  # type: ignore[arg-type]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def head(self, path: str, *headers: str) -> bytes:
        lines = [
            f"POST {path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {self.tokens['read']}",
            *headers,
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    def megabytes(self) -> float:
        return float(self.process.memory_info().rss / MEGABYTE)


@pytest.fixture(scope="module")
def server(
    model_folder: Path, face_model: FaceModel, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("serve")
    site_calibration(model_digest=face_model.digest).write(folder / "site.json")
    store = TokenStore(folder / "tokens.json")
    tokens = {scope: store.create(scope, scope)[1] for scope in ("read", "enrol", "admin")}
    tokens["expired"] = store.create("expired", "admin", days=1e-9)[1]
    command = [sys.executable, "-m", "commands.main", "serve", "--port", "0", "--require-tokens"]
    command += ["--model", str(model_folder), "--gallery", str(folder / "gallery.db")]
    command += ["--site", "site.json"]
    environment = {"FACENET_TOKENS": str(store.path), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    log = folder / "serve.log"
    with (
        log.open("wb") as file,
        subprocess.Popen(command, stderr=file, cwd=folder, env=environment) as process,
    ):
        try:
            found = wait_for(lambda: re.search(r"Listening on http://127\.0\.0\.1:(\d+)", log.read_text()))
            running = Server(int(found[1]), psutil.Process(process.pid), log, tokens)
            wait_for(lambda: requests.get(f"http://127.0.0.1:{running.port}/readyz", timeout=60).ok)
            yield running
            assert process.poll() is None, log.read_text()[-2000:]
        finally:
            process.terminate()
    assert process.returncode == -signal.SIGTERM, log.read_text()[
        -2000:
    ]  # it ends what it has begun, and then itself


@pytest.fixture
def jpeg(photo: Callable[..., bytes]) -> bytes:
    return photo(0)


def answer_of(connection: socket.socket) -> bytes:
    found = b""
    try:
        while part := connection.recv(65536):
            found += part
    except ConnectionResetError:
        pass
    return found


def bomb(side: int) -> bytes:
    """Return a PNG of side x side black pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side // 8 + 1) * side), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_it_answers(server: Server, jpeg: bytes) -> None:
    files = {"left": jpeg, "right": jpeg}
    answer = server.ask("POST", "/v1/verify", token="read", files=files)
    assert (answer.json()["match"], answer.json()["site"]) == (True, "office")
    assert server.ask("GET", "/v1/model", token="read").json()["site"]["name"] == "office"
    assert server.ask("GET", "/metrics", token="read").text.count("facenet_batch_photos_count 1.0") == 1


def test_the_documented_requests(server: Server, photo: Callable[..., bytes], tmp_path: Path) -> None:
    for name, number in (("a.jpg", 0), ("b.jpg", 1)):
        (tmp_path / name).write_bytes(photo(number))
    page = (ROOT / "docs" / "how-to" / "serve.md").read_text()
    commands = re.findall(r"^curl .*", page, re.MULTILINE)
    assert len(commands) == 8
    for command in commands:
        sent = command.replace(":8000", f":{server.port}").replace(
            "curl -s ", f"curl -s --fail-with-body -H 'Authorization: Bearer {server.tokens['admin']}' "
        )
        done = subprocess.run(["bash", "-c", sent], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stdout)
        assert "error" not in json.loads(done.stdout), command


def test_a_body_of_200_megabytes_is_refused_while_it_arrives(server: Server) -> None:
    before = server.megabytes()
    for headers, chunked in ((["Content-Length: 209715200"], False), (["Transfer-Encoding: chunked"], True)):
        with server.connect() as connection:
            connection.sendall(server.head("/v1/embed", "Content-Type: application/json", *headers))
            part = bytes(MEGABYTE)
            sent = send_all(connection, b"100000\r\n" + part + b"\r\n" if chunked else part, 200)
            answer = answer_of(connection)
        assert b" 413 " in answer.split(b"\r\n")[0], (sent, answer[:200])
        assert b"too_large" in answer
    assert server.megabytes() - before < 80


def send_all(connection: socket.socket, part: bytes, count: int) -> int:
    """Send until the server closes the connection; return the number of parts."""
    for number in range(count):
        try:
            connection.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            return number
        if select_readable(connection):
            return number
    return count


def select_readable(connection: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def test_a_decompression_bomb_is_refused_before_it_is_decoded(server: Server, jpeg: bytes) -> None:
    packed = bomb(30_000)  # 900 megapixels in less than a megabyte
    assert len(packed) < MEGABYTE
    before = server.megabytes()
    for _ in range(3):
        answer = server.ask("POST", "/v1/verify", files={"left": jpeg, "right": packed})
        assert (answer.status_code, answer.json()["error"]["reason"]) == (413, "too_large")
    assert server.megabytes() - before < 80


def test_many_connections_at_once_are_bounded(server: Server, jpeg: bytes) -> None:
    before = server.megabytes()
    connections = [server.connect() for _ in range(1400)]
    refused = sum(select_readable(connection) for connection in wait_until_refused(connections))
    assert refused >= 1400 - 1024
    assert server.megabytes() - before < 150
    for connection in connections:
        connection.close()
    wait_for(lambda: server.ask("GET", "/healthz").ok)


def wait_until_refused(connections: list[socket.socket]) -> list[socket.socket]:
    deadline = time.monotonic() + 5
    while sum(map(select_readable, connections)) < len(connections) - 1024 and time.monotonic() < deadline:
        time.sleep(0.1)
    return connections


def test_many_requests_at_once_are_answered_or_refused(server: Server, jpeg: bytes) -> None:
    statuses: list[int] = []
    lock = threading.Lock()

    def verify(_: int) -> None:
        answer = server.ask("POST", "/v1/verify", files={"left": jpeg, "right": jpeg})
        with lock:
            statuses.append(answer.status_code)

    with ThreadPoolExecutor(100) as pool:
        list(pool.map(verify, range(100)))
    assert set(statuses) <= {200, 429}
    assert statuses.count(200) >= 20


def test_a_truncated_form_ends_quietly(server: Server, jpeg: bytes) -> None:
    form = b'--b\r\nContent-Disposition: form-data; name="left"; filename="a.jpg"\r\n\r\n' + jpeg
    for half in (form[:50], form[: len(form) // 2], form):
        with server.connect() as connection:
            headers = ["Content-Type: multipart/form-data; boundary=b", f"Content-Length: {len(form) + 1000}"]
            connection.sendall(server.head("/v1/verify", *headers) + half)
    with server.connect() as connection:  # the whole of a form that has no end
        headers = [
            "Content-Type: multipart/form-data; boundary=b",
            f"Content-Length: {len(form)}",
            "Connection: close",
        ]
        connection.sendall(server.head("/v1/verify", *headers) + form)
        assert b" 422 " in answer_of(connection).split(b"\r\n")[0]
    for garbage in (
        b"\x16\x03\x01\x00",
        b"GET /\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"x" * 100_000,
    ):
        with server.connect() as connection:
            connection.sendall(garbage)
            connection.shutdown(socket.SHUT_WR)
            answer = answer_of(connection)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 "), (garbage[:20], answer)
    assert server.ask("GET", "/healthz").ok


def test_sql_html_and_paths_in_every_parameter(server: Server, jpeg: bytes) -> None:
    for name in NAMES:
        path = f"/v1/people/{quote(name, safe='')}"
        answers = [
            server.ask("GET", path),
            server.ask("DELETE", path),
            server.ask("DELETE", path, params={"photo": name}),
            server.ask("GET", "/v1/people", params={"after": name, "search": name}),
            server.ask("GET", "/v1/people", params={"limit": name}),
            server.ask("POST", "/v1/verify", files={"left": jpeg, "right": jpeg}, data={"far": name}),
            server.ask("POST", "/v1/identify", files={"photo": jpeg}, data={"fpir": name, "prior": name}),
            server.ask("POST", "/v1/embed", files={name: jpeg}),
            server.ask("POST", "/v1/embed", files={"photos": (name, jpeg)}),
            server.ask("GET", f"/{name}"),
        ]
        statuses = [answer.status_code for answer in answers]
        assert statuses == [404, 404, 404, 200, 422, 422, 422, 422, 200, 404], (name, statuses)
        assert all("root:" not in answer.text for answer in answers)
        enrolled = server.ask("POST", "/v1/people", files={"photos": jpeg}, data={"name": name})
        assert enrolled.json()["person"]["name"] == name
        assert server.ask("DELETE", path).status_code == 200


def test_wrong_expired_and_lesser_tokens(server: Server, jpeg: bytes) -> None:
    wrong = server.tokens["admin"][:-4] + "AAAA"
    for token in (wrong, "expired", "", "x" * 5000, "../../etc/passwd", "' OR '1'='1"):
        answer = server.ask("GET", "/v1/people", token=token)
        assert (answer.status_code, answer.json()["error"]["reason"]) == (401, "unauthorized")
    assert "expired" in server.ask("GET", "/v1/model", token="expired").json()["error"]["message"]
    enrol = {"files": {"photos": jpeg}, "data": {"name": "Ada"}}
    assert server.ask("POST", "/v1/people", token="read", **enrol).status_code == 403
    assert server.ask("DELETE", "/v1/people/Ada", token="enrol").status_code == 403
    assert requests.get(f"http://127.0.0.1:{server.port}/healthz", timeout=60).ok


def test_nothing_of_a_request_is_in_the_log(server: Server, jpeg: bytes) -> None:
    image = io.BytesIO()
    Image.new("RGB", (8, 8)).save(image, "PNG")
    vector = server.ask("POST", "/v1/embed", files={"photos": jpeg}).json()["photos"][0]["faces"][0][
        "template"
    ]
    server.ask("POST", "/v1/people", files={"photos": image.getvalue()}, data={"name": "Grace Hopper"})
    server.ask("GET", "/v1/people/Grace Hopper")
    server.ask("GET", "/Grace Hopper")
    log = server.log.read_text()
    secrets = [*server.tokens.values(), *(token[-43:] for token in server.tokens.values())]
    secrets += [
        *NAMES,
        "Grace",
        "etc/passwd",
        "DROP",
        base64.b64encode(jpeg).decode()[:40],
        str(vector[0]),
        "JFIF",
    ]
    assert [secret for secret in secrets if secret in log] == []
    lines = [json.loads(line) for line in log.splitlines()[1:]]
    assert {line["event"] for line in lines} >= {"model loaded", "request"}
    assert [line for line in lines if line["level"] == "error"] == []
    assert {line["route"] for line in lines if line["event"] == "request"} >= {
        "/v1/people/{name:path}",
        "unmatched",
    }


def test_beyond_this_machine_it_does_not_start_without_a_token(tmp_path: Path) -> None:
    done = facenet_process(tmp_path, "serve", "--host", "0.0.0.0")
    assert done.returncode == 2
    assert "facenet token create" in done.stderr


def test_without_the_site_calibration_it_was_given_it_does_not_start(tmp_path: Path) -> None:
    done = facenet_process(tmp_path, "serve", "--port", "0", "--site", "nowhere.json")
    assert done.returncode == 2
    assert "nowhere.json is not a valid site calibration" in done.stderr


def test_behind_a_proxy_it_does_not_start_without_a_token(tmp_path: Path) -> None:
    done = facenet_process(tmp_path, "serve", "--allow-host", "faces.example.org")
    assert (done.returncode, "facenet token create" in done.stderr) == (2, True)
