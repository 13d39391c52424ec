"""An upgrade from the previous release, with its data: nothing is lost, and what is there can be worked with.

`tests/files/previous_release.sql.xz` is a database as the release before this one left it: a sample company of twelve
people who came through files and the event API, logins, keys, a segment, and three requests: one carried out, one
refused, one waiting. Each release that brings migrations puts its own there before the next one begins.
"""

import json
import lzma
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from cdp_site.core import anchors, audit
from cdp_site.core.models import User
from cdp_site.core.personal_data import own_models
from consent import gate
from consent.models import Channel, ConsentEntry, DataSubjectRequest, Purpose
from profiles.models import Profile, SourceRecord
from tests import database

FILE = Path(__file__).parents[2] / "files" / "previous_release.sql.xz"
pytestmark = pytest.mark.django_db(transaction=True)
TRUTH = (
    *("profiles_sourcerecord", "profiles_identifier", "profiles_profile", "profiles_touchpoint", "profiles_order"),
    *("consent_consententry", "consent_datasubjectrequest", "consent_erasurestep", "ingestion_suppressedidentifier"),
    *("core_auditevent", "core_auditseal", "core_user", "core_machinekey", "ingestion_writekey", "segments_segment"),
)


@pytest.fixture
def previous() -> Iterator[psycopg.Connection]:
    """A connection to the database of the release before, to which Django is connected as well."""
    name = f"{connection.settings_dict['NAME']}_upgrade"
    with psycopg.connect(database.url_with("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            with psycopg.connect(database.url_with(name), autocommit=True) as previous:
                previous.execute(lzma.decompress(FILE.read_bytes()))
                previous.execute("RESET search_path")
                with database._connected_to(name):
                    yield previous
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def counted(previous: psycopg.Connection) -> dict[str, int]:
    found = {}
    for table in TRUTH:
        row = previous.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
        found[table] = row[0] if row else 0
    return found


def test_everything_is_there_afterwards_and_works(previous: psycopg.Connection) -> None:
    before = counted(previous)
    assert all(before.values())
    stated = previous.execute("SELECT id, status FROM consent_datasubjectrequest ORDER BY id").fetchall()

    call_command("migrate", interactive=False, verbosity=0)

    assert counted(previous) == before
    call_command("migrate", check_unapplied=True, verbosity=0)
    # Every table can be read by today's models, each request stands where it stood, the audit is whole.
    for model in own_models():
        list(model._default_manager.all()[:5])
    assert list(DataSubjectRequest.objects.order_by("pk").values_list("pk", "status")) == stated
    assert audit.verify(written_down=anchors.parse(b"")).ok
    # What is derived is still what the records say.
    call_command("rebuild_profiles", "--check")
    # Consents permit and forbid; logins and customers can be opened.
    assert ConsentEntry.objects.exists()
    marketing = Purpose.objects.get(slug="marketing")
    assert sum(bool(gate.may_use(one, marketing, Channel.EMAIL).addresses) for one in Profile.objects.all()) > 0
    assert User.objects.get(username="first").check_password("upgrade-test-only")
    assert SourceRecord.objects.exists()


def test_facets_that_were_any_text_are_days_afterwards_and_back(previous: psycopg.Connection) -> None:
    """Else a person would be compared by a day that there is not."""
    call_command("migrate", "profiles", "0022", verbosity=0)
    nobodys = {"birth_date": "1990-02-30"}
    previous.execute(
        "UPDATE profiles_profile SET golden = golden || %s::jsonb WHERE id = (SELECT min(id) FROM profiles_profile)",
        [json.dumps(nobodys)],
    )

    def facets() -> tuple[str | None, bool]:
        found: tuple[str | None, bool] | None = previous.execute(
            "SELECT facet_birth_date, facets_tell FROM profiles_profile ORDER BY id LIMIT 1"
        ).fetchone()
        assert found is not None
        return found

    assert facets() == ("1990-02-30", True)
    call_command("migrate", verbosity=0)
    assert facets() == (None, False)
    call_command("migrate", "profiles", "0022", verbosity=0)
    assert facets() == ("1990-02-30", True)
