"""`manage.py qcluster`: the job cluster (chores and schedules)."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from cdp_site.operations import cluster


class Command(BaseCommand):
    help = "Run the job cluster: chores and schedules."

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(cluster.run())
