"""`manage.py create_source NAME --department D --kind K [--public]`: prints the new write key and nothing else."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.db import transaction

from cdp_site.core.errors import MendableError
from cdp_site.core.models import Department
from ingestion import keys, sources
from ingestion.models import Source

BY = "system:create_source"


class Command(BaseCommand):
    help = "Make a source and print its write key, which is shown this once only."

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = [value for value in Source.Kind.values if value != Source.Kind.INTERNAL]
        parser.add_argument("name", help="as people call it; Thai is welcome")
        parser.add_argument("--department", metavar="D", help="short name; without it every department sees it")
        parser.add_argument("--kind", choices=kinds, default=Source.Kind.OTHER.value)
        parser.add_argument("--slug", default="", help="short name, also the namespace of its ids; made from NAME")
        parser.add_argument("--public", action="store_true", help="a key for browsers: adds behaviour, joins nobody")

    @no_translations
    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> str:
        try:
            source = sources.create(
                name=options["name"],
                department=_department(options["department"]),
                kind=options["kind"],
                slug=options["slug"],
                by=BY,
            )
            _row, key = keys.make(source=source, by=BY, is_public=options["public"])
        except MendableError as problem:
            hint = f" {problem.hint}" if problem.hint else ""
            raise CommandError(f"{problem.message}{hint}") from problem
        return key


def _department(slug: str | None) -> Department | None:
    if slug is None:
        return None
    department = Department.objects.filter(slug=slug).first()
    if department is None:
        known = ", ".join(Department.objects.values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no department {slug!r}. Known: {known}.")
    return department
