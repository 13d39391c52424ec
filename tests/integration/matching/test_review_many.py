"""Many pairs at once: only those that need nobody's eye, in one operation, back as one."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from cdp_site.core.errors import MendableError, NotFoundProblem
from cdp_site.core.models import Role, User
from ingestion.models import Source
from profiles import merging, rebuild, state
from profiles.matching import labels, many, pace, review, settling
from profiles.matching.labels import Verdict
from profiles.models import MatchLabel, Profile, ReviewPair, SourceRecord, VerifiedRecord
from tests.factories.arrivals import arrive, row

pytestmark = pytest.mark.django_db
Ask = Callable[..., ReviewPair]


@pytest.fixture(autouse=True)
def nothing_to_mend() -> Iterator[None]:
    yield
    assert rebuild.check() == []


@pytest.fixture
def ask(pos: Source) -> Ask:
    def make(**fields: Any) -> ReviewPair:
        n = SourceRecord.objects.count()
        arrive(pos, row(f"P{n}", first_name=f"Ann{n}"), row(f"P{n + 1}", first_name=f"Ann{n + 1}"))
        a, b = SourceRecord.objects.order_by("-pk")[:2][::-1]
        given = {"reason": ReviewPair.Reason.BAND, "score": 0.99, **fields}
        return ReviewPair.objects.create(record_a=a, record_b=b, **given)

    return make


def hashes() -> dict[str, str]:
    return state.hashes(Profile.objects.live().values_list("pk", flat=True))


def test_merges_the_sure_ones_and_takes_all_back(ask: Ask, steward: User) -> None:
    sure, doubtful = [ask(score=0.98 + n / 1000) for n in range(12)], ask(score=0.97)
    portion = many.choose(least=0.98, by=steward)
    assert (portion.found, len(portion.pairs), portion.left_out, len(portion.sample)) == (12, 12, 0, 10)
    foreseen = many.foresee(portion)
    assert foreseen is not None
    assert (len(foreseen.before), len(foreseen.after)) == (20, 10)
    late = ask(score=0.999)  # nobody has seen it
    operation = many.merge_all(least=0.98, upto=portion.upto, by=steward)
    assert MatchLabel.objects.filter(operation_id=operation.pk, origin="bulk").count() == 12
    assert {pair.state for pair in ReviewPair.objects.filter(pk__in=[one.pk for one in sure])} == {"settled"}
    for pair in (late, doubtful):
        pair.refresh_from_db()
        assert pair.state == "waiting"
    (line,) = pace.last(steward)
    assert (line.count, line.operation_id) == (12, operation.pk)
    assert labels.for_training() == {}
    with pytest.raises(MendableError):
        settling.take_back(label_id=MatchLabel.objects.first().pk, by=steward)  # type: ignore[union-attr]
    assert many.take_back(operation_id=operation.pk, by=steward) == 12
    assert set(ReviewPair.objects.values_list("state", flat=True)) == {"waiting"}
    assert Profile.objects.people().count() == 28


def test_everything_is_as_it_was(ask: Ask, steward: User) -> None:
    for _ in range(3):
        ask()
    before = hashes()
    operation = many.merge_all(least=0.98, upto=10**9, by=steward)
    assert hashes() != before
    many.take_back(operation_id=operation.pk, by=steward)
    assert hashes() == before
    with pytest.raises(NotFoundProblem):
        many.take_back(operation_id=operation.pk, by=steward)


def test_pairs_that_meet_in_one_customer_become_one(ask: Ask, steward: User) -> None:
    first, second = ask(), ask()
    ReviewPair.objects.create(record_a=first.record_b, record_b=second.record_a, reason="band", score=0.985)
    (group,) = many.choose(least=0.98, by=steward).groups
    assert len(group) == 4


def test_leaves_out_what_wants_a_persons_eye(
    ask: Ask, steward: User, make_user: Callable[..., User], settings: Settings
) -> None:
    colleague = make_user(Role.STEWARD, name="colleague")
    ask(is_flagged=True)
    ask(is_held_out=True)
    ask(asks_at_call=True)
    ask(reason="guard")
    ask(score=None)
    said = ask()
    settling.decide(pair_id=said.pk, verdict=Verdict.UNSURE, by=colleague)
    held = ask(claimed_by=colleague, claimed_until=timezone.now() + timedelta(minutes=5))
    assert many.choose(least=0.5, by=steward).found == 0
    verified, kept_apart, large = ask(), ask(), ask()
    VerifiedRecord.objects.create(record=verified.record_a)
    merging.relate(records=(kept_apart.record_a_id, kept_apart.record_b_id), by=colleague, reason="")
    portion = many.choose(least=0.98, by=steward)
    assert [pair.pk for pair in portion.pairs] == [large.pk]
    assert (portion.found, portion.left_out) == (3, 2)
    settings.MATCH_RECORDS_FOR_ONE_PERSON = 1
    assert many.choose(least=0.98, by=steward).pairs == []
    assert many.foresee(many.choose(least=0.98, by=steward)) is None
    assert held.pk not in {pair.pk for pair in portion.pairs}
    with pytest.raises(MendableError):
        many.merge_all(least=0.98, upto=10**9, by=steward)


@pytest.mark.parametrize("least", [0.49, 1.01, float("nan")])
def test_refuses_a_probability_that_is_none(least: float, steward: User) -> None:
    with pytest.raises(MendableError):
        many.choose(least=least, by=steward)


class TestPace:
    def test_pauses_do_not_count(self) -> None:
        now = timezone.now()
        times = [now - timedelta(seconds=seconds) for seconds in (0, 20, 40, 4000, 4020)]
        assert pace.pace(times) == pytest.approx(3)

    @pytest.mark.parametrize("seconds", [(), (0,), (0, 10), (0, 500, 1000)])
    def test_needs_some_decisions_in_a_row(self, seconds: tuple[int, ...]) -> None:
        now = timezone.now()
        assert pace.pace([now - timedelta(seconds=one) for one in seconds]) is None

    def test_counts_today_all_and_what_waits(self, ask: Ask, steward: User) -> None:
        done = [settling.decide(pair_id=ask().pk, verdict=Verdict.SAME, by=steward) for _ in range(2)]
        MatchLabel.objects.filter(pk=done[0].label.pk).update(at=timezone.now() - timedelta(days=2))
        ask()
        found = pace.progress(steward)
        assert (found.today, found.total, found.waiting, found.per_minute) == (1, 2, 1, None)
        assert (found.agreed, found.kappa) == ("–", "–")

    def test_lists_the_last_ten(self, ask: Ask, steward: User) -> None:
        pairs = [ask() for _ in range(11)]
        for pair in pairs:
            settling.decide(pair_id=pair.pk, verdict=Verdict.UNSURE, by=steward)
        found = pace.last(steward)
        assert len(found) == 10
        assert found[0].names == ("Ann20", "Ann21")
        latest = pace.latest(steward)
        assert latest is not None
        assert latest.pk == found[0].label.pk
        assert review.waiting_for(steward) == 0
