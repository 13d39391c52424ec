"""`manage.py rewrite_storage`: take what was erased out of the database's files, now instead of by the clock."""

from typing import Any

from django.core.management.base import BaseCommand

from consent.erasure import rewriting


class Command(BaseCommand):
    help = "Write all tables of the database and its log of writes anew. Tables are locked while they are written."

    def handle(self, *args: Any, **options: Any) -> None:
        done = rewriting.rewrite()
        self.stdout.write(f"{done.tables} tables written anew")
        if done.busy:
            self.stdout.write(self.style.WARNING(f"in use all the time: {', '.join(done.busy)}; run this again"))
        if not done.log_is_new:
            self.stdout.write(
                self.style.WARNING(
                    "The log of writes is not new: that takes a superuser. Its old files go by themselves."
                )
            )
        if done.is_whole:
            self.stdout.write(self.style.SUCCESS("Nothing of what was erased is left in the database's files."))
