"""Ten thousand people on a list that is being made while some of them withdraw: nobody leaves after their commit."""

import csv
import io
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from psycopg import sql

from cdp_site.core.models import User
from consent.models import Channel, ConsentEntry, Purpose
from ingestion.models import Source
from profiles.models import Identifier, Membership, Profile, SourceRecord
from segments.exports import gating, job
from segments.exports.problems import WithdrawnProblem
from segments.models import Segment, SegmentExport
from tests.factories import exports
from tests.factories.consent import marketing

pytestmark = pytest.mark.django_db
PEOPLE, A_CHUNK = 10_000, 60
THEN = timezone.now() - timedelta(days=400)


@pytest.fixture
def crowd(web_shop: Source) -> list[SourceRecord]:
    """Everybody has agreed to offers by e-mail."""
    profiles = Profile.objects.bulk_create(
        [Profile(kind="identified", golden={"name": f"ลูกค้า {n}"}, sort_name=str(n)) for n in range(PEOPLE)]
    )
    records = SourceRecord.objects.bulk_create(
        [
            SourceRecord(
                source=web_shop, kind="identified", external_id=f"c{n}", birth_profile=profile,
                attributes={"name": f"ลูกค้า {n}"}, attribute_times={}, content_hash=bytes(16),
                first_seen_at=THEN, last_seen_at=THEN, received_at=THEN,
            )
            for n, profile in enumerate(profiles)
        ]
    )  # fmt: skip
    pairs = list(zip(profiles, records, strict=True))
    Membership.objects.bulk_create([Membership(record=r, profile=p, valid_from=THEN) for p, r in pairs])
    Identifier.objects.bulk_create(
        [
            Identifier(
                kind="email", namespace="", value=f"c{n}@baansabai.co.th", raw=f"c{n}@baansabai.co.th", record=r,
                profile=p, valid_from=THEN, last_stated_at=THEN, is_evidence=True,
            )
            for n, (p, r) in enumerate(pairs)
        ]
    )  # fmt: skip
    say(records, "granted", THEN)
    with connection.cursor() as cursor:  # as the server does by itself when so many rows have come
        for model in (Profile, SourceRecord, Membership, Identifier, ConsentEntry):
            cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(model._meta.db_table)))
    return records


def say(records: list[SourceRecord], state: str, at: Any) -> None:
    purpose = marketing()
    ConsentEntry.objects.bulk_create(
        [
            ConsentEntry(
                record=record, purpose=purpose, channel=Channel.EMAIL, state=state, occurred_at=at, received_at=at,
                origin="event", basis=purpose.basis, source_id=record.source_id, actor="system:digest",
            )
            for record in records
        ]
    )  # fmt: skip


def test_nobody_is_in_a_chunk_after_their_withdrawal_and_no_list_with_one_is_fetched(
    crowd: list[SourceRecord], make_segment: Callable[..., Segment], marketer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(7)
    customers = dict(zip((str(one.birth_profile.public_id) for one in crowd), crowd, strict=True))
    withdrawn: set[int] = set()
    passed_after: list[int] = []
    ask = gating.ask

    def ask_while_people_withdraw(profile_ids: Any, **asked: Any) -> Any:
        new = chance.sample([one for one in crowd if one.pk not in withdrawn], A_CHUNK)
        say(new, "withdrawn", timezone.now())
        withdrawn.update(one.pk for one in new)
        answers = ask(profile_ids, **asked)
        denied = {one.birth_profile_id for one in crowd if one.pk in withdrawn}
        passed_after.extend(pk for pk, answer in answers.items() if pk in denied and answer.reason is None)
        return answers

    segment = make_segment({"kind": "attribute", "trait": "name", "operator": "known", "value": None}, name="Everybody")
    purpose = Purpose.objects.get(slug="marketing")
    monkeypatch.setattr(gating, "ask", ask_while_people_withdraw)
    listed = exports.exported(segment, purpose, Channel.EMAIL, marketer)
    monkeypatch.setattr(gating, "ask", ask)

    assert listed.n_members == PEOPLE
    assert len(withdrawn) == A_CHUNK * (PEOPLE // job.CHUNK)
    assert passed_after == []
    # Who withdrew after their own chunk is in the file: it is never handed out.
    with pytest.raises(WithdrawnProblem):
        exports.content(listed, marketer)
    listed.refresh_from_db()
    assert (listed.stored_as, listed.n_fetched) == ("", 0)

    again = exports.exported(segment, purpose, Channel.EMAIL, marketer)
    rows = list(csv.DictReader(io.StringIO(exports.content(again, marketer).decode("utf-8-sig"))))
    assert len(rows) == PEOPLE - len(withdrawn)
    assert not {customers[row["customer_id"]].pk for row in rows} & withdrawn
    assert SegmentExport.objects.get(pk=again.pk).n_left_out == {"withdrawn": len(withdrawn)}
