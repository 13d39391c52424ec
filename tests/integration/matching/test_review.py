"""The queue of pairs and the verdicts on them: who is shown what, what follows, and the way back."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from cdp_site.core.errors import ConflictProblem, MendableError, NotFoundProblem
from cdp_site.core.models import Role, User
from ingestion.models import Source
from profiles import merging, rebuild, state
from profiles.matching import labels, review, settling
from profiles.matching.labels import Verdict
from profiles.matching.review import Order
from profiles.matching.settling import Wish
from profiles.models import LinkDecision, MatchLabel, Profile, ReviewPair, SourceRecord
from tests.factories.arrivals import arrive, row

pytestmark = pytest.mark.django_db
State, Reason = ReviewPair.State, ReviewPair.Reason
Ask = Callable[..., ReviewPair]


@pytest.fixture
def nothing_to_mend() -> Iterator[None]:
    yield
    assert rebuild.check() == []


@pytest.fixture
def colleague(make_user: Callable[..., User]) -> User:
    return make_user(Role.STEWARD, name="colleague")


@pytest.fixture
def third(make_user: Callable[..., User]) -> User:
    return make_user(Role.STEWARD, name="third")


@pytest.fixture
def ask(pos: Source) -> Ask:
    """Two customers of one record each, and the question whether they are one."""

    def make(**fields: Any) -> ReviewPair:
        number = SourceRecord.objects.count()
        arrive(pos, *(row(f"P{number + n}", first_name=f"Ann{number + n}") for n in range(2)))
        a, b = (SourceRecord.objects.get(external_id=f"P{number + n}") for n in range(2))
        given = {"reason": Reason.BAND, "score": 0.8, **fields}
        return ReviewPair.objects.create(record_a=a, record_b=b, **given)

    return make


def hashes() -> dict[str, str]:
    return state.hashes(Profile.objects.live().values_list("pk", flat=True))


def is_one(pair: ReviewPair) -> bool:
    owner_of = review.owners([pair.record_a_id, pair.record_b_id])
    return owner_of[pair.record_a_id] == owner_of[pair.record_b_id]


class TestQueue:
    def test_by_worth_or_by_how_uncertain_the_model_is(self, ask: Ask, steward: User) -> None:
        sure, even, unlikely = ask(score=0.95, worth=9), ask(score=0.55, worth=1), ask(score=0.3, worth=5)
        unknown = ask(score=None, worth=0)
        assert review.claim(by=steward, most=9, order=Order.WORTH) == [sure, unlikely, even, unknown]
        assert review.claim(by=steward, most=9, order=Order.UNCERTAIN) == [even, unlikely, sure, unknown]

    def test_two_people_never_hold_the_same_pair(self, ask: Ask, steward: User, colleague: User) -> None:
        pairs = [ask(worth=9 - n) for n in range(3)]
        assert review.claim(by=steward, most=2, order=Order.WORTH) == pairs[:2]
        assert review.claim(by=colleague, most=2, order=Order.UNCERTAIN) == pairs[2:]
        assert review.claim(by=colleague, most=2, order=Order.WORTH) == pairs[2:]

    def test_a_claim_ends_and_is_renewed(self, ask: Ask, steward: User, colleague: User) -> None:
        pair = ask()
        review.claim(by=steward, most=1, order=Order.WORTH)
        ReviewPair.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
        assert review.claim(by=steward, most=1, order=Order.WORTH, held=[pair.pk]) == []
        assert review.claim(by=colleague, most=1, order=Order.WORTH) == []
        review.release(by=steward)
        assert review.claim(by=colleague, most=1, order=Order.WORTH) == [pair]

    def test_what_has_become_one_customer_is_not_asked_about(self, ask: Ask, steward: User) -> None:
        one, learned, other = ask(worth=3), ask(worth=2, reason=Reason.TRAINING), ask(worth=1)
        for pair in (one, learned):
            owners = Profile.objects.filter(pk__in=review.owners([pair.record_a_id, pair.record_b_id]).values())
            merging.merge(profiles=list(owners), by=steward, reason="")
        assert review.claim(by=steward, most=2, order=Order.WORTH) == [learned, other]
        one.refresh_from_db()
        assert (one.state, one.claimed_by) == (State.GONE, None)

    def test_what_a_colleague_flagged_comes_first(self, ask: Ask, steward: User, colleague: User) -> None:
        precious, flagged = ask(worth=9), ask(worth=1)
        settling.decide(pair_id=flagged.pk, verdict=Verdict.UNSURE, by=colleague, wish=Wish.FLAG)
        assert review.claim(by=steward, most=2, order=Order.WORTH) == [flagged, precious]
        assert review.claim(by=colleague, most=2, order=Order.WORTH) == []

    def test_counts_what_a_person_has_not_answered(self, ask: Ask, steward: User, colleague: User) -> None:
        pair = ask()
        settling.decide(pair_id=pair.pk, verdict=Verdict.UNSURE, by=steward)
        assert (review.waiting_for(steward), review.waiting_for(colleague)) == (0, 1)


@pytest.mark.usefixtures("nothing_to_mend")
class TestVerdicts:
    def test_same_merges_and_is_taken_back_exactly(self, ask: Ask, steward: User) -> None:
        pair = ask()
        before = hashes()
        done = settling.decide(pair_id=pair.pk, verdict=Verdict.SAME, by=steward)
        assert is_one(pair)
        assert (done.pair.state, done.label.score) == (State.SETTLED, 0.8)
        assert labels.for_training() == {(pair.record_a_id, pair.record_b_id): True}
        back = settling.take_back(label_id=done.label.pk, by=steward)
        assert hashes() == before
        assert (back.state, back.claimed_by, back.settled_at) == (State.WAITING, steward, None)
        assert labels.for_training() == {}
        assert review.claim(by=steward, most=1, order=Order.WORTH) == [pair]

    @pytest.mark.parametrize(("verdict", "action"), [(Verdict.DIFFERENT, "never"), (Verdict.RELATED, "related")])
    def test_no_is_a_veto_until_it_is_taken_back(self, ask: Ask, steward: User, verdict: str, action: str) -> None:
        pair = ask()
        done = settling.decide(pair_id=pair.pk, verdict=verdict, by=steward)
        assert LinkDecision.objects.get(operation_id=done.label.operation_id).action == action
        assert done.pair.state == State.SETTLED
        settling.take_back(label_id=done.label.pk, by=steward)
        assert LinkDecision.objects.filter(action="withdraw").count() == 1

    def test_unsure_leaves_the_pair_to_the_others(self, ask: Ask, steward: User, colleague: User) -> None:
        pair = ask()
        done = settling.decide(pair_id=pair.pk, verdict=Verdict.UNSURE, by=steward)
        assert (done.pair.state, done.label.operation_id) == (State.WAITING, None)
        assert review.claim(by=steward, most=1, order=Order.WORTH) == []
        assert review.claim(by=colleague, most=1, order=Order.WORTH) == [pair]

    def test_a_question_for_the_next_call_leaves_the_queue(self, ask: Ask, steward: User, colleague: User) -> None:
        pair = ask()
        done = settling.decide(pair_id=pair.pk, verdict=Verdict.UNSURE, by=steward, wish=Wish.CALL)
        assert done.pair.asks_at_call
        assert review.claim(by=colleague, most=1, order=Order.WORTH) == []
        assert not settling.take_back(label_id=done.label.pk, by=steward).asks_at_call

    def test_one_verdict_sent_twice_is_one(self, ask: Ask, steward: User) -> None:
        pair = ask()
        first, again = (settling.decide(pair_id=pair.pk, verdict=Verdict.SAME, by=steward) for _ in range(2))
        assert first.label == again.label
        assert MatchLabel.objects.count() == 1
        with pytest.raises(ConflictProblem):
            settling.decide(pair_id=pair.pk, verdict=Verdict.DIFFERENT, by=steward)

    def test_nobody_decides_on_what_a_colleague_holds(self, ask: Ask, steward: User, colleague: User) -> None:
        pair = ask()
        review.claim(by=colleague, most=1, order=Order.WORTH)
        with pytest.raises(ConflictProblem):
            settling.decide(pair_id=pair.pk, verdict=Verdict.SAME, by=steward)
        assert not is_one(pair)

    def test_changes_an_earlier_verdict(self, ask: Ask, steward: User) -> None:
        pair = ask()
        done = settling.decide(pair_id=pair.pk, verdict=Verdict.SAME, by=steward)
        changed = settling.change(label_id=done.label.pk, verdict=Verdict.DIFFERENT, by=steward)
        assert not is_one(pair)
        assert changed.pair.state == State.SETTLED
        assert labels.for_training() == {(pair.record_a_id, pair.record_b_id): False}

    def test_what_the_customers_page_has_undone_is_undone(self, ask: Ask, steward: User) -> None:
        pair = ask()
        done = settling.decide(pair_id=pair.pk, verdict=Verdict.SAME, by=steward)
        (owner,) = set(review.owners([pair.record_a_id, pair.record_b_id]).values())
        merging.unmerge(profile=Profile.objects.get(pk=owner), records=[pair.record_b_id], by=steward, reason="")
        assert settling.take_back(label_id=done.label.pk, by=steward).state == State.WAITING

    def test_nobody_takes_back_what_others_said(self, ask: Ask, steward: User, colleague: User) -> None:
        done = settling.decide(pair_id=ask().pk, verdict=Verdict.SAME, by=steward)
        with pytest.raises(NotFoundProblem):
            settling.take_back(label_id=done.label.pk, by=colleague)
        settling.take_back(label_id=done.label.pk, by=steward)
        with pytest.raises(MendableError):
            settling.take_back(label_id=done.label.pk, by=steward)

    def test_takes_back_beside_what_a_customer_said(self, ask: Ask, steward: User, agent: User) -> None:
        pair = ask()
        labels.give(pair=pair, verdict=Verdict.SAME, by=agent, origin=MatchLabel.Origin.CALL)
        done = settling.decide(pair_id=pair.pk, verdict=Verdict.DIFFERENT, by=steward)
        assert settling.take_back(label_id=done.label.pk, by=steward).state == State.WAITING

    def test_a_pair_of_an_erased_person_is_gone(self, steward: User) -> None:
        with pytest.raises(NotFoundProblem):
            settling.decide(pair_id=7, verdict=Verdict.SAME, by=steward)


@pytest.mark.usefixtures("nothing_to_mend")
class TestTwoPeople:
    @pytest.fixture(autouse=True)
    def _few(self, settings: Settings) -> None:
        settings.MATCH_RECORDS_FOR_ONE_PERSON = 1

    def test_a_large_merge_waits_for_another_person(self, ask: Ask, steward: User, colleague: User) -> None:
        pair = ask()
        done = settling.decide(pair_id=pair.pk, verdict=Verdict.SAME, by=steward)
        assert done.pair.state == State.SECOND
        assert not is_one(pair)
        with pytest.raises(ConflictProblem):
            settling.decide(pair_id=pair.pk, verdict=Verdict.DIFFERENT, by=steward)
        assert settling.decide(pair_id=pair.pk, verdict=Verdict.SAME, by=steward).pair.state == State.SECOND
        assert review.claim(by=steward, most=1, order=Order.WORTH) == []
        assert review.claim(by=colleague, most=1, order=Order.WORTH) == [pair]
        confirmed = settling.decide(pair_id=pair.pk, verdict=Verdict.SAME, by=colleague)
        assert confirmed.pair.state == State.SETTLED
        assert is_one(pair)
        with pytest.raises(ConflictProblem):
            settling.take_back(label_id=done.label.pk, by=steward)
        assert settling.take_back(label_id=confirmed.label.pk, by=colleague).state == State.SECOND

    def test_the_second_person_may_refuse(self, ask: Ask, steward: User, colleague: User) -> None:
        pair = ask()
        settling.decide(pair_id=pair.pk, verdict=Verdict.SAME, by=steward)
        assert settling.decide(pair_id=pair.pk, verdict=Verdict.DIFFERENT, by=colleague).pair.state == State.SETTLED
        assert labels.conflicts() == [(pair.record_a_id, pair.record_b_id)]

    def test_the_first_may_think_again(self, ask: Ask, steward: User) -> None:
        pair = ask()
        done = settling.decide(pair_id=pair.pk, verdict=Verdict.SAME, by=steward)
        assert settling.take_back(label_id=done.label.pk, by=steward).state == State.WAITING


@pytest.mark.usefixtures("nothing_to_mend")
class TestHeldOut:
    def test_what_a_customer_said_at_a_call_is_no_second_verdict(self, ask: Ask, steward: User, agent: User) -> None:
        pair = ask(reason=Reason.HELD_OUT, is_held_out=True)
        labels.give(pair=pair, verdict=Verdict.SAME, by=agent, origin=MatchLabel.Origin.CALL)
        done = settling.decide(pair_id=pair.pk, verdict=Verdict.SAME, by=steward)
        assert done.pair.state == State.WAITING
        assert settling.take_back(label_id=done.label.pk, by=steward).state == State.WAITING

    def test_is_done_when_two_people_say_the_same(self, ask: Ask, steward: User, colleague: User, third: User) -> None:
        pair = ask(reason=Reason.HELD_OUT, is_held_out=True)
        assert settling.decide(pair_id=pair.pk, verdict=Verdict.SAME, by=steward).pair.state == State.WAITING
        assert settling.decide(pair_id=pair.pk, verdict=Verdict.DIFFERENT, by=colleague).pair.state == State.WAITING
        assert not is_one(pair)
        assert settling.decide(pair_id=pair.pk, verdict=Verdict.SAME, by=third).pair.state == State.SETTLED
        assert is_one(pair)
        assert labels.for_training() == {}
        assert labels.held_out() == {(pair.record_a_id, pair.record_b_id): True}

    def test_the_first_verdict_is_taken_back_alone(self, ask: Ask, steward: User, colleague: User) -> None:
        pair = ask(reason=Reason.HELD_OUT, is_held_out=True)
        first = settling.decide(pair_id=pair.pk, verdict=Verdict.RELATED, by=steward)
        second = settling.decide(pair_id=pair.pk, verdict=Verdict.RELATED, by=colleague)
        with pytest.raises(ConflictProblem):
            settling.take_back(label_id=first.label.pk, by=steward)
        assert settling.take_back(label_id=second.label.pk, by=colleague).state == State.WAITING
        assert settling.take_back(label_id=first.label.pk, by=steward).state == State.WAITING
        assert labels.held_out() == {}
