"""Work that nobody waits for steps aside while people wait: on one small machine an import or a match run may take
every core, and an agent's search still comes first.

Niceness is relative: with a core to spare such work is as fast as any. What the database computes for it steps aside
too, where PostgreSQL runs on this machine as this user, as the embedded one does.
"""

import contextlib
import os
from pathlib import Path
from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# Beside somebody who wants the same core, ten steps get a tenth of his share, nineteen what is left over.
DIGEST: Final = 10  # within seconds is soon enough
JOBS: Final = 19


def step_aside(niceness: int) -> None:
    """This process, those that it starts, and what the database does for their connections from here on."""
    os.setpriority(os.PRIO_PROCESS, 0, niceness)
    connection_created.connect(backend_steps_aside, dispatch_uid="operations.background")


def backend_steps_aside(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Give the database's process that answers this connection the niceness of this one, if it runs here."""
    backend = connection.connection.info.backend_pid
    if _is_backend(backend, database=str(connection.settings_dict["NAME"])):
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it ended, or belongs to another user
            os.setpriority(os.PRIO_PROCESS, backend, os.getpriority(os.PRIO_PROCESS, 0))


def _is_backend(pid: int, *, database: str) -> bool:
    """Whether the process of that number here is PostgreSQL's: the server may be on another machine, where the number
    means another process."""
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return False
    return title.startswith("postgres:") and f" {database} " in title
