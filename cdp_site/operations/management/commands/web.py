"""`manage.py web`: the web server of a production machine."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from cdp_site import bootstrap
from cdp_site.embedded_postgres import DatabaseProblem
from cdp_site.operations.backup.ledger_guard import ensure_erasures_are_known
from cdp_site.operations.database_fitness import ensure_thai_trigrams
from cdp_site.operations.programs import web_command


class Command(BaseCommand):
    help = "Run the web server (granian)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, help="Processes; as many as cores unless said otherwise.")

    def handle(self, *args: Any, host: str, port: int, workers: int | None, **options: Any) -> None:
        try:
            ensure_thai_trigrams(connection)
            ensure_erasures_are_known()
        except DatabaseProblem as problem:
            raise CommandError(str(problem)) from problem
        connection.close()
        if server := bootstrap.embedded_server():
            server.keep_through_exec()
        command = web_command(host=host, port=port, workers=workers)
        os.execv(command[0], command)
