"""`manage.py trial prepare|run`: the parts of an installation on which `bench faults` tries out what kills it.

They run in processes of their own, on the data folder and the database that the environment names.
"""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from cdp_site import embedded_postgres
from cdp_site.embedded_postgres import DatabaseProblem
from cdp_site.operations.programs import programs
from cdp_site.operations.supervisor import Supervisor
from ingestion import imports, keys, mappings, sources
from ingestion.models import Source

BY = "system:bench"
HOST = "127.0.0.1"
MAPPING = "customers"  # a preset


class Command(BaseCommand):
    help = "Parts of `bench faults`: prepare or run an installation on the data folder that CDP_DATA names."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        prepare = actions.add_parser("prepare", help="migrate, make a source, start an import; prints JSON")
        prepare.add_argument("--import-file", type=Path)
        run = actions.add_parser("run", help="all processes under their supervisor, until SIGTERM")
        run.add_argument("--port", type=int, required=True)

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if action == "prepare":
            self._prepare(options["import_file"])
        else:
            self._run(options["port"])

    def _prepare(self, file: Path | None) -> None:
        call_command("migrate", verbosity=0)
        source = sources.create(name="Trial", department=None, kind=Source.Kind.SHOP, slug="trial", by=BY)
        _row, key = keys.make(source=source, by=BY)
        made = {"source": source.pk, "key": key}
        if file is not None:
            made["file_source"] = self._import(file)
        self.stdout.write(json.dumps(made))

    def _import(self, file: Path) -> int:
        source = sources.create(name="Trial file", department=None, kind=Source.Kind.CRM, slug="trial-file", by=BY)
        with file.open("rb") as rows:
            received = imports.receive(source=source, file_name=file.name, chunks=[rows.read()], by=BY)
        definition = mappings.find(MAPPING, received.columns)
        if definition is None:
            raise CommandError(f"The preset {MAPPING} is not there.")
        imports.start(file_import=received, definition=definition, mapping_name=MAPPING, by=BY)
        return source.pk

    def _run(self, port: int) -> None:
        server = embedded_postgres.serve(Path(settings.CDP_DATA) / "postgres")

        def keep_database_up() -> None:
            try:
                server.ensure_running()
            except DatabaseProblem as problem:
                self.stderr.write(str(problem))

        run_folder = Path(settings.CDP_DATA) / "run"
        with Supervisor(run_folder=run_folder, say=self.stderr.write, care=keep_database_up) as supervisor:
            supervisor.run(programs(host=HOST, port=port))
        server.release()
