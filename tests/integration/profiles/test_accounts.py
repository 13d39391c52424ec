"""Group calls: the companies that customers act for, on the page, through merges and after an erasure."""

import itertools
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cdp_site.core.append_only import erasure_step
from ingestion.models import QuarantinedItem
from profiles import merging
from profiles.models import Account, AccountMembership, Profile, SourceRecord, Touchpoint
from profiles.personal_data import AccountHolder
from tests.customers import profile_of
from tests.factories.arrivals import arrive, identify, on_day, track
from tests.integration.profiles.test_personal_data import subject

pytestmark = pytest.mark.django_db


def group(
    user: str | None, account: Any, *, day: float = 0, device: str | None = None, **traits: Any
) -> dict[str, Any]:
    """A group call."""
    said = {"type": "group", "groupId": account, "timestamp": on_day(day), "traits": traits}
    return said | ({"userId": user} if user else {}) | ({"anonymousId": device} if device else {})


def test_a_group_call_makes_an_account_and_its_member(web_shop):
    counts = arrive(web_shop, group("u1", "acme", name="Acme Siam", industry="Food", employeeCount=40))

    assert counts == {"stored": 1}
    account = Account.objects.get()
    assert (account.external_id, account.name) == ("acme", "Acme Siam")
    assert account.traits == {"name": "Acme Siam", "industry": "Food", "employee_count": 40}
    membership = AccountMembership.objects.get()
    assert (membership.record.external_id, membership.is_confirmed) == ("u1", True)
    assert not Touchpoint.objects.exists()


def test_the_same_call_again_is_a_duplicate(web_shop):
    call = group("u1", "acme") | {"messageId": "g1"}

    assert arrive(web_shop, call, call) == {"stored": 1, "duplicate": 1}
    assert arrive(web_shop, call) == {"duplicate": 1}


def test_traits_are_patched_and_any_order_ends_the_same(web_shop, pos):
    said = [
        group("u1", "acme", day=1, name="Acme", plan="free"),
        group("u2", "acme", day=2, plan="pro"),
        group("u1", "acme", day=3, plan=None),
        group("u3", "acme", day=2.5, name="Acme Siam"),
    ]
    ends = []
    for number, order in enumerate(itertools.permutations(said)):
        for message in order:
            arrive(web_shop, message | {"groupId": f"acme-{number}"})
        account = Account.objects.get(external_id=f"acme-{number}")
        ends.append((account.traits, account.trait_times, account.first_seen_at, account.last_seen_at))

    assert all(end == ends[0] for end in ends)
    assert ends[0][0] == {"name": "Acme Siam"}


def test_an_account_belongs_to_its_source(web_shop, pos):
    arrive(web_shop, group("u1", "1001", name="Acme"))
    arrive(pos, group("u1", "1001", name="Another"))

    assert Account.objects.count() == 2
    assert Profile.objects.people().count() == 2


def test_an_account_joins_nobody(web_shop):
    arrive(web_shop, group("u1", "acme", phone="0863451972"), group("u2", "acme", phone="0863451972"))

    assert profile_of(web_shop, "u1") != profile_of(web_shop, "u2")


def test_an_event_may_say_for_whom(web_shop):
    arrive(web_shop, track("Product Viewed", "u1") | {"context": {"groupId": "acme"}})

    assert AccountMembership.objects.get().account.external_id == "acme"
    assert Touchpoint.objects.count() == 1


@pytest.mark.parametrize("placeholder", ["null", "undefined", " "])
def test_a_placeholder_is_no_account(web_shop, placeholder):
    assert arrive(web_shop, group("u1", placeholder)) == {"quarantined": 1}
    assert "groupId" in QuarantinedItem.objects.get().detail
    assert arrive(web_shop, track("Product Viewed", "u1") | {"context": {"groupId": placeholder}}) == {"stored": 1}
    assert not Account.objects.exists()


def test_a_browser_confirms_and_describes_nothing(web_shop):
    arrive(web_shop, group("u1", "acme", name="Acme"))
    arrive(web_shop, group("u2", "acme", day=1, name="Defaced", plan=None), is_public_key=True)

    assert Account.objects.get().traits == {"name": "Acme"}
    assert not AccountMembership.objects.get(record__external_id="u2").is_confirmed

    arrive(web_shop, group("u2", "acme"))
    assert AccountMembership.objects.get(record__external_id="u2").is_confirmed


def test_messages_without_an_account_cost_nothing(web_shop):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        arrive(web_shop, track("Product Viewed", "u1"))

    assert not [query for query in queries if "profiles_account" in query["sql"]]


def test_a_thousand_members_cost_four_statements(web_shop):
    arrive(web_shop, *[identify(f"u{number}") for number in range(200)])
    with CaptureQueriesContext(connection) as queries:
        arrive(web_shop, *[group(f"u{number}", f"a{number % 7}", name="x") for number in range(200)])

    assert len([query for query in queries if "profiles_account" in query["sql"]]) == 4


class TestPage:
    def page(self, client, profile):
        return client.get(reverse("profiles:customer", args=[profile.public_id])).content.decode()

    def test_the_page_shows_it(self, web_shop, login, steward):
        arrive(web_shop, identify("u1"), group("u1", "acme", name="Acme Siam", industry="Food"))

        page = self.page(login(steward), profile_of(web_shop, "u1"))

        assert "Acme Siam" in page
        assert "Food" in page

    def test_it_follows_the_record_through_merge_and_unmerge(self, web_shop, pos, login, steward):
        arrive(web_shop, identify("u1"), group("u1", "acme", name="Acme Siam"))
        arrive(pos, identify("p1"))
        one, other = profile_of(web_shop, "u1"), profile_of(pos, "p1")
        client = login(steward)
        assert "Acme Siam" not in self.page(client, other)

        done = merging.merge(profiles=[other, one], by=steward, reason="one")
        assert "Acme Siam" in self.page(client, profile_of(pos, "p1"))

        merging.revert(operation=done.operation, by=steward, reason="two")
        assert "Acme Siam" not in self.page(client, profile_of(pos, "p1"))
        assert "Acme Siam" in self.page(client, profile_of(web_shop, "u1"))

    def test_whoever_may_not_see_the_source_sees_no_account(self, web_shop, pos, login, agent):
        """The agent is of customer care; the web shop belongs to marketing."""
        arrive(web_shop, identify("u1", email="a@example.co.th"), group("u1", "acme", name="Acme Siam"))
        arrive(pos, identify("p1", email="a@example.co.th"))

        page = self.page(login(agent), profile_of(pos, "p1"))

        assert "Acme Siam" not in page

    def test_a_role_that_sees_no_identifiers_sees_none_of_the_account_either(self, web_shop, login, marketer):
        arrive(web_shop, identify("u1"), group("u1", "acme", name="Acme", email="boss@acme.example", industry="Food"))

        page = self.page(login(marketer), profile_of(web_shop, "u1"))

        assert "Food" in page
        assert "boss@acme.example" not in page


class TestErasure:
    def test_the_account_goes_with_its_last_member(self, web_shop):
        arrive(web_shop, group("u1", "acme", name="Acme"), group("u2", "acme"), group("u1", "alone"))
        holder, who = AccountHolder(), subject(profile_of(web_shop, "u1"))
        assert holder.locate(who) == {"profiles.Account": 1, "profiles.AccountMembership": 2}
        (row,) = [
            row for row in holder.export(who)["profiles.AccountMembership"] if row["account__external_id"] == "acme"
        ]
        assert row["account__traits"] == {"name": "Acme"}

        with transaction.atomic(), erasure_step(holder.name):
            outcome = holder.erase(who)

        assert outcome.erased == {"profiles.Account": 1, "profiles.AccountMembership": 2}
        assert not any(holder.locate(who).values())
        assert set(Account.objects.values_list("external_id", flat=True)) == {"acme"}
        assert AccountMembership.objects.get().record == SourceRecord.objects.get(external_id="u2")
