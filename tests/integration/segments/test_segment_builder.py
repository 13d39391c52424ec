"""Writing a segment: drafts, the live number, saving, versions, suggestions."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.urls import reverse

from cdp_site.core.models import AccessLogEntry, AuditEvent, User
from ingestion.models import Alert, Source
from profiles.models import EventType
from segments import audience, estimate, reaching, shelving
from segments.builder import beginnings
from segments.definition.parse import parse
from segments.models import Segment, SegmentDraft, SegmentVersion
from tests.customers import LATELY, Tell, identify, track
from tests.integration.segments.conftest import Login, posted, viewed_red, whole

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def fresh_samples(db: None) -> None:
    """What was learnt from the samples of another test is no longer true."""
    cache.clear()


def address(name: str, *args: object) -> str:
    return reverse(f"segments:{name}", args=args)


def form(*conditions: dict[str, Any], **said: str) -> dict[str, str]:
    return {"name": "Red", "description": "", **said} | posted(whole(*conditions)["where"])


def text(response: Any) -> str:
    return str(response.content.decode())


class TestSaving:
    def test_writes_a_segment_in_version_1_with_its_audit(self, viewers: None, login: Login, marketer: User) -> None:
        answer = login(marketer).post(address("create"), form(viewed_red()), headers=HTMX)

        segment = Segment.objects.get()
        assert answer.headers["HX-Redirect"] == address("segment", segment.pk)
        assert segment.definition == whole(viewed_red())
        assert segment.department == marketer.department
        assert [(one.version, one.definition) for one in segment.versions.all()] == [(1, whole(viewed_red()))]
        event = AuditEvent.objects.get(action="segment.create")
        assert event.fields == ["definition", "department", "name"]

    def test_without_htmx_it_redirects(self, viewers: None, login: Login, marketer: User) -> None:
        answer = login(marketer).post(address("create"), form(viewed_red(), for_everybody="on"))

        assert answer.status_code == 302
        assert Segment.objects.get().department is None

    def test_problems_come_back_as_the_form_with_422_each_at_its_place(
        self, viewers: None, login: Login, marketer: User
    ) -> None:
        wrong = {**viewed_red(), "count": {"bound": "at_least", "n": "many"}}

        answer = login(marketer).post(address("create"), form(wrong, {"kind": "attribute"}, name=""), headers=HTMX)

        page = text(answer)
        assert answer.status_code == 422
        assert "<html" not in page
        assert "This field is required." in page
        assert page.count("A whole number is expected here.") == 2  # above, and at the condition
        assert page.count("Nothing is chosen here.") == 2
        assert 'aria-invalid="true"' in page
        assert not Segment.objects.exists()

    def test_what_another_tab_has_saved_meanwhile_is_not_written_over_unasked(
        self, viewers: None, login: Login, make_segment: Callable[..., Segment], marketer: User
    ) -> None:
        segment, client = make_segment(), login(marketer)
        url = address("change", segment.pk)

        def seen_in(answer: Any) -> str:
            return re.findall(r'name="seen" value="([0-9a-f]+)"', text(answer))[0]

        both = seen_in(client.get(url))
        client.post(url, form(viewed_red(2), seen=both))
        late = client.post(url, form(viewed_red(9), seen=both, name=""), headers=HTMX)
        late = client.post(url, form(viewed_red(9), seen=seen_in(late)), headers=HTMX)

        assert late.status_code == 422
        assert "Somebody has saved this since you opened it." in text(late)
        assert address("segment", segment.pk) in text(late)
        segment.refresh_from_db()
        assert segment.version == 2
        # They are told of it with each edit, too, and when they come back to what they wrote; then they may go on.
        edited = client.post(address("draft") + f"?segment={segment.pk}", form(viewed_red(9), seen=both), headers=HTMX)
        assert "Somebody has saved this since you opened it." in text(edited)
        reopened = text(client.get(address("open_draft", SegmentDraft.objects.get().pk)))
        assert "The segment has version 2 since this draft was begun" in reopened
        assert client.post(url, form(viewed_red(9), seen=seen_in(late))).status_code == 302
        segment.refresh_from_db()
        assert segment.version == 3

    def test_an_archived_segment_says_why_it_is_not_saved(
        self, viewers: None, login: Login, make_segment: Callable[..., Segment], marketer: User
    ) -> None:
        segment = make_segment()
        shelving.archive(segment=segment, by=marketer)

        answer = login(marketer).post(address("change", segment.pk), form(viewed_red(2)), headers=HTMX)

        assert answer.status_code == 422
        assert "This segment is archived." in text(answer)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("/where/of/0/filters/0/value", "r\x00ed"),
            ("/where/of/0/\x00", "red"),
            ("name", "R\x00ed"),
            (f"/where/of/{'9' * 5000}/kind", "attribute"),
            ("/where/of/٣/kind", "attribute"),
        ],
    )
    @pytest.mark.parametrize("route", ["draft", "create", "summary"])
    def test_no_text_breaks_it(
        self, viewers: None, login: Login, marketer: User, route: str, name: str, value: str
    ) -> None:
        sent = urlencode(form(viewed_red()) | {name: value})  # as a browser sends it

        answer = login(marketer).post(
            address(route), sent, content_type="application/x-www-form-urlencoded", headers=HTMX
        )

        assert "HX-Redirect" in answer or answer.status_code in (200, 422)

    def test_an_empty_definition_is_not_saved(self, viewers: None, login: Login, marketer: User) -> None:
        answer = login(marketer).post(address("create"), {"name": "x", "/where/kind": "all"}, headers=HTMX)

        assert answer.status_code == 422
        assert "This group holds no condition." in text(answer)

    def test_a_name_is_taken_once_per_department(
        self, viewers: None, make_segment: Callable[..., Segment], login: Login, marketer: User
    ) -> None:
        make_segment(name="Red", department=None)
        client = login(marketer)

        taken = client.post(address("create"), form(viewed_red(), for_everybody="on"), headers=HTMX)
        free = client.post(address("create"), form(viewed_red()), headers=HTMX)

        assert taken.status_code == 422
        assert "There is a segment of this name already." in text(taken)
        assert "HX-Redirect" in free.headers

    def test_another_definition_is_a_new_version(
        self, viewers: None, make_segment: Callable[..., Segment], login: Login, marketer: User
    ) -> None:
        segment = make_segment()
        client = login(marketer)

        client.post(address("change", segment.pk), form(viewed_red(), name="Redder"))
        client.post(address("change", segment.pk), form(viewed_red(2), name="Redder"))

        segment.refresh_from_db()
        assert (segment.name, segment.version, segment.definition) == ("Redder", 2, whole(viewed_red(2)))
        assert list(SegmentVersion.objects.order_by("version").values_list("definition", flat=True)) == [
            whole(viewed_red()),
            whole(viewed_red(2)),
        ]
        changed = AuditEvent.objects.filter(action="segment.change").order_by("pk")
        assert [event.fields for event in changed] == [["name"], ["definition"]]

    def test_segments_that_would_ask_for_each_other_are_told_at_the_place(
        self, viewers: None, make_segment: Callable[..., Segment], login: Login, marketer: User
    ) -> None:
        inner = make_segment(name="Inner")
        outer = make_segment({"kind": "segment", "segment": str(inner.pk), "is_in": True}, name="Outer")
        circle = {"kind": "segment", "segment": str(outer.pk), "is_in": True}
        client = login(marketer)

        drawn = text(client.post(address("draft") + f"?segment={inner.pk}", form(circle), headers=HTMX))
        saved = client.post(address("change", inner.pk), form(circle), headers=HTMX)

        assert "Inner → Outer → Inner" in drawn
        assert saved.status_code == 422
        assert "Inner → Outer → Inner" in text(saved)

    def test_what_was_saved_stays_valid_when_its_property_is_no_longer_seen(
        self, viewers: None, make_segment: Callable[..., Segment], login: Login, marketer: User
    ) -> None:
        weight = {**viewed_red(), "filters": [{"property": "weight", "operator": "known"}]}
        client = login(marketer)

        new = client.post(address("create"), form(weight), headers=HTMX)
        assert "There is no property “weight” here." in text(new)

        segment = make_segment()
        Segment.objects.filter(pk=segment.pk).update(definition=whole(weight))
        assert client.post(address("change", segment.pk), form(weight)).status_code == 302

    def test_another_departments_segment_is_not_there(
        self,
        viewers: None,
        make_segment: Callable[..., Segment],
        make_user: Callable[..., User],
        login: Login,
        care: Any,
    ) -> None:
        segment = make_segment()
        other = login(make_user("marketer", care, "other"))

        assert other.get(address("change", segment.pk)).status_code == 404
        assert other.post(address("change", segment.pk), form(viewed_red())).status_code == 404
        assert other.post(address("draft") + f"?segment={segment.pk}", form(viewed_red())).status_code == 404


class TestDraft:
    def test_a_button_adds_a_condition_and_takes_the_reader_to_it(
        self, viewers: None, login: Login, marketer: User
    ) -> None:
        answer = login(marketer).post(
            address("draft"), {"/where/kind": "all", "action": "add-touchpoint /where"}, headers=HTMX
        )

        page = text(answer)
        assert "<html" not in page
        assert 'id="f-where-of-0-event" aria-label="Event"' in page
        assert page.count("data-focus") == 1
        assert "definition:changed" in answer.headers["HX-Trigger-After-Settle"]

    def test_an_event_brings_its_properties(self, viewers: None, login: Login, marketer: User) -> None:
        viewed = {**viewed_red(), "filters": [{"property": "", "operator": "is", "value": ""}]}

        page = text(login(marketer).post(address("draft"), form(viewed), headers=HTMX))

        assert '<option value="color">colour · 100 %</option>' in page
        assert '<option value="price">price · 100 %</option>' in page

    def test_open_points_are_no_mistakes_while_somebody_writes(
        self, viewers: None, login: Login, marketer: User
    ) -> None:
        page = text(login(marketer).post(address("draft"), form({"kind": "attribute"}), headers=HTMX))

        assert "aria-invalid" not in page
        assert "Nothing is chosen" not in page

    def test_choices_say_how_many_people_they_are_about(self, viewers: None, login: Login, marketer: User) -> None:
        page = text(login(marketer).post(address("draft"), form(viewed_red(), {"kind": "attribute"}), headers=HTMX))

        assert ">Product Viewed · 6</option>" in page
        assert 'data-note="6">Province · 6</option>' in page  # one of many: found by typing

    def test_what_a_department_does_not_see_is_counted_for_nobody_there(
        self, viewers: None, make_user: Callable[..., User], login: Login, care: Any, web_shop: Source
    ) -> None:
        Source.objects.filter(pk=web_shop.pk).update(department=None)
        page = text(login(make_user("marketer", care, "carer")).post(address("draft"), form({"kind": "attribute"})))
        assert "Province · 6" in page

        cache.clear()
        Source.objects.filter(pk=web_shop.pk).update(department=web_shop.department)
        page = text(login(make_user("marketer", care, "other")).post(address("draft"), form({"kind": "attribute"})))
        assert "Province" in page
        assert "Province · 6" not in page

    def test_without_htmx_it_is_a_page(self, viewers: None, login: Login, marketer: User) -> None:
        page = text(login(marketer).post(address("draft"), form({"kind": "attribute"}, name="Kept")))

        assert "<html" in page
        assert 'value="Kept"' in page


class TestSummary:
    def test_says_the_number_and_the_sentence(self, viewers: None, login: Login, marketer: User) -> None:
        page = text(login(marketer).post(address("summary"), form(viewed_red())))

        assert "<strong>3</strong> of 6 customers" in page
        assert '<p class="sentence" lang="en">People who viewed a product (colour is “red”).</p>' in page
        assert 'lang="th">ลูกค้าที่ดูสินค้า (สีเป็น “red”)</p>' in page
        assert "Stalest source" in page
        assert "Count exactly" not in page  # it is

    def test_says_beside_each_row_how_many_meet_it_and_which_keeps_most_out(
        self, viewers: None, login: Login, marketer: User
    ) -> None:
        trang = {"kind": "attribute", "trait": "province", "operator": "is", "value": "ตรัง"}

        page = text(login(marketer).post(address("summary"), form(viewed_red(), trang)))

        assert '<span class="row-count secondary" id="r-where-of-0-count" hx-swap-oob="true">3 alone' in page
        assert '<span class="row-count secondary" id="r-where-of-1-count" hx-swap-oob="true">6 alone' in page
        assert page.count("cuts most") == 1

    def test_what_cannot_be_estimated_can_be_counted(
        self, viewers: None, login: Login, marketer: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def stop(question: object) -> None:
            raise audience.TooSlowProblem

        monkeypatch.setattr(estimate, "estimate", stop)
        client = login(marketer)

        page = text(client.post(address("summary"), form(viewed_red())))
        assert "This cannot be estimated in a moment." in page
        assert address("exact") in page

        exact = text(client.post(address("exact"), form(viewed_red())))
        assert "<strong>3</strong> of 6 customers" in exact
        assert "Counted now" in exact

    def test_an_unfinished_draft_has_no_number_of_any_kind(self, login: Login, marketer: User) -> None:
        client = login(marketer)

        for name in ("exact", "reach", "sample"):
            assert "Finish the conditions" in text(client.post(address(name), form({"kind": "attribute"})))

    def test_a_silent_source_is_told(self, viewers: None, login: Login, marketer: User, web_shop: Source) -> None:
        Alert.objects.create(source=web_shop, kind="silent", opened_at=LATELY, value=40.0, threshold=10.0)

        page = text(login(marketer).post(address("summary"), form(viewed_red())))

        assert "Silent" in page
        assert "is missing in the number" in page

    def test_a_silent_source_of_a_segment_that_is_asked_for_is_told_as_well(
        self,
        viewers: None,
        make_segment: Callable[..., Segment],
        login: Login,
        marketer: User,
        web_shop: Source,
    ) -> None:
        Alert.objects.create(source=web_shop, kind="silent", opened_at=LATELY, value=40.0, threshold=10.0)
        outer = make_segment({"kind": "segment", "segment": str(make_segment().pk), "is_in": True}, name="Outer")
        condition = {"kind": "segment", "segment": str(outer.pk), "is_in": False}

        page = text(login(marketer).post(address("summary"), form(condition)))

        assert "Silent" in page
        assert "is missing in the number" in page

    @pytest.mark.parametrize(
        ("conditions", "said"),
        [
            ([], "Add a condition"),
            ([{"kind": "attribute"}], "Finish the conditions"),
            ([{**viewed_red(), "count": {"bound": "at_least", "n": "x"}}], "1 condition needs mending."),
        ],
    )
    def test_says_what_is_still_to_do(
        self, conditions: list[dict[str, Any]], said: str, viewers: None, login: Login, marketer: User
    ) -> None:
        assert said in text(login(marketer).post(address("summary"), form(*conditions)))

    def test_a_hundred_and_one_conditions_are_refused_before_anything_is_counted(
        self, login: Login, marketer: User
    ) -> None:
        consent = {"kind": "consent", "purpose": "marketing", "channel": "email", "state": "never"}

        page = text(login(marketer).post(address("summary"), form(*[consent] * 101)))

        assert "1 condition needs mending." in page


class TestReach:
    def test_says_whom_each_channel_reaches_and_why_not_the_others(
        self, viewers: None, login: Login, marketer: User
    ) -> None:
        page = text(login(marketer).post(address("reach"), form(viewed_red(), reach_purpose="marketing")))

        assert '<option value="marketing" selected>' in page
        assert "The customer refused" in page
        assert "Never asked for consent" in page

    def test_an_unknown_purpose_is_the_first_one(self, viewers: None, login: Login, marketer: User) -> None:
        page = text(login(marketer).post(address("reach"), form(viewed_red(), reach_purpose="world domination")))

        assert page.count(" selected>") == 1

    def test_what_is_too_slow_says_so(
        self, viewers: None, login: Login, marketer: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def stop(question: object, purpose: object) -> None:
            raise audience.TooSlowProblem

        monkeypatch.setattr(reaching, "reach", stop)

        assert "Counting was stopped" in text(login(marketer).post(address("reach"), form(viewed_red())))


class TestSample:
    def test_shows_some_members_masked_and_logs_it(self, viewers: None, login: Login, marketer: User) -> None:
        page = text(login(marketer).post(address("sample"), form(viewed_red())))

        assert [f"มีนา{number}" in page for number in range(1, 7)] == [True] * 3 + [False] * 3
        assert "v1@baansabai.co.th" not in page
        assert AccessLogEntry.objects.filter(what="segment.sample").count() == 3

    def test_nobody_is_nobody(self, viewers: None, login: Login, marketer: User) -> None:
        assert "Nobody is in it now." in text(login(marketer).post(address("sample"), form(viewed_red(9))))

    def test_an_analyst_meets_nobody(self, viewers: None, login: Login, analyst: User) -> None:
        client = login(analyst)

        assert client.post(address("sample"), form(viewed_red())).status_code == 404
        assert address("sample") not in text(client.get(address("create")))
        assert "<strong>3</strong>" in text(client.post(address("summary"), form(viewed_red())))


class TestBeginnings:
    @pytest.mark.parametrize("beginning", beginnings.BEGINNINGS, ids=lambda one: one.key)
    def test_each_opens_as_a_definition_that_reads_well(
        self, beginning: beginnings.Beginning, viewers: None, login: Login, marketer: User
    ) -> None:
        page = text(login(marketer).get(address("create"), {"start": beginning.key}))

        assert str(beginning.name) in page
        assert f'name="start" value="{beginning.key}"' in page
        assert parse(beginning.definition).where.of

    def test_the_gallery_says_what_the_company_has_not_got_yet(
        self, viewers: None, tell: Tell, web_shop: Source, login: Login, marketer: User
    ) -> None:
        EventType.objects.filter(name="Product Added").delete()
        client = login(marketer)
        page = text(client.get(address("create")))
        assert page.count("?start=") == 9
        assert "have not sent all" in page

        tell(web_shop, track("v1", "Order Completed", order_id="o1", total=500, currency="THB", discount=10))
        tell(web_shop, track("v1", "Product Added", sku="A1"), identify("v9", birth_date="1990-11-05"))
        cache.clear()
        assert "have not sent all" not in text(client.get(address("create")))

    def test_an_unknown_one_is_an_empty_form(self, viewers: None, login: Login, marketer: User) -> None:
        assert "Or begin with one of these" in text(login(marketer).get(address("create"), {"start": "x"}))


class TestValues:
    def test_suggests_what_many_have(self, viewers: None, login: Login, marketer: User) -> None:
        client = login(marketer)

        assert '<option value="ตรัง">6</option>' in text(client.get(address("values"), {"trait": "province"}))
        colours = client.get(address("values"), {"event": "Product Viewed", "property": "color"})
        assert text(colours).strip() == ""  # three people are too few to be a group

    def test_suggests_what_was_ordered(self, tell: Tell, web_shop: Source, login: Login, marketer: User) -> None:
        for number in range(6):
            line = {"sku": f"S{number}", "category": "shoes", "price": 100, "quantity": 1}
            bought = track(f"v{number}", "Order Completed", order_id=f"o{number}", currency="THB", products=[line])
            tell(web_shop, identify(f"v{number}", firstName="มานี"), bought)
        client = login(marketer)

        assert '<option value="shoes">6</option>' in text(client.get(address("values"), {"line": "category"}))
        assert text(client.get(address("values"), {"line": "sku"})).strip() == ""  # each bought by one
        assert text(client.get(address("values"), {"line": "price"})).strip() == ""

    def test_never_suggests_addresses_and_what_is_hidden(
        self, tell: Tell, call_centre: Source, login: Login, marketer: User
    ) -> None:
        for number in range(6):
            tell(
                call_centre,
                identify(f"c{number}", firstName="มานี", email=f"m{number}@baansabai.co.th", occupation="ครู"),
            )
        client = login(marketer)

        for trait in ("email", "occupation", "first_name", "unheard_of"):
            assert text(client.get(address("values"), {"trait": trait})).strip() == ""
