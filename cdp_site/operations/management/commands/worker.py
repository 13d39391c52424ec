"""`manage.py worker`: the digest loop, which makes profiles of what has landed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from cdp_site.operations import background
from profiles import digest


class Command(BaseCommand):
    help = "Run the digest worker: normalises, resolves and stores what the sources sent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", default="worker", help="of its heartbeat: worker, or worker-2 … for further ones")

    def handle(self, *args: Any, **options: Any) -> None:
        background.step_aside(background.DIGEST)
        digest.run_forever(name=options["name"])
