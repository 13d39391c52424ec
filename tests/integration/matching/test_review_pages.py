"""The pages of the review: who may open them, what they show and hide, what an answer brings."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from cdp_site.core.models import AccessLogEntry, Role, User
from ingestion.models import Source
from profiles.matching import labels, review
from profiles.models import MatchLabel, ReviewPair, SourceRecord
from tests.factories.arrivals import arrive, row
from tests.factories.matching import activate

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]
Ask = Callable[..., ReviewPair]
Addresses = dict[str, tuple[object, ...]]
HTMX = {"HX-Request": "true"}
EVIDENCE = {"prior": -3.0, "fields": [["names", 4.0], ["birth_dates", 2.5]]}


@pytest.fixture
def ask(pos: Source) -> Ask:
    """Two customers, สมชาย and Somchai, and the question whether they are one."""

    def make(**fields: Any) -> ReviewPair:
        n = SourceRecord.objects.count()
        arrive(
            pos,
            row(f"P{n}", first_name="สมชาย", last_name="ใจดี", birth_date="1990-05-17", phone="086-345-1972"),
            row(f"P{n + 1}", first_name="Somchai", last_name="Jaidee", birth_date="1990-05-11", city="Trang"),
        )
        a, b = (SourceRecord.objects.get(external_id=f"P{n + m}") for m in range(2))
        given = {"reason": ReviewPair.Reason.BAND, "score": 0.83, "evidence": EVIDENCE, **fields}
        return ReviewPair.objects.create(record_a=a, record_b=b, **given)

    return make


def decide_url(pair: ReviewPair) -> str:
    return reverse("profiles:review_decide", args=[pair.pk])


def get(client: Client, name: str, *args: object, **headers: str) -> str:
    answer = client.get(reverse(f"profiles:{name}", args=args), headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


class TestWhoMay:
    @pytest.mark.parametrize("name", ["outsider", "agent", "marketer", "analyst", "admin", "compliance"])
    def test_nobody_else_gets_in(self, login: Login, ask: Ask, request: pytest.FixtureRequest, name: str) -> None:
        pair = ask()
        client = login(request.getfixturevalue(name))
        read: Addresses = {
            "matching": (),
            "review": (),
            "review_count": (),
            "review_many": (),
            "review_effects": (pair.pk,),
        }
        written: Addresses = {
            "review_decide": (pair.pk,),
            "review_undo": (),
            "review_undo_pair": (pair.pk,),
            "review_change": (1,),
            "review_take_back": (1,),
            "review_many": (),
            "review_undo_many": (UUID(int=7),),
        }
        for address, args in read.items():
            assert client.get(reverse(f"profiles:{address}", args=args)).status_code == 404
        for address, args in written.items():
            assert client.post(reverse(f"profiles:{address}", args=args), {"verdict": "same"}).status_code == 404
        assert not MatchLabel.objects.exists()

    def test_who_was_shown_a_customer_is_written_down(self, login: Login, ask: Ask, steward: User) -> None:
        ask()
        get(login(steward), "review")
        assert AccessLogEntry.objects.filter(what="profile.compare").count() == 2


class TestQueue:
    def test_the_navigation_leads_to_the_review(self, login: Login, steward: User) -> None:
        entered = login(steward).get(reverse("profiles:matching"))
        assert entered.headers["Location"] == reverse("profiles:review")

    def test_says_when_nothing_waits(self, login: Login, steward: User) -> None:
        client = login(steward)
        assert "Nothing to be reviewed yet" in get(client, "review")
        assert get(client, "review_count").strip() == ""
        activate()
        assert "Nothing to be reviewed yet" not in get(client, "review")

    def test_without_a_model_questions_are_what_is_answered(self, login: Login, ask: Ask, steward: User) -> None:
        ask(reason=ReviewPair.Reason.TRAINING)
        client = login(steward)
        assert "No model is in use yet" in get(client, "review")
        assert "1 pair to be reviewed" in get(client, "review_count")

    def test_shows_two_records_side_by_side(self, login: Login, ask: Ask, steward: User) -> None:
        ask()
        page = " ".join(get(login(steward), "review").split())
        assert "สมชาย ใจดี" in page
        assert "Somchai J" in page
        assert "<mark>" in page  # 17 and 11 May
        assert 'as it came: <span class="mono">086-345-1972</span>' in page
        assert "83.0 %" in page
        assert "Before anything is compared" in page

    def test_a_pair_that_measures_is_shown_without_a_hint(self, login: Login, ask: Ask, steward: User) -> None:
        pair = ask(reason=ReviewPair.Reason.HELD_OUT, is_held_out=True)
        client = login(steward)
        page = get(client, "review")
        assert "without a hint" in page
        assert "83.0 %" not in page
        assert "Before anything is compared" not in page
        assert reverse("profiles:review_effects", args=[pair.pk]) not in page
        assert client.get(reverse("profiles:review_effects", args=[pair.pk])).status_code == 404

    def test_says_what_the_customer_answered_at_a_call(
        self, login: Login, ask: Ask, steward: User, agent: User
    ) -> None:
        pair = ask()
        labels.give(pair=pair, verdict="same", by=agent, origin=MatchLabel.Origin.CALL)
        page = get(login(steward), "review")
        assert "The customer was asked at a call" in page
        assert ": same person." in page
        ReviewPair.objects.update(is_held_out=True)
        assert "The customer was asked at a call" not in get(login(steward), "review")

    def test_the_order_is_remembered(self, login: Login, ask: Ask, steward: User) -> None:
        sure, even = ask(score=0.99, worth=9), ask(score=0.5, worth=1)
        client = login(steward)
        for address, first in (
            (reverse("profiles:review"), sure),
            (reverse("profiles:review") + "?order=uncertain", even),
        ):
            page = client.get(address).content.decode()
            assert page.index(f'data-pair="{first.pk}"') == page.index("data-pair=")
        page = get(client, "review")
        assert page.index(f'data-pair="{even.pk}"') == page.index("data-pair=")


class TestAnswers:
    def test_a_decision_brings_the_next_pairs(self, login: Login, ask: Ask, steward: User) -> None:
        pairs = [ask(worth=20 - n) for n in range(8)]
        client = login(steward)
        page = get(client, "review")
        assert [f'data-pair="{pair.pk}"' in page for pair in pairs] == [True] * 6 + [False] * 2
        data = {"verdict": "different", "held": [pair.pk for pair in pairs[1:6]]}
        answer = client.post(decide_url(pairs[0]), data, headers=HTMX).content.decode()
        assert [f'data-pair="{pair.pk}"' in answer for pair in pairs] == [False] * 6 + [True, False]
        assert 'id="review-progress"' in answer
        assert "different people" in answer

    def test_without_a_script_the_queue_comes_back(self, login: Login, ask: Ask, steward: User) -> None:
        answer = login(steward).post(decide_url(ask()), {"verdict": "related"})
        assert answer.headers["Location"] == reverse("profiles:review")

    @pytest.mark.parametrize(("button", "field"), [("flag", "is_flagged"), ("call", "asks_at_call")])
    def test_who_cannot_tell_may_ask(self, login: Login, ask: Ask, steward: User, button: str, field: str) -> None:
        pair = ask()
        login(steward).post(decide_url(pair), {"verdict": button}, headers=HTMX)
        pair.refresh_from_db()
        assert getattr(pair, field)
        assert MatchLabel.objects.get().verdict == "unsure"

    def test_an_unknown_verdict_is_none(self, login: Login, ask: Ask, steward: User) -> None:
        assert login(steward).post(decide_url(ask()), {"verdict": "perhaps"}).status_code == 404

    def test_what_is_no_id_is_passed_over(self, login: Login, ask: Ask, steward: User) -> None:
        pair, other = ask(worth=2), ask(worth=1)
        data = {"verdict": "unsure", "held": ["9" * 19, "9" * 40, "-1", "x", ""]}
        answer = login(steward).post(decide_url(pair), data, headers=HTMX)
        assert f'data-pair="{other.pk}"' in answer.content.decode()

    def test_undo_brings_the_pair_back(self, login: Login, ask: Ask, steward: User) -> None:
        pair = ask()
        client = login(steward)
        early = client.post(reverse("profiles:review_undo"), headers=HTMX)
        assert early.status_code == 409
        assert "There is no decision of yours" in early.content.decode()
        client.post(decide_url(pair), {"verdict": "same"}, headers=HTMX)
        answer = client.post(reverse("profiles:review_undo"), headers=HTMX).content.decode()
        assert f'data-pair="{pair.pk}" data-back' in answer
        client.post(decide_url(pair), {"verdict": "same"}, headers=HTMX)
        shown_already = {"held": [pair.pk]}
        undone = client.post(reverse("profiles:review_undo_pair", args=[pair.pk]), shown_already, headers=HTMX)
        assert "data-pair" not in undone.content.decode()
        assert not MatchLabel.objects.filter(undone_at=None).exists()

    def test_an_earlier_decision_is_changed(self, login: Login, ask: Ask, steward: User) -> None:
        pair, client = ask(), login(steward)
        client.post(decide_url(pair), {"verdict": "same"}, headers=HTMX)
        label = MatchLabel.objects.get()
        answer = client.post(reverse("profiles:review_change", args=[label.pk]), {"verdict": "related"}, headers=HTMX)
        assert "related, not the same" in answer.content.decode()
        assert MatchLabel.objects.get(undone_at=None).verdict == "related"
        last = MatchLabel.objects.get(undone_at=None)
        answer = client.post(reverse("profiles:review_take_back", args=[last.pk]), headers=HTMX)
        assert f'data-pair="{pair.pk}" data-back' in answer.content.decode()

    def test_a_colleagues_pair_is_refused_with_its_reason(
        self, login: Login, ask: Ask, steward: User, make_user: Callable[..., User]
    ) -> None:
        pair = ask()
        review.claim(by=make_user(Role.STEWARD, name="colleague"), most=1, order=review.Order.WORTH)
        answer = login(steward).post(decide_url(pair), {"verdict": "same"}, headers=HTMX)
        assert answer.status_code == 409
        assert "A colleague is looking at this pair." in answer.content.decode()

    def test_foresees_what_a_merge_would_change(
        self, login: Login, ask: Ask, steward: User, settings: Settings
    ) -> None:
        pair, client = ask(), login(steward)
        page = get(client, "review_effects", pair.pk)
        assert "2 customers become 1" in page
        assert "this question" in page
        assert "83 %" in page
        assert "waits for another person" not in page
        settings.MATCH_RECORDS_FOR_ONE_PERSON = 1
        assert "waits for another person" in get(client, "review_effects", pair.pk)
        client.post(decide_url(pair), {"verdict": "same"}, headers=HTMX)


class TestMany:
    def test_shows_a_sample_merges_and_takes_back(self, login: Login, ask: Ask, steward: User) -> None:
        sure, doubtful = ask(score=0.99), ask(score=0.7)
        client = login(steward)
        address = reverse("profiles:review_many")
        page = client.get(address, {"percent": "98"}).content.decode()
        assert "Merge 1 pair" in page
        assert "2 customers become 1" in " ".join(page.split())
        merged = client.post(address, {"percent": "98", "upto": doubtful.pk}, follow=True)
        assert "1 pair at once" in merged.content.decode()
        assert [pair.state for pair in ReviewPair.objects.order_by("pk")] == ["settled", "waiting"]
        operation = MatchLabel.objects.get(record_a=sure.record_a).operation_id
        client.post(reverse("profiles:review_undo_many", args=[operation]))
        assert [pair.state for pair in ReviewPair.objects.order_by("pk")] == ["waiting", "waiting"]

    def test_says_what_is_wrong(self, login: Login, steward: User) -> None:
        client, address = login(steward), reverse("profiles:review_many")
        assert client.get(address, {"percent": "20"}).status_code == 422
        assert "No such pairs" in client.get(address, {"percent": "98"}).content.decode()
        assert client.post(address, {"percent": "98", "upto": 7}).status_code == 400
