"""What happens before Django: the packages, the secrets and the database. Standard library only.

`python3 manage.py COMMAND` on a fresh machine needs nothing but Python and pip. This module makes the project's `.venv`
from `uv.lock` (with `uv` from the PATH, or one fetched with pip into `.venv-tools`), starts the command again inside
it, and there gives it a database (`embedded_postgres`) unless DATABASE_URL names one.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib.util
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cdp_site.embedded_postgres import Server

try:
    import fcntl
except ImportError:  # Windows: refused with a clear message in run()
    fcntl = None  # type: ignore[assignment]

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".venv-tools"
OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)  # pyproject.toml's requires-python; a test compares them
UV_REQUIREMENT = "uv>=0.8"

NEEDS_DEV_PACKAGES = {"quality", "test", "translations"}
NEEDS_NO_DATABASE = {
    "check", "collectstatic", "compilemessages", "diffsettings", "findstatic", "help", "makemessages",
    "quality", "startapp", "test", "translations", "verify_certificate", "version",
}  # fmt: skip


_held: list[Server] = []
_filled_in: list[str] = []


def embedded_server() -> Server | None:
    """The embedded server that this process holds up, or None when DATABASE_URL names another."""
    return _held[0] if _held else None


def filled_in() -> list[str]:
    """Names in the environment that this module set, because whoever started us had not."""
    return list(_filled_in)


class Refusal(Exception):
    """Something a person has to mend before anything can start; shown without a traceback."""


def run(arguments: list[str]) -> None:
    """Run a management command: `manage.py`'s whole content."""
    command = arguments[1] if len(arguments) > 1 else "help"
    try:
        ensure_packages(dev=command in NEEDS_DEV_PACKAGES)
        prepare_environment(command, arguments[2:])
    except Refusal as refusal:
        raise SystemExit(f"\n{refusal}") from None
    except KeyboardInterrupt:
        raise SystemExit("\nBroken off. What was downloaded is kept.") from None
    _fill_in("DJANGO_SETTINGS_MODULE", "cdp_site.settings")
    from django.core.management import execute_from_command_line  # not there before ensure_packages()

    try:
        execute_from_command_line(arguments)
    finally:
        for server in _held:
            server.release()


# --- packages -------------------------------------------------------------------------------------------------------


def ensure_packages(*, dev: bool) -> None:
    """Return inside the project's environment with its packages in place; anywhere else, start again inside it."""
    if os.environ.get("CDP_BOOTSTRAP") == "off":  # an image that brings the packages its own way
        return
    # Several processes start from this environment; without compiled files each would spend seconds on compiling.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if fcntl is None:
        raise Refusal("Windows itself is not supported. Use WSL (https://learn.microsoft.com/windows/wsl/install).")
    venv = environment_folder()
    python = venv / "bin" / "python"
    inside = Path(sys.prefix).resolve() == venv.resolve()
    if inside and not _stamp_file(venv).exists() and _has_packages(venv, dev=dev):
        return  # made by `uv run` or `uv sync`, which keep it up themselves
    changed = False
    if not is_current(venv, dev=dev):
        try:
            TOOLS.mkdir(exist_ok=True)
            with (TOOLS / "lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not is_current(venv, dev=dev):  # another start may have done it while we waited
                    synchronise(venv, dev=dev)
        except PermissionError as problem:
            raise Refusal(
                f"The packages have to be installed into {venv}, which this user cannot write ({problem.filename}).\n"
                "Run the command once as the owner of the folder, or make a clone of your own."
            ) from problem
        changed = True
    if changed or not inside:
        sys.stdout.flush()
        os.execv(python, [str(python), *sys.argv])


def environment_folder() -> Path:
    return ROOT / os.environ.get("UV_PROJECT_ENVIRONMENT", ".venv")


def is_current(venv: Path, *, dev: bool) -> bool:
    """Whether the environment was made from today's uv.lock, with the development packages if they are wanted."""
    if not os.access(venv / "bin" / "python", os.X_OK):
        return False
    try:
        stamp = json.loads(_stamp_file(venv).read_text())
    except (OSError, ValueError):
        return False
    return bool(stamp.get("lock") == lock_digest() and (stamp.get("dev") or not dev) and _has_packages(venv, dev=dev))


def lock_digest() -> str:
    return hashlib.sha256((ROOT / "uv.lock").read_bytes()).hexdigest()


def synchronise(venv: Path, *, dev: bool) -> None:
    """Make the environment what uv.lock says, and stamp it. The caller holds the lock."""
    version = sys.version_info[:2]
    python = [] if (venv / "bin" / "python").exists() else ["--python", sys.executable]
    if not OLDEST_PYTHON <= version <= NEWEST_PYTHON:
        python = []  # uv looks for a fitting one on this machine
    uv = find_uv() or fetch_uv()
    say("Installing the packages from uv.lock into .venv; the first time this takes a minute…")
    # --inexact: a start that needs fewer packages takes none away from those that need more.
    groups = [] if dev else ["--no-dev", "--inexact"]
    terse = [] if sys.stderr.isatty() else ["--quiet"]  # on a terminal uv shows its progress
    done = subprocess.run(
        [uv, "sync", "--frozen", *terse, *groups, *python], cwd=ROOT, env=uv_environment(venv), check=False
    )
    if done.returncode:
        raise Refusal(_sync_failed(version))
    stamp = _stamp_file(venv)
    half_written = stamp.with_suffix(f".{os.getpid()}")
    half_written.write_text(json.dumps({"lock": lock_digest(), "dev": dev}))
    half_written.replace(stamp)


def _sync_failed(version: tuple[int, ...]) -> str:
    if not OLDEST_PYTHON <= version <= NEWEST_PYTHON:
        wanted = " to ".join(".".join(map(str, bound)) for bound in (OLDEST_PYTHON, NEWEST_PYTHON))
        return (
            f"This is Python {version[0]}.{version[1]}; the platform runs on Python {wanted}, and none was found.\n"
            "Install one (Debian: apt-get install python3) and start again with it."
        )
    return (
        "The packages could not be installed; the reason stands above.\n"
        "Without a network: connect this machine once (a proxy is named by HTTPS_PROXY, its certificate by"
        " SSL_CERT_FILE), or copy a filled uv cache here and set UV_CACHE_DIR and UV_OFFLINE=1.\n"
        "Then start again; what was downloaded is kept."
    )


def find_uv() -> str | None:
    """A `uv` that works: from the PATH (where it can be a shim without a program), else the one fetched before."""
    for candidate in (shutil.which("uv"), str(TOOLS / "bin" / "uv")):
        if candidate and os.access(candidate, os.X_OK):
            done = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False)
            words = done.stdout.split()
            if done.returncode == 0 and len(words) > 1 and _version(words[1]) >= _version(UV_REQUIREMENT[4:]):
                return candidate
    return None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())


def fetch_uv() -> str:
    """uv, installed with pip into `.venv-tools`: outside of every environment, so PEP 668 has no objection."""
    say("Fetching uv, which installs the packages…")
    install = ["install", "--quiet", "--disable-pip-version-check", "--no-input", "--upgrade"]
    target = ["--target", str(TOOLS), UV_REQUIREMENT]
    done = subprocess.run([*_pip(), *install, *target], check=False)
    uv = find_uv()
    if done.returncode or uv is None:
        raise Refusal(
            "uv could not be fetched with pip; the reason stands above.\n"
            "Connect this machine to the network (a proxy is named by HTTPS_PROXY), or install uv yourself"
            " (https://docs.astral.sh/uv/), and start again."
        )
    return uv


def _pip() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    # No pip beside this Python: a throw-away environment brings one, where Debian's python3-venv is installed.
    own = TOOLS / "pip"
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", str(own)], capture_output=True, check=False)
    if done.returncode == 0:
        return [str(own / "bin" / "python"), "-m", "pip"]
    raise Refusal(
        "Neither uv nor pip is installed, and one of them has to fetch the packages.\n"
        "Debian and Ubuntu: apt-get install python3-pip; elsewhere: https://docs.astral.sh/uv/. Then start again."
    )


def uv_environment(venv: Path) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment |= {"UV_PYTHON_DOWNLOADS": "never", "UV_PROJECT_ENVIRONMENT": str(venv)}
    cache = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    while not cache.exists():
        cache = cache.parent
    if not os.access(cache, os.W_OK):
        environment.setdefault("UV_CACHE_DIR", str(TOOLS / "cache"))
    return environment


def _stamp_file(venv: Path) -> Path:
    return venv / "platform-packages.json"


def _has_packages(venv: Path, *, dev: bool) -> bool:
    """Whether the most telling packages are there: somebody may have used uv on the environment by hand."""
    telling = ["django", "granian", *(["pytest"] if dev else [])]
    return all(any(venv.glob(f"lib/python*/site-packages/{name}")) for name in telling)


# --- secrets and database -------------------------------------------------------------------------------------------


def prepare_environment(command: str, options: list[str]) -> None:
    """Fill in what the settings need and the environment does not say: data folder, secrets, DATABASE_URL.

    The embedded server that a command without DATABASE_URL gets runs until the end of the process.
    """
    from cdp_site import embedded_postgres  # needs Python 3.11, which is sure only now

    if command == "demo":
        _export_demo_folder(options)
    data = data_folder()
    own_database = "DATABASE_URL" in os.environ
    if not own_database or command in ("demo", "test") or (data / "secrets.json").exists():
        export_secrets(data)
    if own_database:
        return
    if command in NEEDS_NO_DATABASE or {"-h", "--help"} & set(options) or command.startswith("-"):
        _fill_in("DATABASE_URL", embedded_postgres.database_url(data / "postgres" / "socket"))
        return
    try:
        server = embedded_postgres.serve(data / "postgres")
    except embedded_postgres.DatabaseProblem as problem:
        raise Refusal(str(problem)) from problem
    _held.append(server)
    _fill_in("DATABASE_URL", server.url())


def _fill_in(name: str, value: str) -> None:
    if name not in os.environ:
        os.environ[name] = value
        _filled_in.append(name)


def _export_demo_folder(options: list[str]) -> None:
    """`demo --data DIR`: read here, because the settings and the database depend on it."""
    for position, option in enumerate(options):
        if option.startswith("--data="):
            os.environ["CDP_DATA"] = str(Path(option.partition("=")[2]).absolute())
        elif option == "--data" and position + 1 < len(options):
            os.environ["CDP_DATA"] = str(Path(options[position + 1]).absolute())


def data_folder() -> Path:
    """Everything the platform keeps outside of its database, and the embedded database: CDP_DATA, or `.data`."""
    return Path(os.environ.get("CDP_DATA") or ROOT / ".data").absolute()


def export_secrets(data: Path) -> None:
    """Set SECRET_KEY, CDP_HASH_KEYS and CDP_FILE_KEY where unset, from `secrets.json`, made when it is missing.

    Raises:
        Refusal: the folder cannot be written.
    """
    file = data / "secrets.json"
    try:
        if not file.exists():
            data.mkdir(parents=True, exist_ok=True)
            _make_secrets(file)
        kept = json.loads(file.read_text())
    except PermissionError as problem:
        raise Refusal(
            f"The data folder {data} cannot be used by this user ({problem.filename}).\n"
            "Start as the user who made it, or choose another folder: demo --data DIR, or CDP_DATA=DIR."
        ) from problem
    for name, value in kept.items():
        _fill_in(name, value)


def _make_secrets(file: Path) -> None:
    """Write new secrets, readable by us alone. Of two starts at once the first wins."""
    made = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "CDP_HASH_KEYS": f"k1:{secrets.token_hex(32)}",
        "CDP_FILE_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }
    descriptor, name = tempfile.mkstemp(dir=file.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as half_written:
            json.dump(made, half_written)
        with contextlib.suppress(FileExistsError):
            os.link(name, file)
    finally:
        os.unlink(name)


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
