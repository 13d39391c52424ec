"""The parent process of the embedded PostgreSQL: starts it, starts it again when it dies, stops it after its last user.

Started by `embedded_postgres.serve` as a process of its own, away from every terminal. Standard library only.
"""

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from cdp_site.embedded_postgres import SERVER_ENVIRONMENT, SOCKET_NAME, Home, Profile, hold_lock, is_running

STOP_PATIENCE = 60.0  # seconds for the last checkpoint, before PostgreSQL is told to stop at once
MEGABYTE = 1024 * 1024


class Keeper:
    """PostgreSQL's parent. One per cluster: it holds the cluster's keeper lock."""

    FAST_DEATHS = 4  # starts in a row that end within two seconds, before it gives up: about 2 s in all

    def __init__(self, home: Home) -> None:
        self.home = home
        self.leaving = threading.Event()
        self.server: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """The process's exit code, once the last user is gone and the server has stopped."""
        # Waits for as long as somebody looks whether a keeper is alive, which takes the lock for a moment.
        keeper_lock = hold_lock(self.home.keeper_lock, fcntl.LOCK_EX)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: self.leave())
        threading.Thread(target=self._leave_after_last_user, daemon=True).start()
        code = self._keep_running()
        # In this order: a new user gets past the users' lock only when no keeper seems to be alive.
        keeper_lock.close()
        return code

    def leave(self) -> None:
        self.leaving.set()
        if self.server:
            self.server.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown"

    def _leave_after_last_user(self) -> None:
        self._users_file = hold_lock(self.home.users_lock, fcntl.LOCK_EX)  # held until the process ends
        self.leave()

    def _keep_running(self) -> int:
        fast_deaths = 0
        while not self.leaving.is_set():
            clear_up_after_killed_server(self.home)
            _write_settings(self.home)
            begun = time.monotonic()
            self.server = _start(self.home)
            self.home.server_pid.write_text(str(self.server.pid))
            if self.leaving.is_set():
                self.leave()
            self._wait_for_end(self.server)
            fast_deaths = fast_deaths + 1 if time.monotonic() - begun < 2 else 0
            if fast_deaths >= self.FAST_DEATHS:
                return 1
            self.leaving.wait(0.1 * 2**fast_deaths)
        return 0

    def _wait_for_end(self, server: subprocess.Popen[bytes]) -> None:
        while server.poll() is None:
            patience = STOP_PATIENCE if self.leaving.is_set() else 1.0
            try:
                server.wait(timeout=patience)
            except subprocess.TimeoutExpired:
                if patience == STOP_PATIENCE:
                    server.send_signal(signal.SIGQUIT)  # "immediate shutdown": it recovers at the next start


def _start(home: Home) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-E", "-S", "-B", "-m", "cdp_site.postgres_keeper", "run", home.as_json()]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL)


def become_postgres(home: Home) -> None:
    """Turn this process, the keeper's child, into PostgreSQL: its account, and its end when the keeper is killed."""
    keeper = os.getppid()
    if home.account:
        os.setgroups([])
        os.setgid(home.account.gid)
        os.setuid(home.account.uid)
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        # Linux's PR_SET_PDEATHSIG, after the change of account that would clear it. SIGINT is the "fast shutdown".
        prctl(1, signal.SIGINT, 0, 0, 0)
        if os.getppid() != keeper:
            return
    os.chdir("/")
    program = str(home.binaries / "postgres")
    os.execve(program, [program, "-D", str(home.cluster), "-k", str(home.socket_folder)], SERVER_ENVIRONMENT)


def clear_up_after_killed_server(home: Home) -> None:
    """Make what a killed server left behind harmless. Called by the only keeper there is.

    PostgreSQL itself sees through the pid of a dead process, but takes any living process of its account that got the
    same number (usual after a reboot or in a container) for a running server. Its check of the shared memory, which
    is named in the same file, must stay: so only the number is replaced, by that of this process, which PostgreSQL
    passes over as its parent's. A server that lives on without its keeper is stopped, and so are the backends of a
    killed server, which notice its death only when they are done with their query.
    """
    pid_file = home.cluster / "postmaster.pid"
    try:
        first, rest = pid_file.read_text().split("\n", 1)
        pid = int(first)
    except (FileNotFoundError, ValueError):
        pid = 0
    if pid and is_running(pid) and str(home.cluster) in _command_of(pid):
        _stop_orphan(pid)
    if pid and pid_file.exists():
        pid_file.write_text(f"{os.getpid()}\n{rest}")
    _kill_backends(home)
    (home.socket_folder / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)


def _stop_orphan(pid: int) -> None:
    for number, patience in ((signal.SIGINT, STOP_PATIENCE), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        end = time.monotonic() + patience
        while is_running(pid) and time.monotonic() < end:
            time.sleep(0.05)
        if not is_running(pid):
            return


def _kill_backends(home: Home) -> None:
    """Of a dead server: processes of PostgreSQL that work in the cluster's folder (where /proc exists)."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").samefile(home.cluster) and (process / "comm").read_text().strip() == "postgres":
                os.kill(int(process.name), signal.SIGKILL)


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        done = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
        return done.stdout


def server_settings(
    *, memory: int, cores: int, free_disk: int, profile: Profile, has_prewarm: bool = False
) -> dict[str, str]:
    """PostgreSQL's settings for a machine.

    Args:
        memory, free_disk: bytes.
        cores: processors this process may use.
        has_prewarm: its module is there that reads what was in its memory into it again after a restart.
    """
    settings = {
        "listen_addresses": "''",
        "unix_socket_permissions": "0700",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        # Values of customers must not reach the log: terse drops DETAIL ("Key (email)=(…)"), panic drops statements.
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "random_page_cost": "1.1",
        "jit": "off",
        "wal_compression": "on",
        "checkpoint_timeout": "15min",
        "autovacuum_vacuum_insert_scale_factor": "0.02",
        "max_parallel_workers_per_gather": "1" if cores >= 4 else "0",
        "effective_cache_size": f"{memory * 2 // 3 // MEGABYTE}MB",
        "work_mem": f"{max(4, min(64, memory // 128 // MEGABYTE))}MB",
        "maintenance_work_mem": f"{max(64, min(1024, memory // 16 // MEGABYTE))}MB",
    }
    if profile is Profile.LASTING:
        if has_prewarm:
            settings["shared_preload_libraries"] = "'pg_prewarm'"
        return settings | {
            "fsync": "on",
            "max_connections": "200",
            "shared_buffers": f"{max(128, memory // 4 // MEGABYTE)}MB",
            "max_wal_size": f"{max(1024, min(8192, free_disk // 8 // MEGABYTE))}MB",
        }
    return settings | {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_connections": "300",
        "shared_buffers": f"{max(128, min(512, memory // 16 // MEGABYTE))}MB",
        "max_wal_size": "1024MB",
    }


def machine_memory() -> int:
    """Bytes of memory this process may use: the machine's, or less in a container."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return memory


def machine_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _write_settings(home: Home) -> None:
    settings = server_settings(
        memory=machine_memory(),
        cores=machine_cores(),
        free_disk=shutil.disk_usage(home.folder).free,
        profile=home.profile,
        has_prewarm=any((home.binaries.parent / "lib").glob("pg_prewarm.*")),
    )
    conf = home.cluster / "platform.conf"
    conf.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    conf.chmod(0o600)
    if home.account:
        os.chown(conf, home.account.uid, home.account.gid)


def main(arguments: Sequence[str]) -> int:
    """`keep HOME` is the keeper; `run HOME` its child, which becomes PostgreSQL. HOME is `Home.as_json()`."""
    action, home = arguments[0], Home.from_json(arguments[1])
    if action == "keep":
        return Keeper(home).run()
    become_postgres(home)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
