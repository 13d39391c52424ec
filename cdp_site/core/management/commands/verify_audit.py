"""`manage.py verify_audit`: walk the chain of the audit; exit code 1 when it is broken."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cdp_site.core import anchors, audit


class Command(BaseCommand):
    help = "Check that no row of the audit was edited, deleted or moved since it was sealed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seal", action="store_true", help="seal what is not sealed yet before checking")
        parser.add_argument("--anchors", type=Path, metavar="FILE", help="compare with this copy of the anchors")
        parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["seal"]:
            audit.seal_pending()
        verdict = audit.verify(written_down=_copy(options["anchors"]) if options["anchors"] else None)
        if options["json"]:
            self.stdout.write(json.dumps(verdict.as_dict()))
        else:
            for fault in verdict.faults:
                self.stdout.write(self.style.ERROR(fault))
            self.stdout.write(f"{verdict.sealed} sealed rows checked, {verdict.tail} not sealed yet")
            self.stdout.write(f"{verdict.anchored} anchors agree")
        if not verdict.ok:
            raise CommandError("The audit's chain is broken.")
        if not options["json"]:
            self.stdout.write(self.style.SUCCESS("The chain is whole."))


def _copy(path: Path) -> anchors.Book:
    try:
        return anchors.parse(path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
