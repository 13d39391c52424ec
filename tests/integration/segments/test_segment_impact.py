"""What the preview of a merge says about segments; and that people loaded for it are those of the SQL."""

from collections.abc import Callable
from typing import Any

import pytest

from cdp_site.core.access import EVERYTHING
from cdp_site.core.models import User
from ingestion.models import Source
from profiles.models import Product, Profile, SourceRecord
from segments import audience, impact, persons
from segments.definition.evaluate import Moment, holds
from segments.definition.parse import parse
from segments.models import Segment, StaticList, StaticListMember
from tests.customers import LATELY, Tell, identify, profile_of, track
from tests.integration.segments.conftest import viewed_red

pytestmark = pytest.mark.django_db
Make = Callable[..., Segment]


def records(profile: Profile) -> frozenset[int]:
    found = SourceRecord.objects.filter(memberships__profile=profile, memberships__valid_to__isnull=True)
    return frozenset(found.values_list("pk", flat=True))


@pytest.fixture
def two(tell: Tell, web_shop: Source) -> list[Profile]:
    """Each viewed something red once; the second refused to be written to, the first agreed."""
    for user, said in (("a", "Consent Granted"), ("b", "Consent Refused")):
        tell(web_shop, identify(user, firstName="มานี", email=f"{user}@baansabai.co.th"))
        tell(web_shop, track(user, "Product Viewed", color="red"))
        tell(web_shop, track(user, said, purpose="marketing", channel="email"))
    return [profile_of(web_shop, user) for user in "ab"]


def test_a_merge_may_enter_and_leave_segments(two: list[Profile], make_segment: Make) -> None:
    consent: dict[str, Any] = {"kind": "consent", "purpose": "marketing", "channel": "email", "state": "granted"}
    make_segment(consent, name="May be written to")
    make_segment(viewed_red(2), name="Twice")
    make_segment(name="Once")
    apart, together = [records(profile) for profile in two], [frozenset().union(*map(records, two))]

    merge = [(str(one.area), str(one.text), one.is_loss) for one in impact.preview(apart, together)]
    unmerge = [(str(one.area), str(one.text)) for one in impact.preview(together, apart)]

    assert merge == [("Segment: May be written to", "leaves it", True), ("Segment: Twice", "enters it", False)]
    assert unmerge == [("Segment: Twice", "leaves it"), ("Segment: May be written to", "enters it")]


def test_without_segments_nothing_is_read(two: list[Profile], django_assert_num_queries: Any) -> None:
    first, second = map(records, two)
    with django_assert_num_queries(1):
        assert impact.preview([first], [second]) == []


def test_people_loaded_are_those_of_the_database(
    viewers: None, somchai: Profile, two: list[Profile], make_segment: Make, steward: User, tell: Tell, web_shop: Source
) -> None:
    """The reference engine over loaded people answers as the SQL does."""
    bought = {
        "kind": "order_total",
        "measure": "sum",
        "operator": "more_than",
        "value": 1000,
        "currency": "THB",
        "window": {"kind": "ever"},
    }
    from_trang = {"kind": "attribute", "trait": "province", "operator": "is", "value": "ตรัง"}
    refused = {"kind": "consent", "purpose": "marketing", "channel": "email", "state": "refused"}
    reachable = {"kind": "reachable", "purpose": "marketing", "channel": "email"}
    from_shop = {**viewed_red(), "sources": ["web"]}
    line = {
        "kind": "order_line",
        "measure": "lines",
        "operator": "is",
        "value": 0,
        "window": {"kind": "ever"},
        "filters": [{"property": "brand", "operator": "unknown"}],
    }
    tell(web_shop, track("v1", "Product Viewed", hours=0.1, sku="S1"))
    Product.objects.create(namespace="web", sku="S1", attributes={"brand": "Siam"}, version_at=LATELY)
    of_catalogue = {**viewed_red(), "count": {"bound": "at_least", "n": 1}}
    of_catalogue["filters"] = [{"property": "brand", "operator": "is", "value": "Siam"}]
    listed = StaticList.objects.create(name="Guests")
    StaticListMember.objects.create(list=listed, record_id=min(records(somchai)))
    on_list = {"kind": "list", "list": str(listed.pk), "is_in": True}
    everybody = list(Profile.objects.people())
    for condition in (viewed_red(), bought, from_trang, refused, reachable, from_shop, line, of_catalogue, on_list):
        definition = parse({"version": 2, "where": {"kind": "all", "of": [condition]}})
        question = audience.Question.of(definition, EVERYTHING)
        loaded = persons.load([records(profile) for profile in everybody], asked=[definition])
        moment = Moment(question.now, audience.company_time_zone())

        found = {
            profile.pk
            for profile, person in zip(everybody, loaded, strict=True)
            if person is not None and holds(question.definition.where, person, moment)
        }
        assert found == set(audience.member_ids(question))
        assert found
