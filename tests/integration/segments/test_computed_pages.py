"""Writing computed traits, their pages, the panel of a customer, and what an erasure reaches of them."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cdp_site.core.access import scope_of
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import Department, User
from cdp_site.core.personal_data import Subject
from ingestion.models import Source
from profiles.models import Profile, TraitGroup
from segments import catalogue
from segments.definition.parse import DefinitionProblem
from segments.models import ComputedTrait, PendingValues, Segment
from segments.traits import authoring
from segments.traits.personal_data import ComputedHolder
from tests.customers import Tell, track
from tests.integration.segments.computed import (
    ORDERS,
    Make,
    address,
    asks,
    definition,
    fresh_samples,
    group,
    make_trait,
    pick,
    rolling,
    shopper,
    text,
)
from tests.integration.segments.conftest import Login

__all__ = ["fresh_samples", "group", "make_trait", "shopper"]

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


class TestWriting:
    @pytest.mark.parametrize(
        ("written", "place"),
        [
            (definition("sum", "category"), "/property"),
            (definition("sum", ""), "/property"),
            (definition("sum", "email"), "/property"),
            (definition("median", "price"), "/calculation"),
            (definition("last", "color", ORDERS), "/calculation"),
            (definition("count", "", ORDERS, pick()), "/where"),
            (definition("count", "", pick("Nothing Done")), "/where/of/0/event"),
            (definition("count", "", asks("city", "is", "x")), "/where/of/0/kind"),
            ({**definition("count"), "where": {"kind": "all", "of": [pick()]}}, "/where/kind"),
            ({"version": 2}, "/calculation"),
        ],
    )
    def test_problems_are_told_at_their_place(
        self,
        shopper: Profile,
        marketer: User,
        group: TraitGroup,
        tell: Tell,
        web_shop: Source,
        written: Any,
        place: str,
    ) -> None:
        tell(web_shop, track("s1", "Product Viewed", hours=40, email="a@example.com"))
        with pytest.raises(DefinitionProblem) as caught:
            authoring.create(name="x", name_th="", description="", group=group, definition=written, by=marketer)

        assert place in [problem.place for problem in caught.value.problems]

    def test_names_and_slugs_are_taken_once(self, shopper: Profile, make_trait: Make) -> None:
        assert make_trait("Views of shoes!", definition("count")).slug == "views_of_shoes"
        assert make_trait("Views of shoes?", definition("count")).slug == "views_of_shoes_2"
        assert make_trait("จำนวนครั้ง", definition("count")).slug == "trait"
        with pytest.raises(ConflictProblem):
            make_trait("Views of shoes!", definition("count"))


def posted(**said: str) -> dict[str, str]:
    return {
        "name": "Views",
        "name_th": "จำนวนครั้งที่ดู",
        "description": "",
        "/of": "touchpoint",
        "/calculation": "count",
        "/where/of/0/kind": "touchpoint",
        "/where/of/0/event": "Product Viewed",
        "/where/of/0/window/kind": "ever",
    } | said


class TestPages:
    @pytest.fixture
    def as_marketer(self, login: Login, marketer: User) -> Client:
        return login(marketer)

    def test_the_form_writes_a_trait(self, shopper: Profile, as_marketer: Client, group: TraitGroup) -> None:
        assert 'name="/calculation"' in text(as_marketer.get(address("create_trait")))
        answer = as_marketer.post(address("create_trait"), posted(group=str(group.pk)), headers=HTMX)

        trait = ComputedTrait.objects.get()
        assert answer.headers["HX-Redirect"] == address("trait", trait.pk)
        assert (trait.slug, trait.data_type, trait.version) == ("views", "number", 1)
        assert trait.definition == definition("count")
        page = text(as_marketer.get(address("trait", trait.pk)))
        assert "How many times customers viewed a product." in page
        assert "จำนวนครั้งที่ลูกค้าดูสินค้า" in page

    def test_the_form_is_drawn_anew_after_a_choice(self, shopper: Profile, as_marketer: Client) -> None:
        page = text(as_marketer.post(address("trait_draft"), posted(**{"/calculation": "sum"}), headers=HTMX))
        assert 'name="/property"' in page
        assert '<option value="price"' in page
        assert '<option value="category"' not in page

        page = text(as_marketer.post(address("trait_draft"), posted(**{"/of": "order_total"}), headers=HTMX))
        assert 'name="/where/of/0/currency"' in page
        assert 'value="most_frequent"' not in page

        more = posted(action="add-touchpoint /where")
        assert 'name="/where/of/1/event"' in text(as_marketer.post(address("trait_draft"), more, headers=HTMX))

    def test_gaps_are_told_when_somebody_saves(self, shopper: Profile, as_marketer: Client, group: TraitGroup) -> None:
        gaps = posted(group=str(group.pk), name="", **{"/calculation": "last", "/where/of/0/event": ""})
        answer = as_marketer.post(address("create_trait"), gaps, headers=HTMX)

        page = text(answer)
        assert answer.status_code == 422
        assert "This field is required." in page
        assert page.count("Nothing is chosen here.") >= 2
        assert not ComputedTrait.objects.exists()

    def test_the_summary_says_it_in_both_languages_with_a_sample(self, viewers: None, as_marketer: Client) -> None:
        page = text(as_marketer.post(address("trait_summary"), posted(), headers=HTMX))

        assert "How many times customers viewed a product." in page
        assert 'lang="th"' in page
        assert "6 of 6 customers looked at have a value." in page

    def test_another_definition_is_a_new_version_and_the_old_one_stays_on_record(
        self, shopper: Profile, make_trait: Make, as_marketer: Client
    ) -> None:
        trait = make_trait("Views", definition("last", "category"))
        changed = posted(group=str(trait.group_id), **{"/calculation": "first", "/property": "category"})

        assert as_marketer.post(address("change_trait", trait.pk), changed).status_code == 302

        trait.refresh_from_db()
        assert (trait.version, trait.is_complete) == (2, False)
        page = text(as_marketer.get(address("trait", trait.pk)))
        assert "The last category of the times customers viewed a product." in page
        assert "being computed" in page

    def test_what_another_tab_has_saved_meanwhile_is_not_written_over_unasked(
        self, shopper: Profile, make_trait: Make, as_marketer: Client
    ) -> None:
        trait = make_trait("Views", definition("last", "category"))
        url, said = address("change_trait", trait.pk), posted(group=str(trait.group_id), name="Views")

        def seen_in(answer: Any) -> str:
            return re.findall(r'name="seen" value="([0-9a-f]+)"', text(answer))[0]

        both = {"seen": seen_in(as_marketer.get(url))}
        as_marketer.post(url, said | both | {"/calculation": "first", "/property": "category"})
        late = as_marketer.post(url, said | both, headers=HTMX)

        assert late.status_code == 422
        assert "Somebody has saved this since you opened it." in text(late)
        trait.refresh_from_db()
        assert trait.version == 2
        assert as_marketer.post(url, said | {"seen": seen_in(late)}).status_code == 302

    def test_the_list_shows_each_with_its_sentence_and_what_uses_it(
        self, shopper: Profile, make_trait: Make, make_segment: Callable[..., Segment], as_marketer: Client
    ) -> None:
        trait = make_trait("Views", definition("count"))
        make_segment(asks("computed.views", "at_least", 3), name="Keen ones")

        assert "How many times customers viewed a product." in text(as_marketer.get(address("traits")))
        assert "Keen ones" in text(as_marketer.get(address("trait", trait.pk)))
        assert "of 1 customer" in text(as_marketer.get(address("trait_values", trait.pk)))
        refused = as_marketer.post(address("archive_trait", trait.pk), follow=True)
        assert "A segment asks for this trait." in text(refused)

    def test_is_empty_at_first_with_the_next_step(self, as_marketer: Client) -> None:
        assert address("create_trait") in text(as_marketer.get(address("traits")))

    def test_an_outsider_and_another_department_find_nothing(
        self,
        shopper: Profile,
        make_trait: Make,
        outsider: User,
        login: Login,
        make_user: Callable[..., User],
        care: Department,
        marketing: Department,
    ) -> None:
        own = TraitGroup.objects.create(slug="own", name="Own", kind_of_data="behavioural", department=marketing)
        trait = make_trait("Views", definition("count"), group=own)
        names = ("trait", "trait_values", "change_trait")
        for user in (outsider, make_user("marketer", care, "carer")):
            client = login(user)
            assert {client.get(address(name, trait.pk)).status_code for name in names} == {404}
            assert client.post(address("archive_trait", trait.pk)).status_code == 404
        assert login(outsider).get(address("traits")).status_code == 404
        assert login(outsider).get(address("computed_of_profile", shopper.public_id)).status_code == 404
        assert "Views" not in text(client.get(address("traits")))


class TestPanel:
    def test_shows_the_values_with_their_definitions(
        self, shopper: Profile, make_trait: Make, login: Login, marketer: User
    ) -> None:
        make_trait("Views", definition("count"), name_th="จำนวนครั้ง")
        make_trait("Spent", definition("sum", "", ORDERS))
        make_trait("By channel", definition("sum", "price", per_channel=True))
        make_trait("Missing", definition("last", "color", pick(window=rolling(1))))

        page = text(login(marketer).get(address("computed_of_profile", shopper.public_id), headers=HTMX))

        assert "How many times customers viewed a product." in page
        assert "฿990.00" in page
        assert "450" in page
        assert "Store" in page

    def test_another_department_sees_what_it_may(
        self, shopper: Profile, make_trait: Make, login: Login, agent: User
    ) -> None:
        """Customer care sees the till and not the web shop."""
        make_trait("Colours", definition("unique_list", "color"))
        make_trait("Views", definition("count"))

        page = text(login(agent).get(address("computed_of_profile", shopper.public_id), headers=HTMX))

        assert "red" not in page
        assert "Views" in page
        assert '<span class="value">1</span>' in page

    def test_asks_no_more_than_a_panel_may(
        self,
        shopper: Profile,
        make_trait: Make,
        login: Login,
        agent: User,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for name in ("One", "Two", "Three"):
            make_trait(name, definition("count", per_channel=name == "Two"))
        client = login(agent)
        with django_assert_max_num_queries(12):  # of which six are the session, the user, the scope and the log
            client.get(address("computed_of_profile", shopper.public_id), headers=HTMX)

    def test_a_sensitive_group_is_hidden_from_all(
        self, shopper: Profile, make_trait: Make, login: Login, marketer: User, group: TraitGroup
    ) -> None:
        trait = make_trait("Views", definition("count"))
        sensitive = TraitGroup.objects.create(slug="faith", name="Faith", kind_of_data="descriptive", is_sensitive=True)
        ComputedTrait.objects.filter(pk=trait.pk).update(group=sensitive)
        client = login(marketer)

        assert "Views" not in text(client.get(address("computed_of_profile", shopper.public_id), headers=HTMX))
        assert client.get(address("trait", trait.pk)).status_code == 404
        assert "computed.views" not in catalogue.fields(scope_of(marketer)).traits


class TestPersonalData:
    def test_is_located_exported_and_erased(self, shopper: Profile, make_trait: Make) -> None:
        make_trait("Views", definition("count"))
        PendingValues.objects.create(aspect="person", cause="event", profile_ids=[shopper.pk, 4_711])
        subject = Subject((shopper.pk,), (), ())
        holder = ComputedHolder()

        assert holder.locate(subject) == {"segments.ComputedValue": 1, "segments.PendingValues": 1}
        assert holder.export(subject) == {"segments.ComputedValue": [{"trait__name": "Views", "value": 4}]}
        outcome = holder.erase(subject)

        assert outcome.erased == {"segments.ComputedValue": 1}
        assert set(holder.locate(subject).values()) == {0}
        assert PendingValues.objects.get().profile_ids == [4_711]
