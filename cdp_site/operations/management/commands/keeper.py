"""`manage.py keeper`: the loop that keeps memberships and computed traits as people are now."""

from typing import Any

from django.core.management.base import BaseCommand

from cdp_site.operations import background
from segments import keeper


class Command(BaseCommand):
    help = "Run the keeper: who is in which segment follows what arrives, and the clock."

    def handle(self, *args: Any, **options: Any) -> None:
        background.step_aside(background.DIGEST)
        keeper.run_forever()
