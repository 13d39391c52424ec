from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from cdp_site.core.errors import AuthenticationProblem, ConflictProblem, MendableError
from cdp_site.core.models import AuditEvent
from ingestion import keys, sources
from ingestion.models import Source, WriteKey

pytestmark = pytest.mark.django_db


def test_a_key_is_kept_as_a_hash_only(pos, steward):
    row, key = keys.make(source=pos, by=steward)

    row.refresh_from_db()
    assert key.startswith(row.prefix)
    assert len(key) == 47
    assert key.encode() not in bytes(row.secret_hash)
    assert keys.verify(key) == keys.Grant(pos.pk, is_public=False)
    assert AuditEvent.objects.get(action="write_key.make").actor == f"user:{steward.pk}"


def test_public_keys_are_told_apart_by_sight(pos):
    assert keys.make(source=pos, by="system:test", is_public=True)[1].startswith("pub_")
    assert keys.make(source=pos, by="system:test")[1].startswith("sec_")


def test_revoking_twice_is_one_revocation(pos, steward):
    row, key = keys.make(source=pos, by=steward)

    keys.revoke(key=row, by=steward)
    keys.revoke(key=row, by=steward)

    with pytest.raises(AuthenticationProblem):
        keys.verify(key)
    assert AuditEvent.objects.filter(action="write_key.revoke").count() == 1


def test_the_platforms_own_source_takes_no_key():
    with pytest.raises(ConflictProblem):
        keys.make(source=Source.objects.get(kind="internal"), by="system:test")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("create_source", *arguments, stdout=out)
    return out.getvalue()


def test_create_source_prints_only_the_key(marketing):
    key = run("ร้านค้าออนไลน์", "--department", "marketing", "--kind", "shop", "--public").removesuffix("\n")

    assert keys.verify(key).is_public
    source = WriteKey.objects.get().source
    assert (source.name, source.slug, source.kind, source.department) == ("ร้านค้าออนไลน์", "shop", "shop", marketing)


def test_create_source_says_what_is_wrong_and_leaves_nothing(marketing):
    before = Source.objects.count()
    with pytest.raises(CommandError, match="marketing"):
        run("Shop", "--department", "nobody")
    run("Shop", "--slug", "web")
    with pytest.raises(CommandError, match="taken"):
        run("Shop", "--slug", "web")

    assert Source.objects.count() == before + 1


def test_short_names_never_collide(db):
    made = [sources.create(name="Web Shop", department=None, kind="shop", by="system:test").slug for _ in range(3)]

    assert made == ["web-shop", "web-shop-2", "web-shop-3"]


def test_an_unknown_kind_is_refused(db):
    with pytest.raises(MendableError, match="kind"):
        sources.create(name="X", department=None, kind="internal", by="system:test")
