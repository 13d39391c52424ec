"""What people said of pairs: what counts, what teaches, how far they agree."""

from collections.abc import Callable

import pytest

from cdp_site.core.models import AuditEvent, Role, User
from profiles.matching import labels
from profiles.matching.labels import Pair, Verdict
from profiles.models import MatchLabel, ReviewPair
from tests.factories.people import make_record

pytestmark = pytest.mark.django_db
Say = Callable[..., MatchLabel]
Ask = Callable[..., ReviewPair]


@pytest.fixture
def people(make_user: Callable[..., User]) -> list[User]:
    return [make_user(Role.STEWARD, name=name) for name in ("ann", "bo", "cy")]


@pytest.fixture
def ask(db: None) -> Ask:
    def make(**fields: object) -> ReviewPair:
        a, b = make_record(), make_record()
        given = {"reason": ReviewPair.Reason.BAND, "score": 0.8, **fields}
        return ReviewPair.objects.create(record_a=a, record_b=b, **given)

    return make


@pytest.fixture
def say(db: None) -> Say:
    def give(pair: ReviewPair, by: User, verdict: str, origin: str = labels.Origin.QUEUE) -> MatchLabel:
        return labels.give(pair=pair, verdict=verdict, by=by, origin=origin)

    return give


def key(pair: ReviewPair) -> Pair:
    return (pair.record_a_id, pair.record_b_id)


def test_the_newest_standing_word_of_a_person_counts(ask: Ask, say: Say, people: list[User]) -> None:
    pair = ask()
    say(pair, people[0], Verdict.SAME)
    assert labels.for_training() == {key(pair): True}
    second = say(pair, people[0], Verdict.RELATED)
    assert labels.for_training() == {key(pair): False}
    labels.take_back(label=second, by=people[0])
    assert labels.for_training() == {}
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == [
        "match.label",
        "match.label",
        "match.unlabel",
    ]


def test_most_people_are_right_and_an_even_split_teaches_nothing(ask: Ask, say: Say, people: list[User]) -> None:
    pair = ask()
    say(pair, people[0], Verdict.SAME)
    say(pair, people[1], Verdict.DIFFERENT)
    assert labels.for_training() == {}
    assert labels.conflicts() == [key(pair)]
    assert labels.counts() == labels.Counts(conflicts=1)
    say(pair, people[2], Verdict.DIFFERENT)
    assert labels.for_training() == {key(pair): False}
    assert labels.conflicts() == []


def test_a_held_out_pair_teaches_nobody(ask: Ask, say: Say, people: list[User]) -> None:
    pair = ask(is_held_out=True)
    say(pair, people[0], Verdict.SAME)
    ReviewPair.objects.update(is_held_out=False)
    pair.refresh_from_db()
    say(pair, people[1], Verdict.SAME)
    assert labels.for_training() == {}
    assert labels.held_out() == {key(pair): True}


def test_what_was_decided_many_at_once_teaches_nothing(ask: Ask, say: Say, people: list[User]) -> None:
    say(ask(), people[0], Verdict.SAME, labels.Origin.BULK)
    assert labels.for_training() == {}
    assert labels.counts().same == 1


def test_who_cannot_tell_says_nothing(ask: Ask, say: Say, people: list[User]) -> None:
    pair = ask()
    say(pair, people[0], Verdict.UNSURE)
    assert labels.for_training() == {}
    assert labels.counts() == labels.Counts(unsure=1)
    assert [one.verdict for one in labels.standing([key(pair)])] == [Verdict.UNSURE]


def test_agreement_is_that_beyond_chance(ask: Ask, say: Say, people: list[User]) -> None:
    """20 pairs: both say same of 8, not of 6; 4 and 2 they see differently. Agreed .7, by chance .6 · .5 + .4 · .5."""
    ann, bo, _ = people
    words = [(Verdict.SAME, Verdict.SAME)] * 8 + [(Verdict.DIFFERENT, Verdict.RELATED)] * 6
    words += [(Verdict.SAME, Verdict.DIFFERENT)] * 4 + [(Verdict.DIFFERENT, Verdict.SAME)] * 2
    for anns, bos in words:
        pair = ask(is_held_out=True)
        say(pair, ann, anns)
        say(pair, bo, bos)
    for found in (labels.agreement(), labels.agreement(of=ann), labels.agreement(of=bo)):
        assert (found.compared, found.agreed) == (20, 14)
        assert found.share == pytest.approx(0.7)
        assert found.kappa == pytest.approx(0.4)


def test_agreement_needs_two_people_and_two_words(ask: Ask, say: Say, people: list[User]) -> None:
    assert labels.agreement() == labels.Agreement(0, 0, None)
    pair = ask(is_held_out=True)
    say(pair, people[0], Verdict.SAME)
    assert labels.agreement().compared == 0
    say(pair, people[1], Verdict.SAME)
    assert labels.agreement() == labels.Agreement(1, 1, None)
    assert labels.agreement(of=people[2]).share is None
