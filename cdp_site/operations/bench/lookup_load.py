"""What else a platform does while agents search: an import with its digest, a match batch, a segment refresh. Each in a
process of its own, over and over, on a copy of the benchmark's database."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection

from cdp_site.operations import background, programs
from cdp_site.operations.bench import child, company, database, segment_questions
from cdp_site.operations.bench.serving import process
from cdp_site.operations.company import loading
from cdp_site.operations.progress import Progress

_NEWCOMERS: Final = 500  # people of one import, with all that their systems say of them
_A_PERSON: Final = 10  # touchpoints


@dataclass(frozen=True)
class Copy:
    """A copy of this process's database, ready to be kept busy. `environment`: what processes on it are given."""

    url: str
    environment: Mapping[str, str]
    people: int
    until: str

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """All are at it within the block, with the priority that a platform gives its jobs and its digest."""
        with ExitStack() as working:
            for name in programs.worker_names():
                worker = [sys.executable, programs.MANAGE, "worker", "--name", name]
                working.enter_context(process(worker, self.url, self.environment))
            for work in (("take_in", str(self.people), self.until), ("match",), ("refresh", self.until)):
                working.enter_context(_child(*work, environment=self.environment))
            yield


@contextmanager
def copy(*, people: int) -> Iterator[Copy]:
    """With a model that is in use; gone with the block."""
    template = str(connection.settings_dict["NAME"])
    until = database.built_until().isoformat()
    copied = f"{template}_busy"
    with tempfile.TemporaryDirectory() as folder, ExitStack() as kept:
        url = database.copy(template, copied)
        kept.callback(database.drop, copied)
        environment = {"DATABASE_URL": url, "CDP_DATA": folder}
        child.measured(
            f"{company.__name__}.prepare", str(people), str(_A_PERSON * people), until, environment=environment
        )
        yield Copy(url, environment, people, until)


@contextmanager
def _child(function: str, *arguments: str, environment: Mapping[str, str]) -> Iterator[None]:
    command = child.command(f"{__name__}.{function}", *arguments)
    quiet = subprocess.DEVNULL
    working = subprocess.Popen(
        command, env=os.environ | environment, stdout=quiet, stderr=quiet, start_new_session=True
    )
    try:
        yield
        if working.poll() is not None:
            raise RuntimeError(f"{function} ended while it was to keep the platform busy")
    finally:
        working.kill()
        working.wait(timeout=30)


# --- in processes of their own ----------------------------------------------------------------------------------------


def take_in(people: str, until: str) -> None:
    """Import one lot of newcomers after another, and digest what their systems say."""
    background.step_aside(background.JOBS)
    settings.CDP_DATA = Path(os.environ["CDP_DATA"])
    first = int(people)
    while True:
        loading.load(
            people=int(people),
            touchpoints=_A_PERSON * int(people),
            seed=database.SEED,
            end=datetime.fromisoformat(until),
            among=range(first, first + _NEWCOMERS),
            helpers=0,
            progress=Progress(),
        )
        first += _NEWCOMERS


def match() -> None:
    """Match everything, again and again."""
    background.step_aside(background.JOBS)
    while True:
        company.match()


def refresh(until: str) -> None:
    """Compute the members of one segment after another."""
    background.step_aside(background.JOBS)
    questions = segment_questions.asked(datetime.fromisoformat(until))
    while True:
        for question in questions:
            with connection.cursor() as cursor:
                cursor.execute(question.select())
                cursor.fetchall()
