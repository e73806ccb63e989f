"""Signals that end the command line: one exception that unwinds everything, and an end whatever becomes of it.

An exception that comes at any moment can get lost in a library, or be held up by what is to be unwound; a second one
would break off what the first began. So the first signal raises `Interrupted`, others after it do nothing, and a thread
that no computation can hold up sees to it that the process ends, with nothing left behind.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

TYPE_CHECKING = False
"""As `typing` has it, whose import would take longer than all others here."""

if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

before_leaving: list[Callable[[], None]] = []
"""What clears up: called in the middle of anything, so it must not wait for a lock."""
_GRACE_S = 5.0
"""After which the process ends, however far the exception has come."""
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE")
_IMPORTING = "<frozen importlib._bootstrap>"
_SHOW_CURSOR = "\x1b[?25h"


class Interrupted(BaseException):
    """A signal that ends us, `number`: unwinds everything, so that simulators are ended and folders removed."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _Interruptions:
    """What came, and what it has to wait for. Of the main thread, which alone runs handlers of signals."""

    def __init__(self) -> None:
        self.came: int | None = None
        self.shields = 0
        self.waits = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        if self.came is not None or _is_for_others(number):
            return
        self.came = number
        sys.unraisablehook = _say_nothing
        threading.excepthook = _say_nothing
        if _is_importing(frame):
            leave(number)
        if self.shields:
            self.waits = True
        else:
            raise Interrupted(number)


_interruptions = _Interruptions()


@contextmanager
def interruptible() -> Iterator[None]:
    """Within it a signal raises `Interrupted`, once; a few seconds later the process has ended in any case.

    A hang-up that whoever started us ignores, as `nohup` does, stays ignored.
    """
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name) and not _is_ignored(name)]
    before = {number: signal.getsignal(number) for number in numbers}
    reader, writer = os.pipe()
    if hasattr(os, "set_blocking"):  # Windows has it from Python 3.12 on, and does without
        os.set_blocking(writer, False)
    with suppress(RuntimeError):  # where no thread can be started, the exception has to do
        threading.Thread(target=_watch, args=(reader,), name="interruptions", daemon=True).start()
    woken = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in numbers:
        signal.signal(number, _interruptions.handle)
    try:
        yield
    finally:
        if _interruptions.came is None:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(woken)
            os.close(writer)


@contextmanager
def shielded() -> Iterator[None]:
    """What must not be broken off: an interruption that comes within it is raised at its end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _interruptions.shields += 1
    try:
        yield
    finally:
        _interruptions.shields -= 1
        if _interruptions.waits and not _interruptions.shields:
            _interruptions.waits = False
            raise Interrupted(_interruptions.came or 0)


def leave(number: int) -> NoReturn:
    """Clears up and ends the process at once, whatever it does, with 128 and the signal's number.

    After a broken pipe whoever read our output may be gone, and nothing more is written.
    """
    for clear_up in before_leaving:
        clear_up()
    if number != getattr(signal, "SIGPIPE", None):
        with suppress(OSError, ValueError):
            os.write(2, f"{_SHOW_CURSOR if os.isatty(2) else ''}interrupted\n".encode())
    os._exit(128 + number)


def _watch(reader: int) -> None:
    """Ends the process a while after a signal, unless it does so itself: also where no handler has run since."""
    with os.fdopen(reader, "rb", buffering=0) as signals:
        while number := int.from_bytes(signals.read(1)):
            if signal.getsignal(number) == _interruptions.handle and not _is_for_others(number):
                time.sleep(_GRACE_S)
                leave(_interruptions.came or number)


def _is_ignored(name: str) -> bool:
    return name == "SIGHUP" and signal.getsignal(getattr(signal, name)) == signal.SIG_IGN


def _is_for_others(number: int) -> bool:
    """Whether the pipe that broke is not our output's, but that of a simulator which has ended."""
    if number != getattr(signal, "SIGPIPE", None):
        return False
    poll = select.poll()
    for descriptor in (1, 2):
        poll.register(descriptor, 0)
    return not any(event & select.POLLERR for _, event in poll.poll(0))


def _is_importing(frame: FrameType | None) -> bool:
    """Whether a module is being imported, which must not be left half done: libraries take that for other errors."""
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTING:
            return True
        frame = frame.f_back
    return False


def _say_nothing(_: object) -> None:
    """What else breaks while we unwind is of no use to anybody."""
