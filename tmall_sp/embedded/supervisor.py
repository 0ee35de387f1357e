"""Runs parts side by side, shows their output, and leaves none behind."""

import contextlib
import datetime as dt
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

from honcho.colour import get_colours
from honcho.printer import Message, Printer

from tmall_sp.embedded.environment import PROJECT
from tmall_sp.embedded.errors import EmbeddedError
from tmall_sp.embedded.parts import ANSWER_SECONDS, Part

REMEMBERED_LINES = 12
STOP_SECONDS = 12


class Child:
    """A started part: its process group, its last lines, and its log in RUN_DIR/log."""

    def __init__(self, part: Part, environ: Mapping[str, str], log: Path, console: "Console") -> None:
        self.part = part
        self.tail: deque[str] = deque(maxlen=REMEMBERED_LINES)
        self._colour = console.next_colour()
        self._console = console
        self._log = log
        # A supervisor that is killed takes its parts with it, where the system can arrange that.
        leash = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        self.process = subprocess.Popen(
            [*leash, *part.command],
            cwd=PROJECT,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self._log.open("wb") as log:
            for line in self.process.stdout:
                log.write(line)
                log.flush()
                text = line.decode("utf-8", "replace").rstrip()
                self.tail.append(text)
                self._console.line(self.part.name, text, self._colour)

    def ask_to_stop(self) -> None:
        """SIGTERM to the main process only: it lets its own children finish what they do."""
        if self.process.poll() is None:
            self.process.terminate()

    def end(self) -> None:
        """Kill what is left of the process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(timeout=2)

    def death(self) -> str | None:
        """Why the part runs no more; None while it runs."""
        code = self.process.poll()
        if code is None:
            return None
        self._reader.join(timeout=0.5)
        how = f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
        return f"{self.part.name} stopped ({how}). {self.last_words()}"

    def last_words(self) -> str:
        """The last lines of its output, and where the rest is."""
        lines = "\n".join(f"    {line}" for line in self.tail) or "    (no output)"
        return f"Its last lines, also in {self._log}:\n{lines}"


class Console:
    """The terminal: one line at a time with its part's name. One that has gone away stops nobody.

    Without an output nothing is shown; the logs have it all the same.
    """

    def __init__(self, output: TextIO | None = sys.stdout) -> None:
        self._output = output
        self._printer = Printer(output, width=len("sandbox")) if output else None
        self._colours: Iterator[str] = get_colours()
        self._lock = threading.Lock()

    def next_colour(self) -> str:
        return next(self._colours)

    def line(self, name: str, text: str, colour: str | None = None) -> None:
        if self._printer is None:
            return
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._printer.write(Message("line", text + "\n", dt.datetime.now(), name, colour))

    def say(self, text: str) -> None:
        if self._output is None:
            return
        with self._lock, contextlib.suppress(OSError, ValueError):
            print(text, file=self._output, flush=True)


class Supervisor:
    """The parts that run now. Use as a context manager: at its end none of them runs."""

    def __init__(self, environ: Mapping[str, str], console: Console) -> None:
        self.environ = environ
        self.console = console
        self.children: list[Child] = []
        self._log_folder = Path(environ["RUN_DIR"]) / "log"
        self._hurry = False

    def __enter__(self) -> "Supervisor":
        self._log_folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self, part: Part) -> Child:
        child = Child(part, self.environ, self._log_folder / f"{part.name}.log", self.console)
        self.children.append(child)
        return child

    def wait_until_answers(self, child: Child, seconds: float = ANSWER_SECONDS) -> None:
        """Return when the part does its work. EmbeddedError when it, or another, dies first or time is up."""
        deadline = time.monotonic() + seconds
        while True:
            self.raise_if_dead()
            if child.part.answers(self.environ):
                return
            if time.monotonic() > deadline:
                silence = f"{child.part.name} does not answer after {seconds:.0f} s."
                raise EmbeddedError(f"{silence} {child.last_words()}")
            time.sleep(0.2)

    def watch(self) -> None:
        """Wait for the first part that dies, which is an EmbeddedError."""
        while True:
            self.raise_if_dead()
            time.sleep(0.5)

    def raise_if_dead(self) -> None:
        for child in self.children:
            death = child.death()
            if death is not None:
                raise EmbeddedError(death)

    def stop(self) -> None:
        """Stop every part, the first started (the sandbox, which others still call) after the rest.

        Each gets time to finish, unless `hurry` is called.
        """
        for group in (self.children[1:], self.children[:1]):
            for child in group:
                child.ask_to_stop()
            deadline = time.monotonic() + STOP_SECONDS
            while any(child.process.poll() is None for child in group):
                if self._hurry or time.monotonic() > deadline:
                    break
                time.sleep(0.05)
            for child in group:
                child.end()
        self.children = []

    def hurry(self) -> None:
        """Make a stop that is under way kill at once."""
        self._hurry = True
