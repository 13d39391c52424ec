"""Keeps the platform's processes running: starts them, starts them again when they die or hang, stops them together.

Knows processes and nothing of what they do. Each program runs in a process group of its own, so that what it leaves
behind (workers of a killed server, which would hold its port) goes with it. A lock on the run folder makes sure that
one supervisor looks after one installation; what a killed supervisor left is found by a mark in its environment.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cdp_site.embedded_postgres import hold_lock, is_running

MARK = "CDP_SUPERVISED_BY"
TICK = 0.25  # seconds between two looks at the programs
CARE_INTERVAL = 2.0  # seconds between two looks at signs of life and at the database
LONG_ENOUGH = 30.0  # seconds: a program that lived that long is not in a crash loop
LONGEST_PAUSE = 30.0
LEFTOVERS_PATIENCE = 10.0
LOG_LIMIT = 20 * 1024 * 1024

Say = Callable[[str], None]


class AlreadyRunning(Exception):
    """Another supervisor looks after this installation."""


@dataclass(frozen=True)
class Program:
    """One long-running process.

    Attributes:
        command: the program and its arguments.
        is_stuck: true when it runs but does nothing; asked only when it has had `grace` seconds since its start.
        stop_patience: seconds from SIGTERM to SIGKILL.
    """

    name: str
    command: tuple[str, ...]
    is_stuck: Callable[[], bool] = lambda: False
    grace: float = 120.0
    stop_patience: float = 10.0


@dataclass
class Child:
    """A program's process: the one that runs, or the time when the next one may start."""

    program: Program
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    starts_at: float = 0.0
    fast_deaths: int = 0
    starts: int = 0


class Supervisor:
    """See the module.

    Examples:
        >>> with Supervisor(run_folder=folder, say=print) as supervisor:  # doctest: +SKIP
        ...     supervisor.run(programs)
    """

    def __init__(self, *, run_folder: Path, say: Say, care: Callable[[], None] = lambda: None) -> None:
        """
        Args:
            run_folder: its lock and the programs' logs lie there.
            say: gets a line for each event that a person should know of.
            care: called every two seconds, for what the programs themselves stand on.
        """
        self.children: list[Child] = []
        self.run_folder = run_folder
        self.say = say
        self.care = care
        self._stopping = threading.Event()
        self._signals = 0

    # --- life ---------------------------------------------------------------------------------------------------

    def __enter__(self) -> "Supervisor":
        """Take charge of the run folder and end what a killed supervisor left.

        Raises:
            AlreadyRunning: another supervisor holds the run folder.
        """
        self.run_folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock = hold_lock(self.run_folder / "supervisor.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning from None
        self._end_leftovers()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()

    def run(self, programs: Sequence[Program], *, until: Callable[[], bool] = lambda: False) -> None:
        """Start all of them and look after them until `stop()`, Ctrl-C, SIGTERM or `until()`; then stop them."""
        self.children = [Child(program) for program in programs]
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._look_after(until)
        finally:
            self._end_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Let `run()` end. May be called from any thread."""
        self._stopping.set()

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._signals += 1
        self._stopping.set()

    def _look_after(self, until: Callable[[], bool]) -> None:
        next_care = time.monotonic() + CARE_INTERVAL
        while not self._stopping.is_set():
            for child in self.children:
                self._tend(child)
            if time.monotonic() >= next_care:
                self.care()
                for child in self.children:
                    self._end_if_stuck(child)
                next_care = time.monotonic() + CARE_INTERVAL
            if until():
                return
            self._stopping.wait(TICK)

    def _tend(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is not None and child.process.poll() is not None:
            self._bury(child, child.process, now)
        if child.process is None and now >= child.starts_at:
            self._start(child)

    def _start(self, child: Child) -> None:
        name = child.program.name
        log = self.run_folder / f"{name}.log"
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        command = [sys.executable, "-E", "-S", "-B", "-m", "cdp_site.operations.supervised", str(os.getpid())]
        with log.open("ab") as output:
            child.process = subprocess.Popen(
                [*command, *child.program.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd=Path(__file__).resolve().parent.parent.parent,
                env=os.environ | {MARK: str(self.run_folder)},
            )
        child.started_at = time.monotonic()
        child.starts += 1

    def _bury(self, child: Child, process: "subprocess.Popen[bytes]", now: float) -> None:
        """Clear up after a dead process and set the time of its next start."""
        _kill_group(process.pid)
        child.process = None
        child.fast_deaths = child.fast_deaths + 1 if now - child.started_at < LONG_ENOUGH else 0
        pause = min(LONGEST_PAUSE, 0.25 * 2**child.fast_deaths)
        child.starts_at = now + pause
        self.say(
            f"{child.program.name} ended ({_how_it_ended(process.returncode)}); it starts again in {pause:g} s."
            f" Its log: {self.run_folder / child.program.name}.log"
        )

    def _end_if_stuck(self, child: Child) -> None:
        if child.process is None or time.monotonic() - child.started_at < child.program.grace:
            return
        if child.program.is_stuck():
            self.say(f"{child.program.name} runs but gives no sign of life; it is ended and started again.")
            _kill_group(child.process.pid)

    # --- the end ------------------------------------------------------------------------------------------------

    def _end_all(self) -> None:
        """SIGTERM to each program, which stops its own workers; SIGKILL to what is left. A second signal cuts short."""
        begun = time.monotonic()
        signals_before = self._signals
        running = [(child.program, child.process) for child in self.children if child.process is not None]
        for _program, process in running:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for program, process in running:
            while process.poll() is None:
                if time.monotonic() - begun > program.stop_patience or self._signals > signals_before:
                    break
                time.sleep(0.02)
            _kill_group(process.pid)
            process.wait()

    def _end_leftovers(self) -> None:
        """Kill what a killed supervisor of this folder left behind (where /proc exists), and wait until it is gone."""
        mark = f"{MARK}={self.run_folder}".encode()
        leftovers = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (process / "environ").read_bytes().split(b"\0") and int(process.name) != os.getpid():
                    os.kill(int(process.name), signal.SIGKILL)
                    leftovers.append(int(process.name))
        end = time.monotonic() + LEFTOVERS_PATIENCE
        while any(map(is_running, leftovers)) and time.monotonic() < end:
            time.sleep(0.02)  # their port is free only when they are gone


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _how_it_ended(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
