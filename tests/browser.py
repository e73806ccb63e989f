"""A real browser for tests: Chromium without a window, told what to do through its own debugging protocol.

The protocol runs over two pipes, so that nothing but the program is needed: no driver, no port, no package.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

VARIABLE = "KANSPICE_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
TIMEOUT_S = 60
OPTIONS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",  # needs rights that containers do not give; the pages are our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--no-default-browser-check",
)

# The browser reads from descriptor 3 and writes to descriptor 4; the pipes' own may be the same two, crossed.
START = """
import fcntl, os, sys
read, write = (fcntl.fcntl(int(pipe), fcntl.F_DUPFD_CLOEXEC, 10) for pipe in sys.argv[1:3])
os.dup2(read, 3)
os.dup2(write, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find_browser() -> str | None:
    """The program that KANSPICE_BROWSER names, or the first that is installed; None where there is none."""
    named = os.environ.get(VARIABLE)
    candidates = (named,) if named else (*NAMES, *PLACES)
    return next((found for name in candidates if (found := shutil.which(name))), None)


class Browser:
    """One running browser with one page."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read = write, read
        self._last, self._buffer = 0, b""
        self.events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def open(self, page: Path, width: int, height: int = 900, dark: bool = False) -> None:
        """Loads a page in a window of that many pixels; events begin anew."""
        self.events.clear()
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", {"media": "", "features": [scheme]})
        self.call("Page.navigate", {"url": page.resolve().as_uri()})
        self._wait_for("Page.loadEventFired")

    def print(self) -> None:
        """Shows the page as it is on paper."""
        self.call("Emulation.setEmulatedMedia", {"media": "print"})

    def point(self, x: float, y: float) -> None:
        """Moves the mouse to a place of the window."""
        self.call("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Moves the mouse from one place of the window to another with its button held down."""
        steps = (("mousePressed", *start, 1), ("mouseMoved", *end, 1), ("mouseReleased", *end, 0))
        for kind, x, y, held in steps:
            about = {"type": kind, "x": x, "y": y, "button": "left", "buttons": held, "clickCount": 1}
            self.call("Input.dispatchMouseEvent", about)

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self.call("Runtime.evaluate", {"expression": script, "returnByValue": True, "awaitPromise": True})
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """The whole page as a PNG file."""
        shot = self.call("Page.captureScreenshot", {"captureBeyondViewport": True})
        path.write_bytes(base64.b64decode(shot["data"]))

    def complaints(self) -> list[str]:
        """What the page wrote to the console, and its errors."""
        texts = []
        for event in self.events:
            method, about = event["method"], event.get("params", {})
            if method == "Log.entryAdded":
                texts.append(about["entry"]["text"])
            elif method in {"Runtime.consoleAPICalled", "Runtime.exceptionThrown"}:
                texts.append(json.dumps(about))
        return texts

    def requests(self) -> list[str]:
        """Every address that the page asked for, itself included."""
        asked = [event for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in asked]

    def call(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Sends one command to the page and waits for its answer."""
        return self._call(method, params or {}, self._session)

    def _call(self, method: str, params: dict[str, Any], session: str | None = None) -> dict[str, Any]:
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._last:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _wait_for(self, method: str) -> None:
        while not any(event["method"] == method for event in self.events):
            self._receive()

    def _receive(self) -> dict[str, Any]:
        deadline = time.monotonic() + TIMEOUT_S
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(deadline - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            part = os.read(self._read, 1 << 20)
            assert part, "the browser has ended"
            self._buffer += part
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        if "method" in message:
            self.events.append(message)
        return message


@contextmanager
def running_browser(program: str, profile: Path) -> Iterator[Browser]:
    """A browser that ends with the block. Its profile is a new folder."""
    commands_out, commands_in = os.pipe()
    answers_out, answers_in = os.pipe()
    pipes = (str(commands_out), str(answers_in))
    command = [sys.executable, "-c", START, *pipes, program, *OPTIONS, f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        command,
        pass_fds=(commands_out, answers_in),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(commands_out)
    os.close(answers_in)
    try:
        yield Browser(commands_in, answers_out)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(commands_in)
        os.close(answers_out)
