"""Another process of the program that is killed with `kill -9` while it works."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.database import url_with

_DIES = """
import os, signal
import django
django.setup()
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


def run_until_killed(code: str, *, statements: int) -> bool:
    """Run `code` on the test's database until it has asked that many statements of it, wherever it stands then, mostly
    within a transaction. Returns whether it was killed; False when it had ended by itself before."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "cdp_site.settings",
        "DATABASE_URL": url_with(connection.settings_dict["NAME"]),
        "CDP_DATA": str(settings.CDP_DATA),
    }
    script = [sys.executable, "-c", _DIES.format(statements=statements) + code]
    ended = subprocess.run(script, env=environment, cwd=Path(__file__).parents[1], check=False).returncode
    assert ended in {0, -signal.SIGKILL}
    return ended != 0
