"""Landing and the digest's side of it, against the database."""

import json
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from cdp_site.core import hashing
from ingestion import landing
from ingestion.landing import Tally
from ingestion.models import InboundBatch, QuarantinedItem, SeenMessage, Source

pytestmark = pytest.mark.django_db


def land(source: Source, *messages: dict, door: str = "api", **options) -> InboundBatch:
    raw = json.dumps(messages, ensure_ascii=False).encode()
    return landing.land(source=source, messages_raw=raw, n_items=len(messages), door=door, **options)


def test_a_batch_is_kept_as_it_came(pos):
    batch = land(pos, {"type": "track", "event": "ดูสินค้า"})

    (claimed,) = landing.claim(10, 60)

    assert (claimed.id, claimed.n_items, claimed.attempts) == (batch.pk, 1, 1)
    assert json.loads(claimed.raw) == [{"type": "track", "event": "ดูสินค้า"}]


def test_messages_may_come_decoded(pos):
    landing.land(source=pos, messages_raw=[{"a": 1}, {"b": "ข"}], door="screen")

    (claimed,) = landing.claim(10, 60)

    assert (json.loads(claimed.raw), claimed.n_items) == ([{"a": 1}, {"b": "ข"}], 2)


def test_withdrawals_first_then_live_then_files(pos):
    file = land(pos, {"event": "Consent Refused"}, door="file")
    live = land(pos, {"event": "Product Viewed"})
    withdrawal = land(pos, {"event": "Consent Withdrawn"})
    later = land(pos, {"event": "Product Viewed"})

    claimed = landing.claim(3, 60) + landing.claim(3, 60)

    assert [batch.id for batch in claimed] == [withdrawal.pk, live.pk, later.pk, file.pk]


def test_what_is_leased_is_passed_over_until_the_lease_ends(pos):
    batch = land(pos, {})
    landing.claim(10, 60)

    assert landing.claim(10, 60) == []

    InboundBatch.objects.filter(pk=batch.pk).update(lease_until=timezone.now() - timezone.timedelta(seconds=1))
    (again,) = landing.claim(10, 60)
    assert again.attempts == 2


def test_settling_empties_the_batch_and_happens_once(pos):
    batch = land(pos, {}, {}, {}, {})
    tally = Tally(stored=1, duplicate=1, quarantined=1, suppressed=1)

    assert landing.settle(batch.pk, tally)
    assert not landing.settle(batch.pk, Tally(stored=4))

    batch.refresh_from_db()
    assert (batch.status, batch.raw, batch.n_stored, batch.n_suppressed) == ("digested", None, 1, 1)
    assert batch.processed_at is not None


def test_a_tally_that_does_not_add_up_is_refused(pos):
    batch = land(pos, {}, {})

    with pytest.raises(IntegrityError, match="inbound_batch_equation"), transaction.atomic():
        landing.settle(batch.pk, Tally(stored=1))


def test_many_batches_settle_in_one_statement(pos, django_assert_num_queries):
    batches = [land(pos, {}) for _ in range(5)]
    landing.settle(batches[0].pk, Tally(stored=1))

    with django_assert_num_queries(2):
        settled = landing.settle_all({batch.pk: Tally(duplicate=1) for batch in batches})

    assert settled == {batch.pk for batch in batches[1:]}


def test_the_quarantine_is_sealed(pos):
    land(pos, {"name": "สมชาย"})
    (claimed,) = landing.claim(1, 60)
    key = hashing.identifier_key("phone", "global", "+66812345678")

    landing.quarantine([landing.Unusable(claimed, 0, "wrong_type", '{"name":"สมชาย"}'.encode(), "x" * 400, [key])])

    item = QuarantinedItem.objects.about([key]).get()
    assert (item.source, item.reason, item.position, len(item.detail)) == (pos, "wrong_type", 0, 300)
    assert "สมชาย".encode() not in bytes(item.payload)
    assert hashing.unseal(bytes(item.payload)).decode() == '{"name":"สมชาย"}'


def test_a_message_has_one_id_for_ever():
    assert landing.message_uuid(1, "a") == landing.message_uuid(1, "a")
    assert landing.message_uuid(1, "a") != landing.message_uuid(2, "a")
    assert landing.message_uuid(1, "2a") != landing.message_uuid(12, "a")
    assert landing.message_uuid(1, "a").version == 8


def test_tombstones_are_remembered_under_every_key(settings):
    first, second, unknown = (landing.message_uuid(1, uuid4().hex) for _ in range(3))
    landing.remember([first])
    hashing._keys.cache_clear()
    settings.CDP_HASH_KEYS = [*settings.CDP_HASH_KEYS, "next:" + "ab" * 32]
    try:
        landing.remember([second, second])
        assert landing.seen([first, second, unknown]) == {first, second}
    finally:
        hashing._keys.cache_clear()
    assert not SeenMessage.objects.filter(key__in=[first, second]).exists()


def test_national_ids_never_reach_the_table(pos):
    batch = land(pos, {"traits": {"เลขบัตรประชาชน": "1101700230708"}})

    assert b"1101700230708" not in bytes(batch.raw)
    with connection.cursor() as cursor:
        cursor.execute("SELECT position('1101700230708'::bytea in raw) FROM ingestion_inboundbatch")
        assert cursor.fetchone() == (0,)


def test_the_backlog_counts_files_apart(pos):
    land(pos, {})
    land(pos, {}, door="file")
    land(pos, {}, door="file")

    backlog = landing.backlog()

    assert (backlog.live, backlog.bulk) == (1, 2)
    assert backlog.oldest_seconds >= 0


def test_sources_take_turns_within_a_lane(pos, web_shop):
    flood = [landing.land(source=pos, messages_raw=[{}] * 10, door="api") for _ in range(20)]
    single = landing.land(source=web_shop, messages_raw=[{}], door="api")
    withdrawal = landing.land(source=pos, messages_raw=[{"event": "Consent Withdrawn"}], door="api")

    claimed = landing.claim(3, 60)

    assert {batch.id for batch in claimed} == {withdrawal.pk, flood[0].pk, single.pk}
    assert [batch.id for batch in landing.claim(2, 60)] == [flood[1].pk, flood[2].pk]


def test_a_claim_ends_where_it_holds_enough_items(pos):
    batches = [landing.land(source=pos, messages_raw=[{}] * 10, door="api") for _ in range(5)]

    assert [batch.id for batch in landing.claim(100, 60, limit_items=25)] == [batch.pk for batch in batches[:3]]
    assert [batch.id for batch in landing.claim(100, 60, limit_items=1)] == [batches[3].pk]
