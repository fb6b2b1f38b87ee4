"""Headless Chromium, driven over its DevTools protocol: what a page requests, and its errors."""

import base64
import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.programs import program

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OFF = ("--headless=new", "--no-sandbox", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage")
PATIENCE = 60.0  # seconds, on a busy machine


@dataclass
class Tab:
    """A tab of the browser; requests and complaints (console and log) are collected as messages arrive."""

    socket: ClientConnection
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    loaded: int = 0
    _asked: int = 0

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        self._asked += 1
        self.socket.send(json.dumps({"id": self._asked, "method": method, "params": params}))
        while True:
            answer = self._receive()
            if answer.get("id") == self._asked:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, place: Path | str, *, width: int, scheme: str = "light") -> None:
        """Load a file or URL at a width in CSS pixels, light or dark, and wait until it has loaded."""
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.ask(f"{domain}.enable")
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=844, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask("Emulation.setEmulatedMedia", features=features)
        before = self.loaded
        self.ask("Page.navigate", url=place if isinstance(place, str) else place.as_uri())
        while self.loaded == before:
            self._receive()

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press and release a key of the keyboard; code: its virtual key code."""
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **common)

    def tab_to(self, selector: str, limit: int = 40) -> None:
        """Press Tab until the element of a CSS selector has the focus."""
        for _ in range(limit):
            if self.value(f"document.activeElement.matches({json.dumps(selector)})"):
                return
            self.press("Tab", 9)
        raise AssertionError(f"Tab does not reach {selector}")

    def type(self, text: str) -> None:
        """Type into the element that has the focus."""
        self.ask("Input.insertText", text=text)

    def choose(self, *files: Path) -> None:
        """Choose files in the file field that has the focus, as its dialog does."""
        found = self.ask("Runtime.evaluate", expression="document.activeElement")["result"]["objectId"]
        self.ask("DOM.setFileInputFiles", files=[str(file) for file in files], objectId=found)

    def follow(self, key: str = "Enter", code: int = 13, text: str = "\r") -> None:
        """Press a key that leads to another page, and wait until it has loaded."""
        before = self.loaded
        self.press(key, code, text)
        while self.loaded == before:
            self._receive()

    def screenshot(self, path: Path) -> None:
        """Write the whole page to a PNG file."""
        shot = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def value(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"]["value"]

    def wait(self, condition: str) -> None:
        """Wait until a JavaScript expression is true."""
        end = time.monotonic() + PATIENCE
        while not self.value(condition):
            assert time.monotonic() < end, f"never true: {condition}"
            time.sleep(0.1)

    def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.socket.recv(timeout=PATIENCE))
        params = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded":
                self.complaints.append(json.dumps(params))
            case "Page.loadEventFired":
                self.loaded += 1
        return message


@contextmanager
def chromium(profile: Path) -> Iterator[Tab]:
    """Yield a tab of a new browser; the test is skipped or fails where none is installed."""
    browser = program(NAMES, package="chromium")
    log = profile / "browser.log"
    profile.mkdir(parents=True, exist_ok=True)
    command = [str(browser), *OFF, f"--user-data-dir={profile}", "--remote-debugging-port=0", "about:blank"]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            with connect(_tab_address(log, process), max_size=None, open_timeout=PATIENCE) as socket:
                yield Tab(socket)
        finally:
            process.terminate()


def _tab_address(log: Path, process: subprocess.Popen[bytes]) -> str:
    """Return the address of the first tab, once the browser has printed its own."""
    import requests

    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(r"ws://(127\.0\.0\.1:\d+)/", log.read_text(errors="replace")):
            for target in requests.get(f"http://{found[1]}/json", timeout=PATIENCE).json():
                if target["type"] == "page":
                    return str(target["webSocketDebuggerUrl"])
        time.sleep(0.05)
    raise AssertionError(f"the browser did not start: {log.read_text(errors='replace')[-1000:]}")
