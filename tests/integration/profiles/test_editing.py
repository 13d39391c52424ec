"""Changing traits of a customer: what is stated, what wins, what is joined, and exact undo."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from cdp_site.core import personal_data
from cdp_site.core.errors import ConflictProblem, MendableError, NotFoundProblem
from cdp_site.core.models import AuditEvent, Department, User
from cdp_site.core.personal_data import Subject
from ingestion.models import Source
from profiles import merging, notes, overview, pins, presence, rebuild
from profiles.editing import changing, consequences, fields, reading, undoing
from profiles.editing.changing import Changed, Overtaken
from profiles.editing.reading import Unreadable
from profiles.models import (
    AgentEdit,
    Identifier,
    Membership,
    Pin,
    Profile,
    SourceRecord,
    SourceRecordVersion,
    Trait,
    TraitGroup,
)
from profiles.search import find
from profiles.state import hashes
from tests.customers import Tell, identify, profile_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
ADDRESS = {"address": "99/1 ถนนสุขุมวิท", "district": "วัฒนา", "province": "กรุงเทพมหานคร", "postcode": "10110"}


def change(profile: Profile, trait: str, *, by: User, version: str | None = None, **said: str) -> Changed:
    """As a form does that shows what stands there now."""
    editable = fields.load(profile, trait, by=by)
    assert editable is not None
    shown = {field.trait.name: field.text for field in editable.fields}
    return changing.change(profile=profile, trait=trait, said=shown | said, version=version or editable.version, by=by)


def golden(profile: Profile) -> dict[str, object]:
    profile.refresh_from_db()
    return profile.golden


def state(*profiles: Profile) -> dict[str, str]:
    return hashes(list(Profile.objects.values_list("pk", flat=True)) if not profiles else [one.pk for one in profiles])


def test_a_change_is_a_statement_of_the_agent_record(somchai: Profile, steward: User) -> None:
    done = change(somchai, "occupation", by=steward, occupation="ครู")
    record = SourceRecord.objects.get(kind="agent")
    assert (record.tied_to, record.attributes) == (somchai.birth_record, {"occupation": "ครู"})
    assert golden(somchai)["occupation"] == "ครู"
    assert done.edit is not None
    assert (done.edit.record, done.edit.by, done.edit.traits) == (record, steward, ["occupation"])
    assert SourceRecordVersion.objects.filter(record=record).count() == 1
    event = AuditEvent.objects.get(action="profile.edit")
    assert (event.target_id, event.fields, event.actor) == (str(somchai.pk), ["occupation"], f"user:{steward.pk}")
    assert rebuild.check() == []


def test_other_departments_see_a_new_address_at_once(
    somchai: Profile, steward: User, agent: User, marketer: User
) -> None:
    change(somchai, "address", by=agent, **ADDRESS)
    for viewer in (marketer, agent, steward):
        scope_of_viewer = overview.load(somchai, by=User.objects.get(pk=viewer.pk))
        assert {part: scope_of_viewer.values[part] for part in ADDRESS} == ADDRESS


def test_parts_of_an_address_go_together(somchai: Profile, tell: Tell, pos: Source, steward: User) -> None:
    """What the form does not ask for stays with the rest: the address of a record is one."""
    tell(pos, identify("P1", **ADDRESS) | {"messageId": "address-of-P1"})
    change(somchai, "postcode", by=steward, postcode="10250")
    assert {part: golden(somchai)[part] for part in ADDRESS} == ADDRESS | {"postcode": "10250"}
    record = SourceRecord.objects.get(kind="agent")
    assert {part: record.attributes[part] for part in ADDRESS} == ADDRESS | {"postcode": "10250"}
    assert AgentEdit.objects.get().traits == ["postcode"]


def test_a_name_is_changed_as_a_whole(somchai: Profile, steward: User) -> None:
    change(somchai, "last_name", by=steward, last_name="รักไทย")
    assert (golden(somchai)["first_name"], golden(somchai)["last_name"]) == ("สมชาย", "รักไทย")
    assert [hit.profile for hit in find("สมชาย รักไทย", by=steward)] == [somchai]
    assert rebuild.check() == []


def test_what_repeats_the_parts_of_a_name_goes_when_they_change(tell: Tell, pos: Source, steward: User) -> None:
    tell(pos, identify("P9", name="ปรีดา ดีใจ", firstName="ปรีดา", lastName="ดีใจ"))
    profile = profile_of(pos, "P9")
    change(profile, "first_name", by=steward, first_name="ปรีชา")
    assert golden(profile).get("name") is None
    assert golden(profile)["first_name"] == "ปรีชา"


def test_a_title_before_the_name_goes_where_titles_are(somchai: Profile, steward: User) -> None:
    change(somchai, "first_name", by=steward, title="", first_name="นางสาวสมหญิง", last_name="ใจดี")
    assert (golden(somchai)["title"], golden(somchai)["first_name"]) == ("นางสาว", "สมหญิง")


def test_it_wins_over_a_pin_and_over_a_more_trusted_source(
    somchai: Profile, tell: Tell, pos: Source, steward: User
) -> None:
    Source.objects.filter(pk=pos.pk).update(trust_rank=1)
    tell(pos, identify("P1", occupation="พ่อค้า") | {"messageId": "occupation-of-P1"})
    change(somchai, "occupation", by=steward, occupation="ครู")
    assert golden(somchai)["occupation"] == "ครู"
    assert Pin.objects.in_force().get().record.kind == "agent"
    pins.add(profile=somchai, record=SourceRecord.objects.get(external_id="C1"), trait="occupation", by=steward)
    assert golden(somchai)["occupation"] == "สถาปนิก"
    change(somchai, "occupation", by=steward, occupation="วิศวกร")
    assert golden(somchai)["occupation"] == "วิศวกร"


@pytest.mark.parametrize(
    ("trait", "said"),
    [
        ("phone", "12"),
        ("phone", "081 234"),
        ("email", "somchai@"),
        ("email", "noemail@example.com"),
        ("birth_date", "31/02/2533"),
        ("birth_date", "1/4/33"),
        ("gender", "neither"),
        ("satisfaction", "very"),
        ("satisfaction", "1e99"),
        ("occupation", "x" * 501),
        ("occupation", "ไม่มี"),
        ("occupation", "a\x00b"),
    ],
)
def test_what_ingestion_would_not_keep_is_refused(trait: str, said: str, somchai: Profile, steward: User) -> None:
    with pytest.raises(Unreadable) as problem:
        change(somchai, trait, by=steward, **{trait: said})
    assert problem.value.problems.keys() == {trait}
    assert not AgentEdit.objects.exists()
    assert not SourceRecord.objects.filter(kind="agent").exists()


@pytest.mark.parametrize(
    ("trait", "said", "kept"),
    [
        ("phone", "02 123 4568, 086-345-1973", ["+6621234568", "+66863451973"]),
        ("email", " Somchai.New@Baansabai.co.th ", "somchai.new@baansabai.co.th"),
        ("birth_date", "01/04/2533", "1990-04-01"),
        ("birth_date", "1 เม.ย. 2533", "1990-04-01"),
        ("gender", "male", "male"),
        ("satisfaction", "๔", 4),
        ("interests", "ปลูกต้นไม้, อ่านหนังสือ", ["ปลูกต้นไม้", "อ่านหนังสือ"]),
        ("occupation", "<b>ครู</b>\u200b\u202e '; DROP TABLE x; --", "<b>ครู</b> '; DROP TABLE x; --"),
    ],
)
def test_values_are_kept_as_ingestion_keeps_them(
    trait: str, said: str, kept: object, somchai: Profile, steward: User
) -> None:
    change(somchai, trait, by=steward, **{trait: said})
    assert SourceRecord.objects.get(kind="agent").attributes[trait] == kept


def test_the_same_again_changes_nothing(somchai: Profile, steward: User) -> None:
    before = state()
    assert change(somchai, "phone", by=steward, phone="+66 86 345 1972").edit is None
    assert state() == before


def test_a_source_takes_back_its_own_word_alone(somchai: Profile, steward: User) -> None:
    with pytest.raises(MendableError, match="Call centre"):
        change(somchai, "occupation", by=steward, occupation="")
    change(somchai, "occupation", by=steward, occupation="ครู")
    assert change(somchai, "occupation", by=steward, occupation="").shows_source
    assert golden(somchai)["occupation"] == "สถาปนิก"


def test_what_is_not_the_viewers_to_see_or_anybodys_to_change(
    somchai: Profile, steward: User, agent: User, marketing: Department
) -> None:
    for trait in ("member_id", "line_id", "member_tier", "created_at", "no_such_trait", "first_name'--"):
        assert fields.load(somchai, trait, by=steward) is None
    hidden = TraitGroup.objects.create(slug="secret", name="Secret", kind_of_data="descriptive", department=marketing)
    Trait.objects.filter(name="occupation").update(group=hidden)
    assert fields.load(somchai, "occupation", by=agent) is None
    assert "occupation" not in {trait.name for trait in fields.addable(somchai, by=agent)}
    with pytest.raises(NotFoundProblem):
        changing.change(profile=somchai, trait="occupation", said={"occupation": "x"}, version="", by=agent)


class TestTwoAtOnce:
    def test_the_later_one_is_told_and_nothing_is_overwritten(
        self, somchai: Profile, steward: User, agent: User
    ) -> None:
        seen = fields.load(somchai, "occupation", by=agent)
        assert seen is not None
        change(somchai, "occupation", by=steward, occupation="ครู")
        with pytest.raises(Overtaken) as problem:
            change(somchai, "occupation", by=agent, version=seen.version, occupation="วิศวกร")
        assert problem.value.now.values["occupation"] == "ครู"
        assert golden(somchai)["occupation"] == "ครู"
        change(somchai, "occupation", by=agent, version=problem.value.now.version, occupation="วิศวกร")
        assert golden(somchai)["occupation"] == "วิศวกร"

    def test_two_who_type_the_same_agree(self, somchai: Profile, steward: User, agent: User) -> None:
        seen = fields.load(somchai, "occupation", by=agent)
        assert seen is not None
        change(somchai, "occupation", by=steward, occupation="ครู")
        assert change(somchai, "occupation", by=agent, version=seen.version, occupation="ครู").edit is None

    def test_a_source_may_be_the_faster_one(self, somchai: Profile, tell: Tell, pos: Source, steward: User) -> None:
        seen = fields.load(somchai, "occupation", by=steward)
        assert seen is not None
        tell(pos, identify("P1", occupation="พ่อค้า") | {"messageId": "occupation-of-P1"})
        with pytest.raises(Overtaken):
            change(somchai, "occupation", by=steward, version=seen.version, occupation="ครู")

    def test_a_version_tells_nothing_of_the_value(self, somchai: Profile, manee: Profile, steward: User) -> None:
        seen = fields.load(somchai, "phone", by=steward)
        other = fields.load(manee, "phone", by=steward)
        assert seen is not None
        assert other is not None
        assert seen.version != other.version
        assert "345" not in seen.version or len(seen.version) == 32

    def test_whoever_was_merged_away_is_not_changed(self, somchai: Profile, manee: Profile, steward: User) -> None:
        (kept,) = merging.merge(profiles=[somchai, manee], by=steward, reason="").profiles
        (gone,) = {somchai, manee} - {kept}
        with pytest.raises(ConflictProblem):
            changing.change(profile=gone, trait="occupation", said={"occupation": "x"}, version="", by=steward)


class TestUndo:
    @pytest.mark.parametrize(
        ("trait", "said"),
        [
            ("occupation", {"occupation": "ครู"}),
            ("phone", {"phone": "0812345679"}),
            ("email", {"email": "new@baansabai.co.th"}),
            ("address", ADDRESS),
            ("last_name", {"last_name": "รักไทย"}),
        ],
    )
    def test_everything_is_as_it_was(self, trait: str, said: dict[str, str], somchai: Profile, steward: User) -> None:
        notes.add(profile=somchai, text="x", by=steward)  # the agent record is there already
        before = state()
        done = change(somchai, trait, by=steward, **said)
        assert state() != before
        assert done.edit is not None
        undoing.undo(profile=somchai, edit_id=done.edit.pk, by=steward)
        assert state() == before
        assert rebuild.check() == []
        assert AuditEvent.objects.filter(action="profile.edit_undo").count() == 1

    def test_of_a_second_change_brings_the_first_back(self, somchai: Profile, steward: User) -> None:
        change(somchai, "phone", by=steward, phone="0812345679")
        before = state()
        second = change(somchai, "phone", by=steward, phone="0812345680, 0812345679")
        assert second.edit is not None
        undoing.undo(profile=somchai, edit_id=second.edit.pk, by=steward)
        assert state() == before
        assert golden(somchai)["phone"] == "+66812345679"

    def test_leaves_what_was_changed_beside_it(self, somchai: Profile, steward: User) -> None:
        first = change(somchai, "phone", by=steward, phone="0812345679")
        change(somchai, "email", by=steward, email="new@baansabai.co.th")
        assert first.edit is not None
        undoing.undo(profile=somchai, edit_id=first.edit.pk, by=steward)
        assert golden(somchai)["email"] == "new@baansabai.co.th"
        agents = Identifier.objects.filter(record__kind="agent")
        assert list(agents.values_list("value", flat=True)) == ["new@baansabai.co.th"]

    def test_brings_back_a_pin_that_it_replaced(self, somchai: Profile, steward: User) -> None:
        record = SourceRecord.objects.get(external_id="C1")
        pin = pins.add(profile=somchai, record=record, trait="occupation", by=steward)
        done = change(somchai, "occupation", by=steward, occupation="ครู")
        assert done.edit is not None
        undoing.undo(profile=somchai, edit_id=done.edit.pk, by=steward)
        assert Pin.objects.in_force().get() == pin
        assert golden(somchai)["occupation"] == "สถาปนิก"

    def test_is_for_who_made_the_change_while_it_stands(self, somchai: Profile, steward: User, agent: User) -> None:
        first = change(somchai, "occupation", by=agent, occupation="ครู").edit
        assert first is not None
        with pytest.raises(NotFoundProblem):
            undoing.undo(profile=somchai, edit_id=first.pk, by=steward)
        second = change(somchai, "occupation", by=steward, occupation="วิศวกร").edit
        with pytest.raises(ConflictProblem):
            undoing.undo(profile=somchai, edit_id=first.pk, by=agent)
        assert second is not None
        undoing.undo(profile=somchai, edit_id=second.pk, by=steward)
        with pytest.raises(ConflictProblem):
            undoing.undo(profile=somchai, edit_id=second.pk, by=steward)
        undoing.undo(profile=somchai, edit_id=first.pk, by=agent)
        assert golden(somchai)["occupation"] == "สถาปนิก"

    def test_comes_too_late_after_some_minutes(self, somchai: Profile, agent: User) -> None:
        edit = change(somchai, "occupation", by=agent, occupation="ครู").edit
        assert edit is not None
        record, long_ago = edit.record, timezone.now() - undoing.POSSIBLE - timedelta(minutes=1)
        edit.at = long_ago
        edit.save()
        record.refresh_from_db()
        record.attribute_times["occupation"] = long_ago.isoformat(timespec="microseconds")
        record.save()
        with pytest.raises(ConflictProblem):
            undoing.undo(profile=somchai, edit_id=edit.pk, by=agent)


class TestIdentifiers:
    def test_typed_by_an_agent_finds_the_customer_and_joins_nobody(
        self, somchai: Profile, manee: Profile, steward: User
    ) -> None:
        change(somchai, "email", by=steward, email="manee@baansabai.co.th")
        assert Membership.objects.filter(valid_to=None).values("profile").distinct().count() == 2
        hits = {hit.profile for hit in find("manee@baansabai.co.th", by=steward)}
        assert hits == {somchai, manee}
        assert rebuild.check() == []

    def test_the_consequences_are_told_before(self, somchai: Profile, manee: Profile, steward: User) -> None:
        editable = fields.load(somchai, "email", by=steward)
        assert editable is not None
        typed = reading.read(editable, {"email": "Manee@baansabai.co.th"})
        found = consequences.foresee(somchai, editable, typed, by=steward)
        assert [row.profile for row in found.others] == [manee]
        assert found.stays == [("somchai@baansabai.co.th", ["Web shop"])]

    def test_of_customers_that_the_viewer_does_not_see_nothing_is_told(
        self, somchai: Profile, manee: Profile, agent: User
    ) -> None:
        editable = fields.load(somchai, "email", by=agent)
        assert editable is not None
        typed = reading.read(editable, {"email": "manee@baansabai.co.th"})
        assert not consequences.foresee(somchai, editable, typed, by=agent)

    def test_what_stands_there_has_none(self, somchai: Profile, steward: User) -> None:
        editable = fields.load(somchai, "phone", by=steward)
        assert editable is not None
        typed = reading.read(editable, {"phone": "086 345 1972"})
        assert not consequences.foresee(somchai, editable, typed, by=steward)

    def test_a_switchboard_reaches_and_identifies_nobody(self, somchai: Profile, steward: User) -> None:
        editable = fields.load(somchai, "phone", by=steward)
        assert editable is not None
        typed = reading.read(editable, {"phone": "02 123 4568 ต่อ 12"})
        assert consequences.foresee(somchai, editable, typed, by=steward).speaks_for_nobody
        change(somchai, "phone", by=steward, phone="02 123 4568 ต่อ 12")
        assert not Identifier.objects.get(record__kind="agent").is_evidence


class TestMasked:
    def test_the_old_value_is_not_in_the_form_and_stays_when_nothing_is_typed(
        self, somchai: Profile, tell: Tell, pos: Source, agent: User, steward: User
    ) -> None:
        tell(pos, identify("P1", **ADDRESS) | {"messageId": "address-of-P1"})
        editable = fields.load(somchai, "address", by=agent)
        assert editable is not None
        shown = {field.trait.name: (field.text, bool(field.hidden)) for field in editable.fields}
        assert shown["address"] == ("", True)
        assert shown["postcode"] == ("", True)
        assert shown["province"] == ("กรุงเทพมหานคร", False)
        change(somchai, "address", by=agent, province="นนทบุรี")
        assert {part: golden(somchai)[part] for part in ADDRESS} == ADDRESS | {"province": "นนทบุรี"}

    def test_it_is_replaced_without_being_seen(self, somchai: Profile, agent: User) -> None:
        change(somchai, "phone", by=agent, phone="0812345679")
        assert golden(somchai)["phone"] == "+66812345679"


def test_changes_follow_the_record_through_merge_and_unmerge(somchai: Profile, manee: Profile, steward: User) -> None:
    change(manee, "occupation", by=steward, occupation="ครู")
    before = state()
    merged = merging.merge(profiles=[somchai, manee], by=steward, reason="")
    assert rebuild.check() == []
    assert golden(merged.profiles[0])["occupation"] == "ครู"
    merging.revert(operation=merged.operation, by=steward, reason="")
    assert state() == before
    assert golden(manee)["occupation"] == "ครู"
    assert golden(somchai)["occupation"] == "สถาปนิก"


def test_two_customers_with_changes_become_one_and_the_newest_wins(
    somchai: Profile, manee: Profile, steward: User, login: Callable[..., object]
) -> None:
    change(somchai, "occupation", by=steward, occupation="ครู")
    change(manee, "occupation", by=steward, occupation="วิศวกร")
    (one,) = merging.merge(profiles=[somchai, manee], by=steward, reason="").profiles
    assert golden(one)["occupation"] == "วิศวกร"
    edit = change(one, "occupation", by=steward, occupation="แพทย์").edit
    assert golden(one)["occupation"] == "แพทย์"
    assert edit is not None
    undoing.undo(profile=one, edit_id=edit.pk, by=steward)
    assert golden(one)["occupation"] == "วิศวกร"
    assert rebuild.check() == []


def test_an_unmerge_asks_where_a_change_goes_that_was_made_while_they_were_one(
    somchai: Profile, manee: Profile, steward: User
) -> None:
    (one,) = merging.merge(profiles=[somchai, manee], by=steward, reason="").profiles
    change(one, "occupation", by=steward, occupation="แพทย์")
    apart = SourceRecord.objects.get(source__slug="web", external_id="u7")
    preview = merging.preview_unmerge(one, [apart.pk])
    assert list(preview.unclear_notes) == [SourceRecord.objects.get(kind="agent").pk]


def test_whoever_is_erased_takes_changes_drafts_and_presence_along(somchai: Profile, steward: User) -> None:
    change(somchai, "email", by=steward, email="new@baansabai.co.th")
    notes.keep_draft(profile=somchai, text="x", disposition="", by=steward)
    presence.look(somchai, by=steward)
    records = Membership.objects.filter(profile=somchai, valid_to=None).values_list("record", flat=True)
    births = Profile.objects.filter(birth_record__in=records)
    who = Subject(
        profile_ids=tuple(births.values_list("pk", flat=True)),
        record_ids=tuple(records),
        public_ids=tuple(births.values_list("public_id", flat=True)),
    )
    (holder,) = (one for one in personal_data.holders() if one.name == "profiles.editing")
    tables = {"profiles.AgentEdit": 1, "profiles.NoteDraft": 1, "profiles.Presence": 1}
    assert holder.locate(who) == tables
    exported = holder.export(who)
    assert exported["profiles.AgentEdit"][0]["traits"] == ["email"]
    assert exported["profiles.NoteDraft"][0]["text"] == "x"
    assert holder.erase(who).erased == tables
    assert not any(holder.locate(who).values())
