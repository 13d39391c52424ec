"""Merges and unmerges by hand are labels: undone they are said no more, and an undo taken back says them again."""

import pytest

from cdp_site.core.models import Operation, User
from ingestion.models import Source
from profiles import merging
from profiles.matching import by_hand, labels, review, settling
from profiles.merging import Outcome
from profiles.models import MatchLabel, Membership, Profile, ReviewPair, SourceRecord
from tests.factories.arrivals import arrive, identify, row

pytestmark = pytest.mark.django_db

Standing = list[tuple[int, str, str, int | None]]


@pytest.fixture
def pair(web_shop: Source, pos: Source) -> tuple[int, int]:
    arrive(web_shop, identify("u1", first_name="Suda", last_name="Rakdee"))
    arrive(pos, row("p1", first_name="Suda", last_name="Rakdee"))
    a, b = SourceRecord.objects.order_by("pk").values_list("pk", flat=True)
    return a, b


def owners() -> list[Profile]:
    current = Membership.objects.filter(valid_to=None)
    return list(Profile.objects.filter(pk__in=current.values("profile")).order_by("pk"))


def standing() -> Standing:
    said = MatchLabel.objects.filter(undone_at__isnull=True).order_by("pk")
    return list(said.values_list("pk", "verdict", "origin", "by"))


def verdicts() -> list[str]:
    return [verdict for _pk, verdict, _origin, _by in standing()]


def merge(by: User) -> Operation:
    return by_hand.merge(profiles=owners(), by=by, reason="").operation


def unmerge(pair: tuple[int, int], by: User) -> Operation:
    (profile,) = owners()
    return by_hand.unmerge(profile=profile, records=[pair[1]], by=by, reason="").operation


def undo(operation: Operation, by: User) -> Operation:
    done: Outcome = by_hand.revert(operation=operation, by=by, reason="")
    return done.operation


def in_review(pair: tuple[int, int], verdict: str, by: User) -> MatchLabel:
    asked, _is_new = ReviewPair.objects.get_or_create(record_a_id=pair[0], record_b_id=pair[1], reason="band")
    return settling.decide(pair_id=asked.pk, verdict=verdict, by=by).label


def test_to_any_depth(pair: tuple[int, int], steward: User) -> None:
    last = merge(steward)
    merged = standing()
    assert verdicts() == ["same"]
    for _time in range(3):
        last = undo(last, steward)
        assert (len(owners()), standing()) == (2, [])
        assert labels.for_training() == {}
        last = undo(last, steward)
        assert (len(owners()), standing()) == (1, merged)
        assert labels.for_training() == {pair: True}


def test_whichever_of_the_undos_is_taken_back(pair: tuple[int, int], steward: User) -> None:
    first = merge(steward)
    merged = standing()
    second = undo(first, steward)
    third = undo(second, steward)
    undo(third, steward)
    assert (len(owners()), standing()) == (2, [])
    undo(second, steward)
    assert (len(owners()), standing()) == (1, merged)
    undo(first, steward)
    assert (len(owners()), standing()) == (2, [])


def test_by_whomever_it_is_undone(pair: tuple[int, int], steward: User, admin: User) -> None:
    first = merge(steward)
    merged = standing()
    undo(undo(first, admin), admin)
    assert standing() == merged


def test_what_the_merge_had_set_aside_comes_back_with_its_undo(pair: tuple[int, int], steward: User) -> None:
    first = merge(steward)
    merged = standing()
    second = unmerge(pair, steward)
    parted = standing()
    assert [verdict for _pk, verdict, *_rest in parted] == ["different"]
    third = undo(second, steward)
    assert (len(owners()), standing()) == (1, merged)
    fourth = undo(third, steward)
    assert (len(owners()), standing()) == (2, parted)
    undo(fourth, steward)
    assert (len(owners()), standing()) == (1, merged)
    undo(first, steward)
    assert (len(owners()), standing()) == (2, [])


def test_also_a_verdict_of_the_review(pair: tuple[int, int], steward: User) -> None:
    in_review(pair, "different", steward)
    reviewed = standing()
    last = merge(steward)
    merged = standing()
    assert [verdict for _pk, verdict, *_rest in merged] == ["same"]
    last = undo(last, steward)
    assert standing() == reviewed
    last = undo(last, steward)
    assert standing() == merged
    undo(last, steward)
    assert standing() == reviewed


def test_what_was_said_since_stands(pair: tuple[int, int], steward: User) -> None:
    undone = undo(merge(steward), steward)
    in_review(pair, "unsure", steward)
    undo(undone, steward)
    assert verdicts() == ["unsure"]


def test_a_review_takes_back_a_merge_that_stands_again(pair: tuple[int, int], steward: User) -> None:
    label = in_review(pair, "same", steward)
    operation = Operation.objects.get(pk=label.operation_id)
    undone = by_hand.revert(operation=operation, by=steward, reason="").operation
    assert not merging.stands(operation)
    undo(undone, steward)
    assert merging.stands(operation)
    settling.take_back(label_id=label.pk, by=steward)
    assert len(owners()) == 2
    assert not merging.stands(operation)


def test_others_words_are_theirs(pair: tuple[int, int], steward: User, admin: User) -> None:
    in_review(pair, "unsure", admin)
    others = standing()
    last = undo(merge(steward), steward)
    assert standing() == others
    undo(last, steward)
    assert sorted(verdicts()) == ["same", "unsure"]
    assert review.owners(list(pair)) == dict.fromkeys(pair, owners()[0].pk)
