"""Values of customers that the builder offers are remembered for some minutes: an erasure forgets them all."""

from collections.abc import Mapping

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from psycopg import sql

from cdp_site.core.personal_data import BaseHolder, Outcome, Subject, register_holder
from segments.catalogue import REMEMBERED


class RememberedHolder(BaseHolder):
    """Rows of the cache name nobody, so they are not told apart by person. Made anew from what is left when they are
    asked for again."""

    name = "core.cache"
    tables: tuple[str, ...] = ()

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {}

    def erase(self, subject: Subject) -> Outcome:
        forget()
        return Outcome()


def forget() -> int:
    """Forget what `catalogue.remembered` keeps; returns how many answers that were."""
    table = sql.Identifier(settings.CACHES["default"]["LOCATION"])
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("DELETE FROM {} WHERE starts_with(cache_key, %s)").format(table), [cache.make_key(REMEMBERED)]
        )
        return int(cursor.rowcount)


def register() -> None:
    """After what the values are read from."""
    register_holder(RememberedHolder(), order=890)
