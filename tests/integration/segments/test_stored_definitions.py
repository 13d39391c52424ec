"""Stored definitions that cannot be asked any more: what is wrong and where is said, on every page that asks."""

import html
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from cdp_site.core.access import scope_of
from cdp_site.core.models import User
from ingestion.models import Source
from profiles.models import EventType
from segments import audience, evidence, explain, references, versions
from segments.audience import HiddenProblem, Question
from segments.definition.problems import StoredProblem
from segments.evidence import Mark
from segments.models import Segment
from tests.customers import profile_of
from tests.integration.segments.conftest import Login, viewed_red, whole

pytestmark = pytest.mark.django_db
Make = Callable[..., Segment]
UNREAD = "The stored definition cannot be used (/version): This definition has version “7”"
MEND = "It reads version 2: save the segment again in the builder, or update the program."
GONE = "The stored definition cannot be used ({}): There is no source “old-shop”, or no longer."
HIDDEN = "your department does not see"
OF_OLD_SHOP = {**viewed_red(), "sources": ["web", "old-shop"]}
SEQUENCE = {
    "kind": "sequence",
    "first": {"event": "Product Viewed"},
    "then": {"event": "Product Viewed", "sources": ["old-shop"]},
    "within": {"n": 1, "unit": "days"},
    "window": {"kind": "ever"},
}


def address(name: str, *args: object) -> str:
    return reverse(f"segments:{name}", args=args)


def text(response: Any) -> str:
    return str(response.content.decode())


def store(segment: Segment, definition: dict[str, Any]) -> Segment:
    """As another program wrote it, or as it was before something went."""
    Segment.objects.filter(pk=segment.pk).update(definition=definition)
    segment.refresh_from_db()
    return segment


def of_version_7() -> dict[str, Any]:
    return {**whole(viewed_red()), "version": 7}


@pytest.fixture
def as_marketer(login: Login, marketer: User) -> Client:
    return login(marketer)


@pytest.fixture
def pages(viewers: None, as_marketer: Client, web_shop: Source) -> Callable[[Segment], dict[str, str]]:
    """The pages that ask a segment."""

    def ask(segment: Segment) -> dict[str, str]:
        public_id = profile_of(web_shop, "v1").public_id
        asked = {
            "explain": address("explain", public_id, segment.pk),
            "explain_all": address("explain_all", public_id),
            "size": address("size", segment.pk),
            "members": address("members", segment.pk),
        }
        return {name: text(as_marketer.get(path)) for name, path in asked.items()}

    return ask


class TestOfAnUnknownVersion:
    def test_its_own_page_asks_for_the_reason_once(
        self, make_segment: Make, viewers: None, as_marketer: Client
    ) -> None:
        segment = make_segment()
        parts = [address(name, segment.pk) for name in ("size", "history", "members")]
        asked = {part for part in parts if f'hx-get="{part}"' in text(as_marketer.get(address("segment", segment.pk)))}
        assert asked == set(parts)

        page = text(as_marketer.get(address("segment", store(segment, of_version_7()).pk)))
        assert [part for part in parts if f'hx-get="{part}"' in page] == parts[:1]

    def test_every_page_says_which_version_it_is_of(
        self, make_segment: Make, viewers: None, pages: Callable[[Segment], dict[str, str]]
    ) -> None:
        for name, page in pages(store(make_segment(), of_version_7())).items():
            assert UNREAD in page, name
            assert MEND in page, name
            assert HIDDEN not in page, name

    def test_in_thai_as_well(self, make_segment: Make, viewers: None, marketer: User, web_shop: Source) -> None:
        segment = store(make_segment(), of_version_7())

        with translation.override("th"), pytest.raises(StoredProblem) as caught:
            explain.why(profile_of(web_shop, "v1"), segment, by=marketer)

        assert str(caught.value.message).startswith("ใช้เงื่อนไขที่บันทึกไว้ไม่ได้ (/version)")
        assert caught.value.problems[0].code == "version-unknown"

    def test_it_is_listed_and_not_restored(self, make_segment: Make, viewers: None, as_marketer: Client) -> None:
        segment = make_segment()
        segment.versions.update(definition=of_version_7())
        segment.versions.create(version=2, definition=segment.definition, actor="system")
        Segment.objects.filter(pk=segment.pk).update(version=2)

        listed = text(as_marketer.get(address("versions", segment.pk)))
        told = text(as_marketer.post(address("restore_version", segment.pk, 1), follow=True))
        effect = text(as_marketer.get(address("version_effect", segment.pk)))
        difference = text(as_marketer.get(address("version_diff", segment.pk)))

        assert UNREAD in listed
        assert UNREAD in difference.split("<h3>Version 1</h3>")[1]
        assert "<h3>Version 2</h3>" not in difference
        for page in (told, effect):
            assert UNREAD in page
            assert MEND in page
            assert HIDDEN not in page
        segment.refresh_from_db()
        assert segment.version == 2


class TestOfASourceThatIsGone:
    @pytest.mark.parametrize(
        ("condition", "place"),
        [(OF_OLD_SHOP, "/where/of/1/sources/1"), (SEQUENCE, "/where/of/1/then/sources/0")],
    )
    def test_every_page_says_which_and_where(
        self,
        condition: dict[str, Any],
        place: str,
        make_segment: Make,
        viewers: None,
        pages: Callable[[Segment], dict[str, str]],
    ) -> None:
        for name, page in pages(store(make_segment(), whole(viewed_red(), condition))).items():
            assert GONE.format(place) in page, name
            assert "Choose one from the list, or let all sources count." in page, name
            assert HIDDEN not in page, name

    def test_a_segment_that_asks_for_such_a_one_says_so_at_its_condition(
        self, make_segment: Make, viewers: None, marketer: User
    ) -> None:
        inner = store(make_segment(name="Inner"), whole(OF_OLD_SHOP))
        outer = store(make_segment(name="Outer"), whole({"kind": "segment", "segment": str(inner.pk), "is_in": True}))

        with pytest.raises(StoredProblem) as caught:
            Question.of_segment(outer, scope_of(marketer))

        assert [(one.place, one.code) for one in caught.value.problems] == [("/where/of/0/segment", "source-unknown")]

    def test_it_is_not_restored(self, make_segment: Make, viewers: None, marketer: User, as_marketer: Client) -> None:
        segment = make_segment()
        segment.versions.update(definition=whole(OF_OLD_SHOP))
        segment.versions.create(version=2, definition=segment.definition, actor="system")
        Segment.objects.filter(pk=segment.pk).update(version=2)

        told = text(as_marketer.post(address("restore_version", segment.pk, 1), follow=True))

        assert GONE.format("/where/of/0/sources/1") in told
        difference = text(as_marketer.get(address("version_diff", segment.pk)))
        assert "There is no source “old-shop”, or no longer." in html.unescape(re.sub(r"<[^>]+>", "", difference))
        assert HIDDEN not in difference
        segment.refresh_from_db()
        assert segment.version == 2

    def test_the_evidence_of_a_list_that_was_sent_names_it(
        self, viewers: None, marketer: User, web_shop: Source
    ) -> None:
        definition = references.parsed(whole(viewed_red(), OF_OLD_SHOP))

        red, gone = evidence.lines(profile_of(web_shop, "v1"), definition, at=timezone.now(), by=marketer)

        assert red.mark is Mark.YES
        assert (gone.mark, gone.text) == (Mark.HIDDEN, "There is no source “old-shop”, or no longer.")

    def test_what_is_hidden_beside_it_is_not_told(
        self, make_segment: Make, viewers: None, marketer: User, care: Any
    ) -> None:
        segment = store(make_segment(), whole(OF_OLD_SHOP))
        EventType.objects.filter(name="Product Viewed").update(department=care)

        with pytest.raises(HiddenProblem):
            audience.shown(segment.definition, scope_of(User.objects.get(pk=marketer.pk)))

    def test_a_list_that_is_gone_is_told_as_well(self, make_segment: Make, viewers: None, marketer: User) -> None:
        nowhere = "019ab000-0000-7000-8000-000000000000"
        segment = store(make_segment(), whole({"kind": "list", "list": nowhere, "is_in": True}))

        with pytest.raises(StoredProblem, match="/where/of/0/list"):
            audience.shown(segment.definition, scope_of(marketer))


def test_another_departments_source_is_hidden_and_not_gone(
    make_segment: Make, viewers: None, marketer: User, call_centre: Source
) -> None:
    definition = deepcopy(whole(viewed_red()))
    definition["where"]["of"][0]["sources"] = [call_centre.slug]

    with pytest.raises(HiddenProblem):
        audience.shown(definition, scope_of(marketer))


def test_a_version_with_a_property_that_is_gone_is_not_restored_and_says_where(
    make_segment: Make, viewers: None, marketer: User
) -> None:
    segment = make_segment()
    version = segment.versions.get()
    version.definition = whole({**viewed_red(), "filters": [{"property": "weight", "operator": "known"}]})

    with pytest.raises(StoredProblem) as caught:
        versions.restore(segment=segment, version=version, by=marketer)

    assert "/where/of/0/filters/0/property" in str(caught.value.message)
