"""What happens before Django: packages, secrets, the choice of the database. Nothing here touches the network."""

import ast
import json
import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cdp_site import bootstrap, embedded_postgres
from cdp_site.bootstrap import Refusal

SECRETS = ("SECRET_KEY", "CDP_HASH_KEYS", "CDP_FILE_KEY")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder without an environment, and nothing in ours that says otherwise."""
    (tmp_path / "uv.lock").write_text("version = 1\n")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "TOOLS", tmp_path / ".venv-tools")
    for name in (*SECRETS, "DATABASE_URL", "CDP_DATA", "UV_PROJECT_ENVIRONMENT", "CDP_BOOTSTRAP"):
        monkeypatch.setenv(name, "")  # so that whatever the test sets is undone
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def path(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH beside the system's own."""
    folder = project / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def program(file: Path, *lines: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    file.chmod(0o755)


def working_uv(file: Path, project: Path, version: str = "0.9.1") -> None:
    """Notes how it was called, and makes what `uv sync` would make."""
    program(
        file,
        f'[ "$1" = --version ] && {{ echo "uv {version} (x)"; exit; }}',
        f'echo "$*" >> {project}/calls',
        f"mkdir -p {project}/.venv/bin && ln -sf {sys.executable} {project}/.venv/bin/python",
        f"cd {project}/.venv && mkdir -p lib/python3.11/site-packages && cd lib/python3.11/site-packages",
        "mkdir -p django granian; case $* in *--no-dev*) ;; *) mkdir -p pytest ;; esac",
    )


def calls(project: Path) -> list[str]:
    return (project / "calls").read_text().splitlines()


def test_the_pythons_it_accepts_are_those_of_the_project() -> None:
    root = Path(bootstrap.__file__).parent.parent
    wanted = tomllib.loads((root / "pyproject.toml").read_text())["project"]["requires-python"]
    (oldest, newest) = (bootstrap.OLDEST_PYTHON, bootstrap.NEWEST_PYTHON)
    assert wanted == f">={oldest[0]}.{oldest[1]},<{newest[0]}.{newest[1] + 1}"


def test_bootstrap_is_read_by_a_python_that_is_too_old() -> None:
    """It has to say so itself: neither syntax nor imports may need a newer one."""
    root = Path(bootstrap.__file__).parent.parent
    for name in ("manage.py", "cdp_site/__init__.py", "cdp_site/bootstrap.py"):
        ast.parse((root / name).read_text(), feature_version=(3, 8))


def test_makes_the_environment_once(project: Path, path: Path) -> None:
    working_uv(path / "uv", project)
    venv = project / ".venv"
    assert not bootstrap.is_current(venv, dev=False)
    bootstrap.synchronise(venv, dev=False)
    assert calls(project) == [f"sync --frozen --quiet --no-dev --inexact --python {sys.executable}"]
    assert bootstrap.is_current(venv, dev=False)
    assert not bootstrap.is_current(venv, dev=True)


def test_the_development_packages_are_enough_for_everything(project: Path, path: Path) -> None:
    working_uv(path / "uv", project)
    bootstrap.synchronise(project / ".venv", dev=True)
    assert calls(project) == [f"sync --frozen --quiet --python {sys.executable}"]
    assert bootstrap.is_current(project / ".venv", dev=False)


def test_packages_that_somebody_took_away_are_noticed(project: Path, path: Path) -> None:
    working_uv(path / "uv", project)
    bootstrap.synchronise(project / ".venv", dev=True)
    (project / ".venv/lib/python3.11/site-packages/pytest").rmdir()  # uv sync --no-dev
    assert bootstrap.is_current(project / ".venv", dev=False)
    assert not bootstrap.is_current(project / ".venv", dev=True)


def test_a_changed_lock_file_is_noticed(project: Path, path: Path) -> None:
    working_uv(path / "uv", project)
    bootstrap.synchronise(project / ".venv", dev=False)
    (project / "uv.lock").write_text("version = 1\nrevision = 2\n")
    assert not bootstrap.is_current(project / ".venv", dev=False)


def test_an_environment_whose_python_is_gone_is_made_anew(project: Path, path: Path) -> None:
    working_uv(path / "uv", project)
    bootstrap.synchronise(project / ".venv", dev=False)
    python = project / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(project / "removed")
    assert not bootstrap.is_current(project / ".venv", dev=False)


def test_starts_at_the_same_time_install_once(project: Path, path: Path) -> None:
    working_uv(path / "uv", project)
    script = (
        "import sys; from pathlib import Path; from cdp_site import bootstrap as b\n"
        f"b.ROOT = Path({str(project)!r}); b.TOOLS = b.ROOT / '.venv-tools'\n"
        "b.os.execv = lambda *_: print('started')\n"
        "b.ensure_packages(dev=False)"
    )
    starts = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3])
        for _ in range(4)
    ]
    assert [start.communicate()[0] for start in starts] == [b"started\n"] * 4
    assert len(calls(project)) == 1


def test_a_uv_that_does_not_work_is_passed_over(project: Path, path: Path) -> None:
    program(path / "uv", "echo 'pyenv: uv: command not found' >&2; exit 127")
    assert bootstrap.find_uv() is None
    working_uv(path / "uv", project, version="0.1.3")
    assert bootstrap.find_uv() is None  # it cannot read the lock file
    working_uv(project / ".venv-tools" / "bin" / "uv", project)
    assert bootstrap.find_uv() == str(project / ".venv-tools" / "bin" / "uv")


def test_uv_is_fetched_beside_every_environment(project: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--target is what PEP 668 ("externally managed") has no objection to, as root and as an ordinary user."""
    pip = path / "pip"
    tools = project / ".venv-tools" / "bin"
    program(pip, f'echo "$*" > {project}/pip-call; mkdir -p {tools}; cp {path}/good-uv {tools}/uv')
    working_uv(path / "good-uv", project)
    monkeypatch.setattr(bootstrap, "_pip", lambda: [str(pip)])
    assert bootstrap.fetch_uv() == str(tools / "uv")
    assert f"--target {project}/.venv-tools" in (project / "pip-call").read_text()


def test_without_network_the_mend_is_said(project: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(path / "pip", "exit 1")
    monkeypatch.setattr(bootstrap, "_pip", lambda: [str(path / "pip")])
    with pytest.raises(Refusal, match="HTTPS_PROXY"):
        bootstrap.fetch_uv()


def test_without_pip_the_mend_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(bootstrap.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1))
    with pytest.raises(Refusal, match="apt-get install python3-pip"):
        bootstrap._pip()


def test_a_broken_download_leaves_no_stamp(project: Path, path: Path) -> None:
    program(path / "uv", '[ "$1" = --version ] && { echo "uv 0.9.1"; exit; }; exit 2')
    with pytest.raises(Refusal, match="what was downloaded is kept"):
        bootstrap.synchronise(project / ".venv", dev=False)
    assert not bootstrap.is_current(project / ".venv", dev=False)


def test_a_python_too_old_is_named(project: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(path / "uv", '[ "$1" = --version ] && { echo "uv 0.9.1"; exit; }; exit 2')
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 2))
    with pytest.raises(Refusal, match=r"This is Python 3\.9; the platform runs on Python 3\.11 to 3\.13"):
        bootstrap.synchronise(project / ".venv", dev=False)


def test_uv_neither_downloads_a_python_nor_writes_to_a_home_it_may_not(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(bootstrap.os, "access", lambda *_: False)
    environment = bootstrap.uv_environment(project / ".venv")
    assert environment["UV_PYTHON_DOWNLOADS"] == "never"
    assert environment["UV_CACHE_DIR"] == str(project / ".venv-tools" / "cache")


def test_secrets_are_made_once_for_us_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = project / "data"
    bootstrap.export_secrets(data)
    made = {name: os.environ[name] for name in SECRETS}
    assert len(set(made.values())) == 3
    assert stat.S_IMODE((data / "secrets.json").stat().st_mode) == 0o600
    for name in SECRETS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SECRET_KEY", "set by the administrator")
    bootstrap.export_secrets(data)
    assert os.environ["SECRET_KEY"] == "set by the administrator"
    assert os.environ["CDP_FILE_KEY"] == made["CDP_FILE_KEY"]
    assert json.loads((data / "secrets.json").read_text()) == made


def test_a_database_of_ones_own_starts_no_server_and_makes_no_secrets(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_postgres, "serve", _must_not_run)
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example.com/cdp")
    bootstrap.prepare_environment("worker", [])
    assert os.environ["DATABASE_URL"] == "postgresql://db.example.com/cdp"
    assert not (project / ".data").exists()


@pytest.mark.parametrize(("command", "options"), [("check", []), ("migrate", ["--help"]), ("--version", [])])
def test_what_needs_no_database_starts_none(
    project: Path, monkeypatch: pytest.MonkeyPatch, command: str, options: list[str]
) -> None:
    monkeypatch.setattr(embedded_postgres, "serve", _must_not_run)
    bootstrap.prepare_environment(command, options)
    assert os.environ["DATABASE_URL"].startswith("postgresql://")
    assert "DATABASE_URL" in bootstrap.filled_in()


@pytest.mark.parametrize("options", [["--data", "elsewhere"], ["--port", "8001", "--data=elsewhere"]])
def test_the_demo_takes_its_data_folder(project: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example.com/cdp")
    bootstrap.prepare_environment("demo", options)
    assert os.environ["CDP_DATA"] == str(project / "elsewhere")
    assert (project / "elsewhere" / "secrets.json").exists()


def test_a_folder_of_somebody_else_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: Path) -> None:
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(bootstrap, "_make_secrets", refuse)
    with pytest.raises(Refusal, match="--data DIR"):
        bootstrap.export_secrets(project / "theirs")


def _must_not_run(*_: object, **__: object) -> None:
    raise AssertionError("no server was to be started")
