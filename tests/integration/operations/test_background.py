"""Work that nobody waits for steps aside, in the database too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from cdp_site.operations import background
from tests.database import url_with

TELL = """
import os, django
from pathlib import Path
django.setup()
from django.db import connection
from cdp_site.operations import background
background.step_aside(background.DIGEST)
connection.ensure_connection()
backend = connection.connection.info.backend_pid
print(os.getpriority(os.PRIO_PROCESS, 0), os.getpriority(os.PRIO_PROCESS, backend))
for process in ("self", backend):
    group = Path(f"/proc/{process}/autogroup")
    words = group.read_text().split() if group.exists() else []
    print(words[-1] if words else "none")  # what started with the machine is in no session
"""
SESSION = str(background.of_session(background.DIGEST))
NOBODYS = 4_190_000  # above the greatest number that a process has by default


@pytest.mark.django_db(transaction=True)
def test_a_process_and_what_the_database_does_for_it_step_aside() -> None:
    assert _told(start_new_session=False)[:2] == [str(background.DIGEST)] * 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="sessions share no processors here")
def test_so_do_their_sessions() -> None:
    """Where Linux shares the processors out among sessions, niceness alone would change nothing."""
    assert _told(start_new_session=True)[2:] == [SESSION] * 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="sessions share no processors here")
def test_a_session_that_others_share_is_left_alone() -> None:
    words = Path("/proc/self/autogroup").read_text().split()
    assert _told(start_new_session=False)[2:] == [words[-1] if words else "none", SESSION]


def _told(*, start_new_session: bool) -> list[str]:
    """Niceness of a process that steps aside and of its database's process, then of the session of each."""
    url = url_with(connection.settings_dict["NAME"])
    said = subprocess.run(
        [sys.executable, "-c", TELL],
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=True,
        start_new_session=start_new_session,
    )
    return said.stdout.split()


def test_the_session_of_a_process_that_has_ended_is_nobodys() -> None:
    background._session_steps_aside(NOBODYS, background.JOBS)


def test_a_session_is_asked_again_when_another_was_changed_just_now(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [BlockingIOError, BlockingIOError, None]
    written = []

    def write(path: Path, text: str) -> None:
        if (answer := answers.pop(0)) is not None:
            raise answer
        written.append((str(path), text))

    monkeypatch.setattr(Path, "write_text", write)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    background._session_steps_aside(1234, background.DIGEST)
    assert written == [("/proc/1234/autogroup", SESSION)]


@pytest.mark.django_db
def test_a_number_that_is_another_process_here_is_left_alone() -> None:
    """The database may run on another machine."""
    name = str(connection.settings_dict["NAME"])
    assert background._is_backend(connection.connection.info.backend_pid, database=name)
    assert not background._is_backend(connection.connection.info.backend_pid, database="another")
    assert not background._is_backend(os.getpid(), database=name)
    assert not background._is_backend(NOBODYS, database=name)
