"""`manage.py quality`: everything that is checked without running a test."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from cdp_site import bootstrap

MANAGE = (sys.executable, "manage.py")
CHECKS = {
    "style": (sys.executable, "-m", "ruff", "check", "."),
    "format": (sys.executable, "-m", "ruff", "format", "--check", "."),
    "layers": (str(Path(sys.executable).with_name("lint-imports")),),
    "types": (sys.executable, "-m", "mypy", "cdp_site", "ingestion", "profiles", "consent", "segments"),
    "migrations": (*MANAGE, "makemigrations", "--check", "--dry-run"),
    "deployment": (*MANAGE, "check", "--deploy", "--fail-level", "WARNING"),
    "translations": (*MANAGE, "translations", "--check"),
    "vendored": (*MANAGE, "vendored", "--check"),
}
# What a production machine sets itself (README): the deployment check is about that machine, not about a demo.
PRODUCTION = {"HTTPS": "1", "DEBUG": "0", "ALLOWED_HOSTS": "cdp.example.com"}


class Command(BaseCommand):
    help = "Check style, format, layers, types, migrations, deployment, translations, vendored files; names what fails."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console()
        table = Table("check", "result", "seconds", title="Quality", title_justify="left")
        failed = []
        for name, command in CHECKS.items():
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
