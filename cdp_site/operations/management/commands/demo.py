"""`manage.py demo`: everything on this machine, with a sample company."""

import os
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from cdp_site import bootstrap
from cdp_site.embedded_postgres import DatabaseProblem
from cdp_site.operations import demo
from cdp_site.operations.programs import programs
from cdp_site.operations.progress import Progress
from cdp_site.operations.supervisor import AlreadyRunning, Supervisor


class Command(BaseCommand):
    help = "Start the whole platform on this machine with a sample company. Ctrl-C stops it."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, help="The web server's; the first free one from 8000 on otherwise.")
        parser.add_argument("--data", help="Folder of the database and files; .data otherwise.")  # see bootstrap.py
        parser.add_argument("--check", action="store_true", help="Start, process one event, stop; exit code 0 if well.")

    def handle(self, *args: Any, port: int | None, check: bool, **options: Any) -> None:
        self.console = Console(stderr=True)
        self.failure: str | None = None
        run_folder = Path(settings.CDP_DATA) / "run"
        try:
            with Supervisor(run_folder=run_folder, say=self._say, care=self._keep_database_up) as supervisor:
                self._run(supervisor, demo.free_port(port), check=check)
        except AlreadyRunning:
            raise CommandError(
                f"A demo is running on {settings.CDP_DATA} already. End it, or take another folder: demo --data DIR"
            ) from None
        except KeyboardInterrupt:
            raise CommandError("Broken off. What was finished is kept; the next start goes on from there.") from None
        if self.failure:
            raise CommandError(self.failure)

    def _run(self, supervisor: Supervisor, port: int, *, check: bool) -> None:
        progress = Progress(self.console)
        demo.prepare(progress)
        url = f"http://localhost:{port}"
        arguments = {"supervisor": supervisor, "progress": progress, "url": url, "check": check}
        os.environ.setdefault("PUBLIC_URL", url)  # for links in the mails that the processes write
        threading.Thread(target=self._watch_start, kwargs=arguments, daemon=True).start()
        supervisor.run(programs(host=demo.HOST, port=port))
        self._say("Stopped.")

    def _watch_start(self, *, supervisor: Supervisor, progress: Progress, url: str, check: bool) -> None:
        """Beside the supervisor: tell when all is well; with `check` prove it, and stop."""
        try:
            with progress.step("Starting web, worker and job cluster"):
                demo.wait_until_well(url, since=time.monotonic())
            if check:
                with progress.step("Sending an event through"):
                    demo.check(url)
                self._say("Everything works.")
                supervisor.stop()
            else:
                demo.show_logins(self.console, url)
                self._say("Ctrl-C stops everything.")
        except CommandError as problem:
            self.failure = str(problem)
            supervisor.stop()

    def _keep_database_up(self) -> None:
        server = bootstrap.embedded_server()
        if server is None:
            return
        try:
            server.ensure_running()
        except DatabaseProblem as problem:
            self._say(str(problem))

    def _say(self, line: str) -> None:
        self.console.print(line, highlight=False)
