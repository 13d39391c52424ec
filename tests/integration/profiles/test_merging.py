"""Merge and unmerge by hand: exact in both directions, whatever arrives in between."""

from collections.abc import Iterator

import pytest
from django.utils import translation

from cdp_site.core import impact
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import AuditEvent, User
from ingestion.models import Source
from profiles import merging, notes, rebuild, signals
from profiles.models import LinkDecision, Membership, Note, Order, Profile, SourceRecord, Touchpoint
from profiles.state import hashes
from tests.factories.arrivals import arrive, identify, row, track

pytestmark = pytest.mark.django_db

PHONE = "0863451972"
EMAIL = "suda@baansabai.co.th"


@pytest.fixture(autouse=True)
def nothing_to_mend() -> Iterator[None]:
    yield
    assert rebuild.check() == []


@pytest.fixture
def suda(web_shop: Source) -> Profile:
    arrive(
        web_shop,
        identify("u1", email=EMAIL, firstName="Suda", lastName="Rakdee"),
        track("Product Viewed", "u1"),
        track("Order Completed", "u1", order_id="o1", total=100),
    )
    return profile_of("u1")


@pytest.fixture
def other_suda(web_shop: Source, pos: Source) -> Profile:
    arrive(web_shop, identify("u2", phone=PHONE, firstName="Suda"), track("Product Viewed", "u2"))
    arrive(pos, row("p2", phone=PHONE, first_name="Suda", city="Trang"))
    return profile_of("u2")


def profile_of(external_id: str) -> Profile:
    return Profile.objects.get(memberships__record__external_id=external_id, memberships__valid_to=None)


def record(external_id: str) -> int:
    return SourceRecord.objects.get(external_id=external_id).pk


def members(profile: Profile) -> set[str]:
    current = Membership.objects.filter(profile=profile, valid_to=None)
    return set(current.values_list("record__external_id", flat=True))


def merge(*profiles: Profile, by: User) -> merging.Outcome:
    return merging.merge(profiles=profiles, by=by, reason="one person, two accounts")


class TestMerge:
    def test_everything_comes_together_under_the_lower_anchor(
        self, suda: Profile, other_suda: Profile, steward: User
    ) -> None:
        outcome = merge(other_suda, suda, by=steward)
        assert list(outcome.profiles) == [suda]
        assert members(suda) == {"u1", "u2", "p2"}
        assert set(Touchpoint.objects.values_list("profile", flat=True)) == {suda.pk}
        suda.refresh_from_db()
        assert (suda.golden["city"], suda.golden["email"]) == ("Trang", EMAIL)
        other_suda.refresh_from_db()
        assert (other_suda.state, other_suda.redirect_to) == ("redirected", suda)

    def test_nobody_falls_out_when_two_ids_of_one_kind_meet(
        self, suda: Profile, other_suda: Profile, pos: Source, steward: User
    ) -> None:
        arrive(pos, row("p1", email=EMAIL, first_name="Suda", last_name="Rakdee", member_id="M1"))
        arrive(pos, row("p2", phone=PHONE, first_name="Suda", member_id="M2"))
        before = hashes([suda.pk, other_suda.pk])
        outcome = merge(suda, other_suda, by=steward)
        assert [members(profile) for profile in outcome.profiles] == [{"u1", "u2", "p1", "p2"}]
        merging.revert(operation=outcome.operation, by=steward, reason="mistake")
        assert hashes([suda.pk, other_suda.pk]) == before

    def test_it_is_audited_and_told(self, suda: Profile, other_suda: Profile, steward: User) -> None:
        told = []

        def listen(**said: object) -> None:
            told.append(said["change"])

        signals.profile_merged.connect(listen)
        try:
            outcome = merge(suda, other_suda, by=steward)
        finally:
            signals.profile_merged.disconnect(listen)
        assert told[0].merged[other_suda.pk] == suda.pk
        event = AuditEvent.objects.get(action="profile.merge")
        assert (event.actor, event.target_id) == (f"user:{steward.pk}", str(suda.pk))
        link = LinkDecision.objects.get(operation_id=outcome.operation.pk, kind="steward")
        assert link.reason == "one person, two accounts"

    def test_one_customer_alone_cannot_be_merged(self, suda: Profile, steward: User) -> None:
        with translation.override("en"), pytest.raises(MendableError, match="at least two"):
            merge(suda, suda, by=steward)

    def test_a_customer_who_was_merged_meanwhile_is_a_conflict(
        self, suda: Profile, other_suda: Profile, steward: User
    ) -> None:
        merge(suda, other_suda, by=steward)
        with pytest.raises(ConflictProblem):
            merge(suda, other_suda, by=steward)

    def test_the_preview_tells_all_and_changes_nothing(
        self, suda: Profile, other_suda: Profile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        effect = impact.Effect("consent", "e-mail marketing: granted → refused", is_loss=True)
        monkeypatch.setattr(impact, "_previews", [lambda before, after: [effect]])
        before = hashes([suda.pk, other_suda.pk])
        preview = merging.preview_merge([suda, other_suda])
        assert [len(group) for group in preview.before] == [1, 2]
        assert [len(group) for group in preview.after] == [3]
        assert preview.golden_after[0]["city"] == "Trang"
        assert preview.changed_traits == ["city", "email", "last_name", "phone"]
        assert (preview.touchpoints, preview.orders) == (1, 0)
        assert list(preview.effects) == [effect]
        assert hashes([suda.pk, other_suda.pk]) == before


class TestUnmerge:
    def test_undoing_a_merge_is_exact(self, suda: Profile, other_suda: Profile, steward: User) -> None:
        before = hashes([suda.pk, other_suda.pk])
        merge(suda, other_suda, by=steward)
        assert hashes([suda.pk, other_suda.pk]) != before
        outcome = merging.unmerge(
            profile=suda, records=[record("u2"), record("p2")], by=steward, reason="two people after all"
        )
        assert list(outcome.profiles) == [suda, other_suda]
        assert hashes([suda.pk, other_suda.pk]) == before
        never = LinkDecision.objects.get(action="never")  # what a person has parted no model joins again
        assert (never.record_a_id, never.record_b_id) == (other_suda.birth_record.pk, suda.birth_record.pk)

    def test_what_arrived_since_goes_with_its_record(
        self, suda: Profile, other_suda: Profile, steward: User, web_shop: Source
    ) -> None:
        merge(suda, other_suda, by=steward)
        arrive(
            web_shop,
            track("Product Viewed", "u2", day=2),
            track("Order Completed", "u2", day=2, order_id="o2", total=50),
            identify("u1", city="Phuket", day=3),
        )
        merging.unmerge(profile=suda, records=[record("u2"), record("p2")], by=steward, reason="no")
        assert Touchpoint.objects.filter(profile=other_suda).count() == 3
        assert Order.objects.get(external_id="o2").profile == other_suda
        suda.refresh_from_db()
        other_suda.refresh_from_db()
        assert (suda.golden["city"], other_suda.golden["city"]) == ("Phuket", "Trang")

    def test_parting_what_evidence_joins_leaves_a_veto(
        self, other_suda: Profile, steward: User, call_centre: Source
    ) -> None:
        merging.unmerge(profile=other_suda, records=[record("p2")], by=steward, reason="her mother")
        assert profile_of("p2") != profile_of("u2")
        never = LinkDecision.objects.get(action="never")
        assert {never.record_a_id, never.record_b_id} == {record("u2"), record("p2")}
        arrive(call_centre, row("c1", phone=PHONE, first_name="Suda"))
        assert profile_of("p2") != profile_of("u2")

    def test_reverting_it_restores_the_customer(self, other_suda: Profile, steward: User) -> None:
        before = hashes([other_suda.pk])
        cut = merging.unmerge(profile=other_suda, records=[record("p2")], by=steward, reason="her mother")
        merging.revert(operation=cut.operation, by=steward, reason="it was her")
        assert hashes([other_suda.pk]) == before
        with pytest.raises(ConflictProblem):
            merging.revert(operation=cut.operation, by=steward, reason="again")

    def test_a_later_merge_overrules_the_veto(self, other_suda: Profile, steward: User) -> None:
        cut = merging.unmerge(profile=other_suda, records=[record("p2")], by=steward, reason="her mother")
        preview = merging.preview_merge(cut.profiles)
        assert len(preview.overruled) == 1
        merge(*cut.profiles, by=steward)
        assert members(other_suda) == {"u2", "p2"}

    def test_all_or_none_of_the_records_is_no_cut(self, other_suda: Profile, steward: User) -> None:
        for records in ([], [record("u2"), record("p2")]):
            with translation.override("en"), pytest.raises(MendableError, match="not none and not all"):
                merging.unmerge(profile=other_suda, records=records, by=steward, reason="?")

    def test_a_record_of_somebody_else_is_a_conflict(self, suda: Profile, other_suda: Profile, steward: User) -> None:
        with pytest.raises(ConflictProblem):
            merging.unmerge(profile=suda, records=[record("p2")], by=steward, reason="?")


class TestNotes:
    def test_notes_go_with_the_record_that_they_are_tied_to(
        self, suda: Profile, other_suda: Profile, steward: User, agent: User
    ) -> None:
        note = notes.add(profile=other_suda, text="Likes tea", by=agent)
        merge(suda, other_suda, by=steward)
        assert Note.objects.get().profile == suda
        merging.unmerge(profile=suda, records=[record("u2"), record("p2")], by=steward, reason="no")
        note.refresh_from_db()
        assert note.profile == other_suda

    def test_a_note_on_the_merged_customer_is_asked_about(
        self, suda: Profile, other_suda: Profile, steward: User, agent: User
    ) -> None:
        merge(suda, other_suda, by=steward)
        note = notes.add(profile=suda, text="Likes coffee", by=agent)
        taken = [record("u2"), record("p2")]
        assert list(merging.preview_unmerge(suda, taken).unclear_notes) == [note.record_id]
        merging.unmerge(profile=suda, records=taken, by=steward, reason="no", notes_to={note.record_id: record("u2")})
        note.refresh_from_db()
        assert note.profile == other_suda
