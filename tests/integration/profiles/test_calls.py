"""Questions for the next call: who is asked what, and what the answer does."""

from collections.abc import Callable

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import AuditEvent, Department, User
from ingestion.models import Source
from profiles import calls, merging
from profiles.matching import labels, review
from profiles.models import LinkDecision, MatchLabel, Profile, ReviewPair, SourceRecord
from tests.customers import Tell, identify, profile_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


def make_pair(some: Profile, other: Profile, **fields: object) -> ReviewPair:
    a, b = sorted((some.birth_record.pk, other.birth_record.pk))
    given = {"reason": ReviewPair.Reason.BAND, "score": 0.7, "worth": 3.0, "asks_at_call": True, **fields}
    return ReviewPair.objects.create(record_a_id=a, record_b_id=b, **given)


@pytest.fixture
def twin(tell: Tell, call_centre: Source, somchai: Profile) -> Profile:
    """Perhaps the same man: another name at another number."""
    tell(call_centre, identify("C2", firstName="ชาย", lastName="ใจดี", phone="0812344567"))
    return profile_of(call_centre, "C2")


@pytest.fixture
def pair(somchai: Profile, twin: Profile) -> ReviewPair:
    return make_pair(somchai, twin)


def url(name: str, profile: Profile, *more: int) -> str:
    return reverse(f"profiles:{name}", args=[profile.public_id, *more])


class TestQuestion:
    def test_it_says_the_other_name_and_how_the_number_ends(
        self, somchai: Profile, twin: Profile, pair: ReviewPair, login: Login, agent: User
    ) -> None:
        page = login(agent).get(url("question", somchai)).content.decode()
        assert "Is the customer also known as ชาย ใจดี, with a phone number ending in 4567?" in page
        assert "0812344567" not in page
        assert "081 234" not in page
        other_side = calls.question(twin, by=agent)
        assert other_side is not None
        assert "ending in 1972" in other_side.text

    @pytest.mark.parametrize(
        ("traits", "text"),
        [
            (
                {"firstName": "Bea", "email": "bea@baansabai.co.th"},
                "also known as Bea, with the e-mail address b••••@baansabai.co.th?",
            ),
            ({"firstName": "Bea"}, "Is the customer also known as Bea?"),
            ({"phone": "0812344567"}, "Does the customer also have a phone number ending in 4567?"),
            ({"email": "bea@baansabai.co.th"}, "Does the customer also have the e-mail address b••••@baansabai.co.th?"),
            ({"occupation": "สถาปนิก"}, None),
        ],
    )
    def test_what_is_known_of_both_is_not_asked(
        self, somchai: Profile, tell: Tell, call_centre: Source, agent: User, traits: dict[str, str], text: str | None
    ) -> None:
        tell(call_centre, identify("C3", **traits))
        make_pair(somchai, profile_of(call_centre, "C3"))
        asked = calls.question(somchai, by=agent)
        assert (asked and text and text in asked.text) or (asked is None and text is None)

    def test_the_one_that_is_worth_most_comes_first(
        self, somchai: Profile, twin: Profile, pair: ReviewPair, tell: Tell, call_centre: Source, agent: User
    ) -> None:
        tell(call_centre, identify("C3", firstName="Bea"))
        dearer = make_pair(somchai, profile_of(call_centre, "C3"), worth=9.0)
        asked = calls.question(somchai, by=agent)
        assert asked is not None
        assert asked.pair_id == dearer.pk
        asked = calls.question(somchai, by=agent, without=frozenset({dearer.pk}))
        assert asked is not None
        assert asked.pair_id == pair.pk

    def test_of_records_that_are_not_the_agents_nothing_is_asked(
        self, somchai: Profile, manee: Profile, login: Login, agent: User
    ) -> None:
        pair = make_pair(somchai, manee)  # whom marketing alone knows
        client = login(agent)
        assert client.get(url("question", somchai)).content.decode().strip() == ""
        assert client.post(url("answer", somchai, pair.pk), {"answer": "same"}).status_code == 404
        assert not MatchLabel.objects.exists()

    def test_what_waits_for_stewards_or_is_one_already_is_not_asked(
        self, somchai: Profile, twin: Profile, pair: ReviewPair, agent: User, steward: User
    ) -> None:
        ReviewPair.objects.update(asks_at_call=False)
        assert calls.question(somchai, by=agent) is None
        ReviewPair.objects.update(asks_at_call=True)
        merging.merge(profiles=[somchai, twin], by=steward, reason="the same")
        assert calls.question(somchai, by=agent) is None

    def test_who_may_not_edit_customers_is_not_asked(
        self, somchai: Profile, pair: ReviewPair, login: Login, marketer: User, outsider: User
    ) -> None:
        for user in (marketer, outsider):
            client = login(user)
            assert client.get(url("question", somchai)).status_code == 404
            assert client.post(url("answer", somchai, pair.pk), {"answer": "same"}).status_code == 404
            assert client.post(url("unanswer", somchai, 1)).status_code == 404
        page = login(marketer).get(url("customer", somchai)).content.decode()
        assert url("question", somchai) not in page


class TestAnswer:
    def test_yes_brings_the_pair_back_to_the_front_of_the_review_and_merges_nothing(
        self, somchai: Profile, twin: Profile, pair: ReviewPair, login: Login, agent: User, steward: User
    ) -> None:
        labels.give(pair=pair, verdict="unsure", by=steward, origin="queue", comment="call")
        response = login(agent).post(url("answer", somchai, pair.pk), {"answer": "same"})
        assert response.url == url("customer", somchai)
        label = MatchLabel.objects.get(by=agent)
        assert (label.verdict, label.origin, label.score) == ("same", "call", 0.7)
        pair.refresh_from_db()
        assert (pair.state, pair.asks_at_call, pair.is_flagged) == ("waiting", False, True)
        assert [one.pk for one in review.claim(by=steward, most=1, order=review.Order.WORTH)] == [pair.pk]
        twin.refresh_from_db()
        assert twin.state == Profile.State.LIVE
        assert not LinkDecision.objects.filter(kind="steward").exists()
        event = AuditEvent.objects.get(action="match.call_answer")
        assert (event.actor, event.fields) == (f"user:{agent.pk}", ["verdict"])

    def test_no_settles_the_pair_and_can_be_taken_back(
        self, somchai: Profile, pair: ReviewPair, login: Login, agent: User
    ) -> None:
        client = login(agent)
        response = client.post(url("answer", somchai, pair.pk), {"answer": "different"}, headers=HTMX)
        assert "Thank you" in response.content.decode()
        assert "question-title" not in response.content.decode()
        (message,) = get_messages(response.wsgi_request)
        pair.refresh_from_db()
        assert (pair.state, pair.asks_at_call) == ("settled", False)
        assert pair.settled_at is not None
        assert calls.question(somchai, by=agent) is None
        client.post(message.extra_tags)
        pair.refresh_from_db()
        assert (pair.state, pair.asks_at_call, pair.settled_at) == ("waiting", True, None)
        assert MatchLabel.objects.get().undone_at is not None

    def test_no_answer_gives_the_pair_back_to_the_review(
        self, somchai: Profile, pair: ReviewPair, login: Login, agent: User
    ) -> None:
        login(agent).post(url("answer", somchai, pair.pk), {"answer": "unsure"})
        pair.refresh_from_db()
        assert (pair.state, pair.asks_at_call, pair.is_flagged) == ("waiting", False, False)
        assert MatchLabel.objects.get().verdict == "unsure"

    def test_later_keeps_the_question_for_another_call(
        self,
        somchai: Profile,
        pair: ReviewPair,
        login: Login,
        agent: User,
        make_user: Callable[..., User],
        care: Department,
    ) -> None:
        client = login(agent)
        client.post(url("answer", somchai, pair.pk), {"answer": "later"})
        assert client.get(url("question", somchai)).content.decode().strip() == ""
        colleague = login(make_user("agent", care, "colleague"))
        assert "question-title" in colleague.get(url("question", somchai)).content.decode()
        assert not MatchLabel.objects.exists()

    def test_it_is_answered_once(self, somchai: Profile, pair: ReviewPair, agent: User, steward: User) -> None:
        calls.answer(profile=somchai, pair_id=pair.pk, verdict="same", by=agent)
        with pytest.raises(ConflictProblem):
            calls.answer(profile=somchai, pair_id=pair.pk, verdict="different", by=steward)

    def test_an_unknown_answer_or_a_question_about_somebody_else_is_nothing(
        self, somchai: Profile, manee: Profile, pair: ReviewPair, as_steward: Client
    ) -> None:
        assert as_steward.post(url("answer", somchai, pair.pk), {"answer": "perhaps"}).status_code == 404
        assert as_steward.post(url("answer", manee, pair.pk), {"answer": "same"}).status_code == 404
        assert as_steward.post(url("answer", somchai, 0), {"answer": "same"}).status_code == 404

    def test_nobody_takes_back_anothers_answer_or_one_that_a_steward_has_acted_on(
        self, somchai: Profile, pair: ReviewPair, login: Login, agent: User, steward: User, as_steward: Client
    ) -> None:
        label = calls.answer(profile=somchai, pair_id=pair.pk, verdict="same", by=agent)
        assert as_steward.post(url("unanswer", somchai, label.pk)).status_code == 404
        labels.give(pair=pair, verdict="same", by=steward, origin="queue")
        assert login(agent).post(url("unanswer", somchai, label.pk)).status_code == 409

    def test_a_record_that_goes_takes_its_question_along(self, somchai: Profile, pair: ReviewPair, agent: User) -> None:
        assert SourceRecord.objects.filter(pk__in=[pair.record_a_id, pair.record_b_id]).count() == 2
        Profile.objects.filter(pk__in=review.owners([pair.record_a_id, pair.record_b_id]).values()).exclude(
            pk=somchai.pk
        ).update(state=Profile.State.ERASING)
        assert calls.question(somchai, by=agent) is None
