"""`manage.py worker`: the digest loop, which makes profiles of what has landed."""

from typing import Any

from django.core.management.base import BaseCommand

from profiles import digest


class Command(BaseCommand):
    help = "Run the digest worker: normalises, resolves and stores what the sources sent."

    def handle(self, *args: Any, **options: Any) -> None:
        digest.run_forever()
