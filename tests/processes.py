"""Other processes of the program beside the test's own, such as one that is killed with `kill -9` while it works."""

import os
import signal
import subprocess
import sys

from django.conf import settings
from django.db import connection

from tests.database import url_with

_BEGINS = """
import os, signal, sys
import django
django.setup()
"""
_DIES = """
from django.db import connection

asked = 0

def killer(execute, sql, params, many, context):
    global asked
    asked += 1
    if asked > {statements}:
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, params, many, context)

connection.execute_wrappers.append(killer)
"""


def run(code: str, *arguments: str) -> int:
    """Run `code` on the test's database, with Django set up; the process's return code, minus the signal that ended
    it."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "cdp_site.settings",
        "DATABASE_URL": url_with(connection.settings_dict["NAME"]),
        "CDP_DATA": str(settings.CDP_DATA),
    }
    script = [sys.executable, "-c", _BEGINS + code, *arguments]
    return subprocess.run(script, env=environment, cwd=settings.BASE_DIR, check=False).returncode


def run_until_killed(code: str, *, statements: int) -> bool:
    """Run `code` until it has asked that many statements of the database, wherever it stands then, mostly within a
    transaction. Returns whether it was killed; False when it had ended by itself before."""
    ended = run(_DIES.format(statements=statements) + code)
    assert ended in {0, -signal.SIGKILL}
    return ended != 0
