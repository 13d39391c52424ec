"""`manage.py test`: every test, by pytest."""

import os
import sys
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from cdp_site import bootstrap
from cdp_site.postgres_keeper import machine_cores


class Command(BaseCommand):
    help = (
        "Run all tests, on as many processes as there are cores. Whatever follows is pytest's, e.g. "
        "`test tests/unit -k phone`. Without DATABASE_URL they run on an embedded server of their own."
    )

    def run_from_argv(self, argv: list[str]) -> None:
        """Become pytest: its options are its own, and Django must start anew on the tests' database."""
        options = argv[2:]
        if options in (["-h"], ["--help"]):
            self.print_help(*argv[:2])
            return
        for name in bootstrap.filled_in():
            del os.environ[name]
        spread = [] if any(option.startswith(("-n", "--numprocesses", "-p=no:xdist")) for option in options) else ["-n"]
        processes = [*spread, str(machine_cores()), "--dist", "worksteal"] if spread else []
        os.chdir(Path(settings.BASE_DIR))
        os.execv(sys.executable, [sys.executable, "-m", "pytest", *processes, *options])
