"""The supervisor, with small shell programs in the place of the platform's."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdp_site.embedded_postgres import is_running
from cdp_site.operations import supervisor as supervisor_module
from cdp_site.operations.supervisor import MARK, AlreadyRunning, Program, Supervisor
from tests.waiting import wait_for

SLEEP = ("sleep", "600")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "TICK", 0.01)
    monkeypatch.setattr(supervisor_module, "CARE_INTERVAL", 0.02)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    """In charge of the test's run folder."""
    with Supervisor(run_folder=tmp_path / "run", say=said.append) as supervisor:
        yield supervisor


def pid_of(supervisor: Supervisor) -> int:
    process = supervisor.children[0].process
    return process.pid if process else 0


def test_starts_a_killed_program_again(supervisor: Supervisor, said: list[str]) -> None:
    pids: list[int] = []

    def killed_twice_and_back() -> bool:
        if (pid := pid_of(supervisor)) and pid not in pids:
            pids.append(pid)
            if len(pids) < 3:
                os.kill(pid, signal.SIGKILL)
        return len(pids) == 3

    supervisor.run([Program("sleeper", SLEEP)], until=killed_twice_and_back)
    assert supervisor.children[0].starts == 3
    assert "killed by SIGKILL" in said[0]
    assert not any(is_running(pid) for pid in pids)


def test_the_pause_grows_while_a_program_dies_at_once(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.run([Program("failing", ("sh", "-c", "exit 3"))], until=lambda: len(said) == 2)
    assert "exit code 3" in said[0]
    assert "in 0.5 s" in said[0]
    assert "in 1 s" in said[1]


def test_a_killed_program_takes_its_own_children_with_it(supervisor: Supervisor, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    parent = Program("parent", ("sh", "-c", f"sleep 600 & echo $! > {note}.new; mv {note}.new {note}; wait"))

    def orphaned() -> bool:
        if note.exists() and supervisor.children[0].starts == 1 and pid_of(supervisor):
            os.kill(pid_of(supervisor), signal.SIGKILL)
            grandchildren.append(int(note.read_text()))
        return bool(grandchildren) and supervisor.children[0].starts == 2

    grandchildren: list[int] = []
    supervisor.run([parent], until=orphaned)
    wait_for(lambda: not is_running(grandchildren[0]))


def test_stop_asks_first_and_kills_who_does_not_listen(supervisor: Supervisor, tmp_path: Path) -> None:
    polite = f"trap 'touch {tmp_path}/left; exit' TERM; touch {tmp_path}/polite; while :; do sleep 0.02; done"
    deaf = f"trap '' TERM; touch {tmp_path}/deaf; while :; do sleep 0.02; done"
    programs = [Program("polite", ("sh", "-c", polite)), Program("deaf", ("sh", "-c", deaf), stop_patience=0.2)]
    supervisor.run(programs, until=lambda: (tmp_path / "polite").exists() and (tmp_path / "deaf").exists())
    assert (tmp_path / "left").exists()
    codes = [child.process.returncode for child in supervisor.children if child.process]
    assert codes == [0, -signal.SIGKILL]


def test_a_program_without_sign_of_life_is_started_again(supervisor: Supervisor, said: list[str]) -> None:
    stuck = [True, False]
    hanging = Program("hanging", SLEEP, is_stuck=lambda: stuck.pop(0) if stuck else False, grace=0)
    supervisor.run([hanging], until=lambda: supervisor.children[0].starts == 2)
    assert "no sign of life" in said[0]


def test_signal_ends_the_run(supervisor: Supervisor) -> None:
    def signalled() -> bool:
        if pid_of(supervisor):
            os.kill(os.getpid(), signal.SIGTERM)
        return False

    supervisor.run([Program("sleeper", SLEEP)], until=signalled)
    assert supervisor.children[0].process is not None
    assert supervisor.children[0].process.returncode == -signal.SIGTERM


def test_one_supervisor_per_installation(supervisor: Supervisor) -> None:
    with pytest.raises(AlreadyRunning):
        Supervisor(run_folder=supervisor.run_folder, say=supervisor.say).__enter__()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc; elsewhere no program outlives its supervisor")
def test_what_a_killed_supervisor_left_is_ended(tmp_path: Path, said: list[str]) -> None:
    environment = os.environ | {MARK: str(tmp_path / "run")}
    leftover = subprocess.Popen(SLEEP, env=environment, start_new_session=True)
    other = subprocess.Popen(SLEEP, env=os.environ | {MARK: str(tmp_path / "another")})
    try:
        wait_for(Path(f"/proc/{leftover.pid}/environ").read_bytes)  # empty for a moment after its program has begun
        with Supervisor(run_folder=tmp_path / "run", say=said.append):
            assert leftover.wait(timeout=10) == -signal.SIGKILL
        assert other.poll() is None
    finally:
        for process in (leftover, other):
            process.kill()
            process.wait()


def test_programs_end_with_a_killed_supervisor(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = f"""
        from pathlib import Path
        from cdp_site.operations.supervisor import Program, Supervisor
        program = Program("noted", ("sh", "-c", "echo $$ > {note}.new; mv {note}.new {note}; exec sleep 600"))
        with Supervisor(run_folder=Path("{tmp_path}/run"), say=print) as supervisor:
            supervisor.run([program])
    """
    supervisor = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)])
    try:
        wait_for(note.exists)
        program = int(note.read_text())
        assert is_running(program)
    finally:
        supervisor.kill()
        supervisor.wait()
    wait_for(lambda: not is_running(program))
