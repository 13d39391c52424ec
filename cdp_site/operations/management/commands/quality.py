"""`manage.py quality`: everything that is checked without running a test."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from cdp_site import bootstrap

MANAGE = (sys.executable, "manage.py")
APPS = ("cdp_site", "ingestion", "profiles", "consent", "segments")
CHECKS = {
    "style": (sys.executable, "-m", "ruff", "check", "."),
    "format": (sys.executable, "-m", "ruff", "format", "--check", "."),
    "security": (sys.executable, "-m", "bandit", "-q", "-c", "pyproject.toml", "-r", *APPS),
    "layers": (str(Path(sys.executable).with_name("lint-imports")),),
    "types": (sys.executable, "-m", "mypy", *APPS),
    "migrations": (*MANAGE, "makemigrations", "--check", "--dry-run"),
    "deployment": (*MANAGE, "check", "--deploy", "--fail-level", "WARNING"),
    "translations": (*MANAGE, "translations", "--check"),
    "vendored": (*MANAGE, "vendored", "--check"),
}
# Asks a service on the internet about every package, only where `--packages` is given. Strict: a package of which the
# service says nothing, as behind a mirror that has no advisories, fails the check and does not pass as sound.
PACKAGES = {"packages": (sys.executable, "-m", "pip_audit", "--strict", "--progress-spinner", "off", "--local")}
# What a production machine sets itself (README): the deployment check is about that machine, not about a demo.
PRODUCTION = {"HTTPS": "1", "DEBUG": "0", "ALLOWED_HOSTS": "cdp.example.com"}


class Command(BaseCommand):
    help = "Check style, format, security, layers, types, migrations, deployment, translations, vendored files."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--packages", action="store_true", help="ask the advisory service about known holes in the packages, too"
        )

    def handle(self, *args: Any, packages: bool, **options: Any) -> None:
        console = Console()
        table = Table("check", "result", "seconds", title="Quality", title_justify="left")
        failed = []
        for name, command in (CHECKS | (PACKAGES if packages else {})).items():
            begun = time.monotonic()
            console.rule(name, align="left")
            environment = _environment(command) | (PRODUCTION if name == "deployment" else {})
            done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, check=False)
            if done.returncode:
                failed.append(name)
            result = "[red]failed" if done.returncode else "[green]ok"
            table.add_row(name, result, f"{time.monotonic() - begun:.1f}")
        console.print(table)
        if failed:
            raise CommandError(f"failed: {', '.join(failed)}")


def _environment(command: tuple[str, ...]) -> dict[str, str]:
    """Ours; but a management command gets its database and secrets by itself."""
    filled_in = bootstrap.filled_in() if command[:2] == MANAGE else []
    return {name: value for name, value in os.environ.items() if name not in filled_in}
