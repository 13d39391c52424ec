"""A database of the benchmarks' own, built and filled once per size and kept for the next run."""

import os
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from psycopg import sql

from cdp_site.operations.company import loading
from cdp_site.operations.progress import Progress
from consent.erasure import rewriting
from profiles.models import Touchpoint

SEED = 1


def use(*, people: int, touchpoints: int) -> str:
    """Point this process at the benchmark database of that size, building it when it is not there; returns its URL.

    The size is in the name; a build that was broken off is started over.
    """

    def load(until: datetime) -> None:
        loading.load(people=people, touchpoints=touchpoints, seed=SEED, end=until, progress=Progress())

    return keep(f"cdp_bench_{people}_{touchpoints}", load)


def keep(name: str, fill: Callable[[datetime], None]) -> str:
    """Point this process at the benchmark database of that name, which `fill` fills when it is not there (given
    "now"); returns its URL."""
    url = _with_name(name)
    if not _is_complete(url):
        _recreate(name)
        _point_at(name)
        call_command("migrate", verbosity=0)
        until = timezone.now()
        fill(until)
        rewriting.write_anew(Touchpoint._meta.db_table)  # as each month leaves them (REWRITE_STORAGE_DAYS)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CREATE TABLE bench_complete AS SELECT %s::timestamptz AS until", [until])
    _point_at(name)
    call_command("migrate", verbosity=0)  # one that was kept may be older than this release
    return url


def begin(name: str) -> str:
    """Point this process at a new, empty database of that name; returns its URL. `drop` it in the end."""
    _recreate(name)
    _point_at(name)
    return _with_name(name)


def copy(template: str, name: str) -> str:
    """A copy of a database, beside it; returns its URL. `drop` it in the end."""
    connection.close()
    _drop(name)
    with psycopg.connect(_with_name("postgres"), autocommit=True) as maintenance:
        maintenance.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    return _with_name(name)


def drop(name: str) -> None:
    connection.close()
    _drop(name)


def built_until() -> datetime:
    """The moment at which the company's year in this database ends: "now" of every window that is measured."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT until FROM bench_complete")
        until: datetime = cursor.fetchone()[0]
        return until


def _with_name(name: str) -> str:
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


def _is_complete(url: str) -> bool:
    try:
        with psycopg.connect(url) as probe:
            row = probe.execute("SELECT to_regclass('bench_complete')").fetchone()
            return row is not None and row[0] is not None
    except psycopg.OperationalError:
        return False


def _drop(name: str) -> None:
    with psycopg.connect(_with_name("postgres"), autocommit=True) as maintenance:
        maintenance.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _recreate(name: str) -> None:
    _drop(name)
    with psycopg.connect(_with_name("postgres"), autocommit=True) as maintenance:
        maintenance.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _point_at(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name
    settings.DATABASES["default"]["NAME"] = name
