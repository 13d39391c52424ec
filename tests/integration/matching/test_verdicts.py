"""What people said of pairs, taken together: newest of each person, majority of all, ties left out."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from cdp_site.core.models import User
from profiles.matching import verdicts
from profiles.matching.verdicts import Vote, together
from profiles.models import MatchLabel, SourceRecord
from tests.factories.people import make_record


def test_each_pair_is_said_once_by_majority() -> None:
    found = together(
        [
            *(Vote((1, 2), voice) for voice in (True, True, False)),
            *(Vote((1, 3), voice) for voice in (False, None)),
            *(Vote((2, 3), voice) for voice in (True, False)),
            Vote((4, 5), None),
        ]
    )
    assert found.learned == {(1, 2): True, (1, 3): False}
    assert (found.ties, found.unsure) == (1, 1)
    assert found.counts == {
        "same": 1, "different": 1, "held_out_same": 0, "held_out_different": 0, "ties": 1, "unsure": 1,
    }  # fmt: skip


def test_what_is_held_out_by_one_person_trains_nothing() -> None:
    found = together([Vote((1, 2), True, is_held_out=True), Vote((1, 2), True), Vote((3, 4), False)])
    assert found.held_out == {(1, 2): True}
    assert found.learned == {(3, 4): False}


def test_agreement_counts_blind_pairs_of_two_people_beyond_chance() -> None:
    def blind(pair: tuple[int, int], *voices: bool) -> list[Vote]:
        return [Vote(pair, voice, is_held_out=True) for voice in voices]

    found = together(
        [
            *blind((1, 2), True, True),
            *blind((3, 4), False, False),
            *blind((5, 6), True, False),
            *blind((7, 8), False, False),
            *blind((9, 10), True),  # judged once
            Vote((11, 12), True),
            Vote((11, 12), False),  # not blind
        ]
    ).agreement
    assert (found.pairs, found.share) == (4, 0.75)
    # 3 of 8 voices say same: chance gives (3/8)² + (5/8)² = 34/64
    assert found.kappa == pytest.approx((0.75 - 34 / 64) / (30 / 64))


def test_agreement_without_two_voices_or_beyond_chance_says_nothing() -> None:
    assert together([Vote((1, 2), True, is_held_out=True)]).agreement == verdicts.Agreement()
    alike = together([Vote((1, 2), True, is_held_out=True)] * 2).agreement
    assert (alike.share, alike.kappa) == (1.0, None)


@pytest.fixture
def records(db: None) -> list[SourceRecord]:
    return [make_record(name=f"คนที่ {number}") for number in range(4)]


def _say(some: SourceRecord, other: SourceRecord, verdict: str, by: User | None, **fields: object) -> MatchLabel:
    return MatchLabel.objects.create(
        record_a=some, record_b=other, verdict=verdict, by=by, origin=MatchLabel.Origin.QUEUE, **fields
    )


def test_the_newest_standing_verdict_of_a_person_counts(
    records: list[SourceRecord], steward: User, make_user: Callable[..., User]
) -> None:
    other = make_user("steward", name="other")
    a, b, c, d = records
    _say(a, b, "same", steward)
    _say(a, b, "related", steward)
    _say(a, c, "different", steward)
    _say(a, c, "same", steward, undone_at=timezone.now())
    _say(b, c, "same", steward)
    _say(b, c, "different", other)
    _say(c, d, "unsure", other)
    found = verdicts.read()
    assert found.learned == {(a.pk, b.pk): False, (a.pk, c.pk): False}
    assert (found.ties, found.unsure) == (1, 1)


def test_pairs_said_to_be_one_among_some_records(records: list[SourceRecord], steward: User) -> None:
    a, b, c, d = records
    _say(a, b, "same", steward)
    _say(b, c, "same", steward, is_held_out=True)
    _say(c, d, "same", steward)
    assert verdicts.same_among([a.pk, b.pk, c.pk]) == [(a.pk, b.pk), (b.pk, c.pk)]
    assert verdicts.same_among([]) == []
