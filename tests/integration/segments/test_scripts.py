"""Agent scripts: one for each customer, with its why, written and ranked by marketers."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from cdp_site.core.access import EVERYTHING, scope_of
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import AccessLogEntry, AuditEvent, User
from ingestion.models import Source
from profiles.models import EventType, Profile
from segments.models import Script, ScriptVersion, Segment
from segments.scripts import authoring, choosing
from tests.customers import LATELY, Tell, identify, profile_of, track
from tests.integration.segments.conftest import Login, viewed_red

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
Make = Callable[..., Segment]


def written(segment: Segment, by: User, **words: Any) -> Script:
    told = {"text": "", "text_th": "เสนอรองเท้าแดงลดราคา", "is_active": True, "seen": 0} | words
    return authoring.write(segment=segment, by=by, **told)


@pytest.fixture
def caller(tell: Tell, pos: Source) -> Profile:
    """Has looked at something red, in a source that everybody sees."""
    tell(pos, identify("P5", firstName="ปิติ", lastName="ชูใจ", phone="0819876543"))
    tell(pos, track("P5", "Product Viewed", color="red", name="รองเท้าแดง", price=990))
    return profile_of(pos, "P5")


def in_trang() -> dict[str, Any]:
    return {"kind": "attribute", "trait": "province", "operator": "is", "value": "ตรัง"}


@pytest.mark.usefixtures("caller")  # a definition names what has been seen
class TestWriting:
    def test_each_change_of_words_is_a_version(self, make_segment: Make, marketer: User) -> None:
        segment = make_segment()
        script = written(segment, marketer)
        script = written(segment, marketer, text="Offer red shoes", seen=1)
        script = written(segment, marketer, text="Offer red shoes", is_active=False, seen=2)
        assert (script.version, script.is_active, script.changed_by) == (2, False, marketer)
        assert list(ScriptVersion.objects.order_by("version").values_list("version", "text")) == [
            (1, ""),
            (2, "Offer red shoes"),
        ]
        events = AuditEvent.objects.filter(action="script.write").order_by("pk")
        assert [event.fields for event in events] == [["is_active", "text", "text_th"], ["text"], ["is_active"]]

    def test_the_same_words_are_no_change(self, make_segment: Make, marketer: User) -> None:
        segment = make_segment()
        written(segment, marketer)
        written(segment, marketer, seen=1)
        assert ScriptVersion.objects.count() == 1
        assert AuditEvent.objects.filter(action="script.write").count() == 1

    def test_it_needs_words_in_one_language(self, make_segment: Make, marketer: User) -> None:
        with pytest.raises(MendableError):
            written(make_segment(), marketer, text_th=" ")

    def test_a_colleague_s_words_are_never_overwritten_unseen(self, make_segment: Make, marketer: User) -> None:
        segment = make_segment()
        written(segment, marketer)
        for seen in (0, 2):
            with pytest.raises(ConflictProblem):
                written(segment, marketer, text="Mine", seen=seen)
        assert Script.objects.get().text == ""

    def test_moving_keeps_one_order(self, make_segment: Make, marketer: User) -> None:
        first, second, third = (written(make_segment(name=name), marketer) for name in "abc")
        authoring.move(script=third, up=True, by=marketer)
        authoring.move(script=first, up=True, by=marketer)
        authoring.move(script=second, up=False, by=marketer)
        authoring.move(script=first, up=False, by=marketer)
        assert list(Script.objects.ranked()) == [third, first, second]
        assert AuditEvent.objects.filter(action="script.move").count() == 2

    def test_it_goes_with_its_segment(self, make_segment: Make, marketer: User) -> None:
        script = written(make_segment(), marketer)
        script.segment.delete()
        assert not ScriptVersion.objects.exists()

    def test_in_the_reader_s_language_or_else_in_the_other(self) -> None:
        both, thai = Script(text="Hello", text_th="สวัสดี"), Script(text_th="สวัสดี")
        assert (both.words, both.language, thai.words, thai.language) == ("Hello", "en", "สวัสดี", "th")
        with translation.override("th"):
            assert (both.words, both.language) == ("สวัสดี", "th")


class TestChoosing:
    def test_the_first_rank_of_the_segments_that_hold(
        self, caller: Profile, make_segment: Make, marketer: User
    ) -> None:
        elsewhere, low, high = (
            written(make_segment(condition, name=name), marketer)
            for name, condition in (("Trang", in_trang()), ("Red", viewed_red()), ("Reddest", viewed_red()))
        )
        authoring.move(script=high, up=True, by=marketer)
        chosen = choosing.best(caller, EVERYTHING)
        assert chosen is not None
        assert chosen.script == high
        assert chosen.passed_over == [low.segment]
        assert "viewed a product" in chosen.sentence
        assert elsewhere.segment not in chosen.passed_over

    def test_one_that_is_switched_off_is_not_said(self, caller: Profile, make_segment: Make, marketer: User) -> None:
        written(make_segment(), marketer, is_active=False)
        assert choosing.best(caller, EVERYTHING) is None

    def test_a_segment_on_what_the_reader_does_not_see_gives_no_script(
        self, caller: Profile, make_segment: Make, marketer: User, agent: User
    ) -> None:
        written(make_segment(), marketer)
        assert choosing.best(caller, scope_of(agent)) is not None
        EventType.objects.filter(name="Product Viewed").update(department=marketer.department)
        del agent._scope  # type: ignore[attr-defined]
        assert choosing.best(caller, scope_of(agent)) is None

    def test_touchpoints_of_another_department_s_source_do_not_count(
        self, viewers: None, make_segment: Make, marketer: User, agent: User, web_shop: Source
    ) -> None:
        written(make_segment(), marketer)
        person = profile_of(web_shop, "v1")
        assert choosing.best(person, scope_of(marketer)) is not None
        assert choosing.best(person, scope_of(agent)) is None


class TestThePanel:
    def test_shows_one_script_and_why_to_an_agent_of_another_department(
        self, caller: Profile, make_segment: Make, marketer: User, agent: User, login: Login
    ) -> None:
        script = written(make_segment(name="Red lovers"), marketer, text="<b>Offer</b>")
        client = login(agent)
        page = client.get(reverse("segments:script_of_profile", args=[caller.public_id]), headers=HTMX)
        text = page.content.decode()
        assert "&lt;b&gt;Offer&lt;/b&gt;" in text
        assert "Red lovers" in text
        why = client.get(reverse("segments:script_why", args=[caller.public_id, script.pk]), headers=HTMX)
        told = why.content.decode()
        assert "Product Viewed: once" in told
        assert "รองเท้าแดง" in told
        assert {entry.what for entry in AccessLogEntry.objects.all()} == {"profile.script"}
        of = client.get(reverse("segments:of_profile", args=[caller.public_id]), headers=HTMX)
        assert "Red lovers" in of.content.decode()

    def test_other_departments_segments_without_a_script_stay_unnamed(
        self, caller: Profile, make_segment: Make, marketer: User, agent: User, login: Login
    ) -> None:
        make_segment(name="Secret")
        written(make_segment(name="Silent"), marketer, is_active=False)
        page = login(agent).get(reverse("segments:of_profile", args=[caller.public_id]), headers=HTMX).content.decode()
        assert "Secret" not in page
        assert "Silent" not in page

    def test_the_segments_of_an_earlier_day(
        self, tell: Tell, pos: Source, make_segment: Make, marketer: User, agent: User, login: Login
    ) -> None:
        with time_machine.travel(LATELY, tick=False):
            tell(pos, identify("P8", firstName="ชูใจ", lastName="เลิศล้ำ", phone="0819876544"))
            tell(pos, track("P8", "Product Viewed", color="red"))
        person = profile_of(pos, "P8")
        in_two_days = {**viewed_red(), "window": {"kind": "rolling", "n": 2, "unit": "days"}}
        written(make_segment(in_two_days, name="Red in two days"), marketer)
        client, path = login(agent), reverse("segments:of_profile", args=[person.public_id])

        def names_it(day: str) -> bool:
            return "Red in two days" in client.get(path, {"as_of": day}, headers=HTMX).content.decode()

        assert [names_it(day) for day in ("2026-10-31", "2026-11-01", "2026-11-02", "2026-11-04", "")] == [
            False,
            True,
            True,
            False,
            False,
        ]

    def test_says_that_there_is_none(self, caller: Profile, agent: User, login: Login) -> None:
        path = reverse("segments:script_of_profile", args=[caller.public_id])
        assert "No script is written" in login(agent).get(path, headers=HTMX).content.decode()
        assert "<h1" in login(agent).get(path).content.decode()

    def test_six_queries_at_most_beside_login_scope_and_transactions(
        self, caller: Profile, make_segment: Make, marketer: User, agent: User, login: Login
    ) -> None:
        for name in "abc":
            written(make_segment(viewed_red(), in_trang(), name=name), marketer)
        client = login(agent)
        for name in ("segments:script_of_profile", "segments:of_profile"):
            path = reverse(name, args=[caller.public_id])
            with CaptureQueriesContext(connection) as queries:
                client.get(path, headers=HTMX)
            own = [one["sql"] for one in queries if is_own(one["sql"])]
            assert len(own) <= 6, own

    def test_outsiders_find_nothing(
        self, caller: Profile, make_segment: Make, marketer: User, outsider: User, analyst: User, login: Login
    ) -> None:
        script = written(make_segment(), marketer)
        for user in (outsider, analyst):
            for path in (
                reverse("segments:script_of_profile", args=[caller.public_id]),
                reverse("segments:script_why", args=[caller.public_id, script.pk]),
            ):
                assert login(user).get(path).status_code == 404


_NOT_OWN = ("django_session", '"core_user"."id" =', "SAVEPOINT", "statement_timeout", "guardian_", "core_knowndevice")


def is_own(statement: str) -> bool:
    """Not the login, the scope or the marks of a transaction."""
    return not any(mark in statement for mark in _NOT_OWN)


@pytest.mark.usefixtures("caller")
class TestThePages:
    def test_a_marketer_writes_and_ranks(self, make_segment: Make, marketer: User, login: Login) -> None:
        client, segment = login(marketer), make_segment(name="Red")
        other = written(make_segment(name="Blue"), marketer)
        assert "Segments without a script" in client.get(reverse("segments:scripts")).content.decode()
        told = {"text_th": "สวัสดี", "text": "Hello", "is_active": "on", "seen": 0}
        response = client.post(reverse("segments:script", args=[segment.pk]), told)
        assert response.url == reverse("segments:scripts")
        script = Script.objects.get(segment=segment)
        client.post(reverse("segments:move_script", args=[script.pk]), {"direction": "up"})
        assert list(Script.objects.ranked()) == [script, other]
        page = client.get(reverse("segments:scripts")).content.decode()
        assert page.index("Red") < page.index("Blue")

    def test_what_a_colleague_wrote_meanwhile_stands_beside_the_own_words(
        self, make_segment: Make, marketer: User, login: Login
    ) -> None:
        segment = make_segment()
        written(segment, marketer, text_th="ของเพื่อน")
        told = {"text_th": "ของฉัน", "text": "", "is_active": "on", "seen": 0}
        response = login(marketer).post(reverse("segments:script", args=[segment.pk]), told)
        page = response.content.decode()
        assert response.status_code == 422
        assert "A colleague has just changed this script." in page
        assert "ของเพื่อน" in page
        assert "ของฉัน" in page
        assert 'name="seen" value="1"' in page

    @pytest.mark.parametrize("told", [{}, {"text": " ", "seen": 0}, {"text": "x" * 2001, "seen": 0}])
    def test_what_cannot_be_kept_comes_back(
        self, told: dict[str, Any], make_segment: Make, marketer: User, login: Login
    ) -> None:
        response = login(marketer).post(reverse("segments:script", args=[make_segment().pk]), told)
        assert response.status_code in (200, 422)
        assert not Script.objects.exists()

    def test_an_analyst_reads_and_others_find_nothing(
        self,
        make_segment: Make,
        make_user: Callable[..., User],
        marketer: User,
        analyst: User,
        agent: User,
        outsider: User,
        login: Login,
        care: Any,
    ) -> None:
        script = written(make_segment(name="Red"), marketer)
        page = login(analyst).get(reverse("segments:scripts")).content.decode()
        assert "Red" in page
        assert "Up: Red" not in page
        edit = reverse("segments:script", args=[script.segment_id])
        move = reverse("segments:move_script", args=[script.pk])
        of_care = make_user("marketer", care, "marketer of care")
        for user in (analyst, agent, outsider, of_care):
            assert login(user).get(edit).status_code == 404
            assert login(user).post(edit, {"text": "x", "seen": 1}).status_code == 404
            assert login(user).post(move, {"direction": "up"}).status_code == 404
        for user in (agent, outsider):
            assert login(user).get(reverse("segments:scripts")).status_code == 404
        assert "Red" not in login(of_care).get(reverse("segments:scripts")).content.decode()
