"""`manage.py import_file SOURCE FILE --mapping NAME|FILE`: a whole import, from the file to the profiles."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from cdp_site.core.errors import MendableError
from cdp_site.operations.progress import Progress
from ingestion import equation, imports, mappings
from ingestion.files import importer, mapping
from ingestion.files.problems import MAPPING_TEXTS, ROW_TEXTS, FileProblem
from ingestion.models import FileImport, InboundBatch, Source
from profiles import digest

BY = "system:import_file"
READ_BYTES = 1024 * 1024
PAUSE_SECONDS = 0.1
SHOWN_BROKEN = 20


class Command(BaseCommand):
    help = (
        "Import a CSV, TSV, XLSX or JSONL file, also packed as zip or gzip, into a source and print what became of its "
        "rows as one JSON object. The exit code is 0 when the file was read to its end, also when some of its rows "
        "were broken."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="SOURCE", help="the source's short name")
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--sheet", default="", help="of a workbook; the first one with anything on it by default")
        parser.add_argument(
            "--mapping", required=True, metavar="NAME|FILE", help="a saved mapping, a preset, or a JSON file"
        )

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        source = _source(options["source"])
        name, definition = _mapping(options["mapping"])
        progress = Progress()
        try:
            with progress.step("Reading the file", total=options["file"].stat().st_size) as advance:
                received = imports.receive(
                    source=source, file_name=options["file"].name, chunks=_chunks(options["file"], advance), by=BY
                )
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        except MendableError as problem:
            raise CommandError(str(problem.message)) from problem
        try:
            received = imports.choose_sheet(file_import=received, sheet=options["sheet"], by=BY)
            fitting = (mappings.find(name, received.columns) if name else None) or definition
            started = imports.start(file_import=received, definition=fitting, mapping_name=name, by=BY)
        except mapping.InvalidMapping as error:
            imports.cancel(file_import=received, by=BY)
            raise CommandError(_told(error)) from error
        except FileProblem as problem:
            imports.cancel(file_import=received, by=BY)
            raise CommandError(str(problem.message)) from problem
        landed = _land(started, progress)
        _digest(landed, progress)
        self.stdout.write(json.dumps(_outcome(landed), ensure_ascii=False))
        if landed.status != FileImport.Status.LANDED:
            raise CommandError(f"The import ended as {landed.status}: {landed.problem}.")


def _source(slug: str) -> Source:
    source: Source | None = Source.objects.external().filter(slug=slug).first()
    if source is None:
        known = ", ".join(Source.objects.external().values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no source {slug!r}. Known: {known}. See manage.py create_source.")
    return source


def _mapping(wanted: str) -> tuple[str, dict[str, Any]]:
    """Its name, empty for a file's, and its definition."""
    if (found := mappings.find(wanted)) is not None:
        return wanted, found
    path = Path(wanted)
    if not path.is_file():
        raise CommandError(f"There is no mapping {wanted!r}: neither saved, nor a preset, nor a file.")
    try:
        read = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{wanted}: {error}") from error
    return "", read


def _chunks(path: Path, advance: Any) -> Iterator[bytes]:
    with path.open("rb") as file:
        while data := file.read(READ_BYTES):
            advance(len(data))
            yield data


def _told(error: mapping.InvalidMapping) -> str:
    """Each problem on a line of its own, with the field that it is about."""
    lines = [
        " ".join(
            filter(
                None,
                [
                    "" if problem.place is None else f"fields[{problem.place}]:",
                    str(MAPPING_TEXTS[problem.code]),
                    problem.about and f"({problem.about})",
                ],
            )
        )
        for problem in error.problems
    ]
    return "\n  ".join(["The mapping cannot be used:", *lines])


def _land(file_import: FileImport, progress: Progress) -> FileImport:
    """Land the rows here, or wait for the job of the cluster that was faster."""
    with progress.step("Landing rows", total=file_import.size) as advance:
        reached = 0
        while not file_import.is_finished:
            importer.run(str(file_import.pk))
            file_import = FileImport.objects.get(pk=file_import.pk)
            advance(file_import.offset - reached)
            reached = file_import.offset
            if not file_import.is_finished and file_import.lease_until is not None:
                time.sleep(PAUSE_SECONDS)
    return file_import


def _digest(file_import: FileImport, progress: Progress) -> None:
    """Digest until nothing of the import waits; what another worker holds is waited for."""
    waiting = InboundBatch.objects.of_import(file_import).waiting()
    number = waiting.count()
    with progress.step("Making profiles", total=number) as advance:
        while number:
            if digest.step() is None:
                time.sleep(PAUSE_SECONDS)
            left = waiting.count()
            advance(number - left)
            number = left


def _outcome(file_import: FileImport) -> dict[str, Any]:
    """rows = received + broken, and received = stored + duplicate + quarantined + suppressed + waiting."""
    return {
        "import": str(file_import.pk),
        "status": file_import.status,
        "problem": file_import.problem,
        "rows": file_import.rows_read,
        "broken": file_import.rows_broken,
        **equation.of_import(file_import).as_dict(),
        "broken_rows": [
            {**row, "reason": str(ROW_TEXTS[row["code"]])} for row in file_import.broken_rows[:SHOWN_BROKEN]
        ],
    }
