"""Work that nobody waits for steps aside while people wait: on one small machine an import or a match run may take
every core, and an agent's search still comes first.

Niceness is relative: with a core to spare such work is as fast as any. What the database computes for it steps aside
too, where PostgreSQL runs on this machine as this user, as the embedded one does.

Linux may share processors out among sessions before it looks at niceness (`kernel.sched_autogroup_enabled`, in force
outside of containers and services). Each of PostgreSQL's processes is a session of its own, and so is each program of
the supervisor: there niceness alone changes nothing, and the session steps aside as well. Half as far, since a session
also yields to what has nothing to do with the platform: a digest that such a machine starves would hold its locks.
"""

import contextlib
import os
import time
from pathlib import Path
from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# Beside somebody who wants the same core, ten steps get a tenth of his share, nineteen what is left over.
DIGEST: Final = 10  # within seconds is soon enough
JOBS: Final = 19
_ATTEMPTS: Final = 5  # Linux changes the niceness of one session in a tenth of a second, unless root asks


def step_aside(niceness: int) -> None:
    """This process, those that it starts, and what the database does for their connections from here on."""
    os.setpriority(os.PRIO_PROCESS, 0, niceness)
    if os.getsid(0) == os.getpid():  # else others, such as the shell's other programs, are in the session as well
        _session_steps_aside(os.getpid(), niceness)
    connection_created.connect(backend_steps_aside, dispatch_uid="operations.background")


def backend_steps_aside(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Give the database's process that answers this connection the niceness of this one, if it runs here."""
    backend = connection.connection.info.backend_pid
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    if _is_backend(backend, database=str(connection.settings_dict["NAME"])):
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it ended, or belongs to another user
            os.setpriority(os.PRIO_PROCESS, backend, niceness)
            _session_steps_aside(backend, niceness)


def of_session(niceness: int) -> int:
    """What a session is given whose processes have this niceness."""
    return (niceness + 1) // 2


def _session_steps_aside(leader: int, niceness: int) -> None:
    """The session of that process, where sessions share the processors."""
    group = Path(f"/proc/{leader}/autogroup")
    for _attempt in range(_ATTEMPTS):
        try:
            group.write_text(str(of_session(niceness)))
        except BlockingIOError:  # that of another session was changed just now
            time.sleep(0.1)
        except OSError:  # this system knows no such thing, or it belongs to another user
            return
        else:
            return


def _is_backend(pid: int, *, database: str) -> bool:
    """Whether the process of that number here is PostgreSQL's: the server may be on another machine, where the number
    means another process."""
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return False
    return title.startswith("postgres:") and f" {database} " in title
