"""`manage.py vendored`: write what pages are served of other people's style sheets and icons."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cdp_site.operations import vendored


class Command(BaseCommand):
    help = "Write the part of Tabler's style sheet and of the icon sprite that pages use; --check only compares."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail when a written file is not what pages use")

    def handle(self, *args: Any, **options: Any) -> None:
        stale = []
        for path, content in ((vendored.tabler_path(), vendored.tabler()), (vendored.sprite_path(), vendored.sprite())):
            name = path.relative_to(settings.BASE_DIR).as_posix()
            if path.exists() and path.read_text(encoding="utf-8") == content:
                self.stdout.write(f"{name}: up to date, {len(content):,} bytes")
            elif options["check"]:
                stale.append(name)
            else:
                path.write_text(content, encoding="utf-8")
                self.stdout.write(f"{name}: written, {len(content):,} bytes")
        if stale:
            raise CommandError(f"not what pages use any more: {', '.join(stale)}. Run manage.py vendored")
