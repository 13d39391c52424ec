"""`manage.py verify_certificate FILE`: whether a certificate of an erasure, JSON or PDF, is ours and unchanged."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from consent.certificate import files, public_key


class Command(BaseCommand):
    help = (
        "Check a certificate of an erasure without the database. With --key, on any machine and without the company's"
        " secrets; exit code 1 when a single byte differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="the certificate, as JSON or PDF")
        parser.add_argument("--key", default="", help="the company's public key, in base64")
        parser.add_argument("--print-key", action="store_true", help="print the company's public key and end")
        parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["print_key"]:
            self.stdout.write(public_key())
            return
        if options["file"] is None:
            raise CommandError("Name the file of the certificate.")
        try:
            data = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}") from error
        found = files.check(data, key=options["key"] or None)
        if options["json"]:
            self.stdout.write(json.dumps({"ok": found.ok, "kind": found.kind, "problem": found.problem}))
        if not found.ok:
            raise CommandError(f"Not a valid certificate: {found.problem}.")
        if not options["json"]:
            self.stdout.write(self.style.SUCCESS(f"Valid: signed with the key {found.key_id} and unchanged."))
