"""Work that nobody waits for steps aside, in the database too."""

import os
import subprocess
import sys

import pytest
from django.db import connection

from cdp_site.operations import background
from tests.database import url_with

TELL = """
import os, django
django.setup()
from django.db import connection
from cdp_site.operations import background
background.step_aside(background.DIGEST)
connection.ensure_connection()
backend = connection.connection.info.backend_pid
print(os.getpriority(os.PRIO_PROCESS, 0), os.getpriority(os.PRIO_PROCESS, backend))
"""


@pytest.mark.django_db(transaction=True)
def test_a_process_and_what_the_database_does_for_it_step_aside() -> None:
    url = url_with(connection.settings_dict["NAME"])
    said = subprocess.run(
        [sys.executable, "-c", TELL], env=os.environ | {"DATABASE_URL": url}, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == [str(background.DIGEST)] * 2


@pytest.mark.django_db
def test_a_number_that_is_another_process_here_is_left_alone() -> None:
    """The database may run on another machine."""
    name = str(connection.settings_dict["NAME"])
    assert background._is_backend(connection.connection.info.backend_pid, database=name)
    assert not background._is_backend(connection.connection.info.backend_pid, database="another")
    assert not background._is_backend(os.getpid(), database=name)
    assert not background._is_backend(4_190_000, database=name)
