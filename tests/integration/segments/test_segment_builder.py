"""Writing a segment: drafts, the live number, saving, versions, suggestions."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse

from cdp_site.core.models import AuditEvent, User
from ingestion.models import Source
from segments.models import Segment, SegmentVersion
from tests.customers import Tell, identify
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

    def test_what_was_saved_stays_valid_when_its_property_is_no_longer_seen(
        self, viewers: None, make_segment: Callable[..., Segment], login: Login, marketer: User
    ) -> None:
        weight = {**viewed_red(), "filters": [{"property": "weight", "operator": "known"}]}
        client = login(marketer)

        new = client.post(address("create"), form(weight), headers=HTMX)
        assert "This event has no property “weight”." in text(new)

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

        assert '<option value="color">colour</option>' in page
        assert '<option value="price">price</option>' in page

    def test_open_points_are_no_mistakes_while_somebody_writes(
        self, viewers: None, login: Login, marketer: User
    ) -> None:
        page = text(login(marketer).post(address("draft"), form({"kind": "attribute"}), headers=HTMX))

        assert "aria-invalid" not in page
        assert "Nothing is chosen" not in page

    def test_without_htmx_it_is_a_page(self, viewers: None, login: Login, marketer: User) -> None:
        page = text(login(marketer).post(address("draft"), form({"kind": "attribute"}, name="Kept")))

        assert "<html" in page
        assert 'value="Kept"' in page


class TestSummary:
    def test_says_the_number_and_the_sentence(self, viewers: None, login: Login, marketer: User) -> None:
        page = text(login(marketer).post(address("summary"), form(viewed_red())))

        assert "<strong>3</strong> of 6 customers" in page
        assert "People who viewed a product (colour is “red”)." in page

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


class TestValues:
    def test_suggests_what_many_have(self, viewers: None, login: Login, marketer: User) -> None:
        client = login(marketer)

        assert '<option value="ตรัง">6</option>' in text(client.get(address("values"), {"trait": "province"}))
        colours = client.get(address("values"), {"event": "Product Viewed", "property": "color"})
        assert text(colours).strip() == ""  # three people are too few to be a group

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
