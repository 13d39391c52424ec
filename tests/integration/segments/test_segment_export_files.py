"""The file of a list: sealed, given to who asked for it, gone after a day, after a withdrawal and after an erasure."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from cdp_site.core.models import AuditEvent, Department, User
from cdp_site.core.personal_data import Subject
from consent import erasure, requests
from consent.models import Channel, ConsentEntry, Purpose, VoidEntry
from ingestion.files import store
from ingestion.models import Source
from profiles import merging
from profiles.models import EventType, Membership, Profile, Trait, TraitGroup
from segments.exports import files, job
from segments.exports.personal_data import MEMBERS, ExportHolder
from segments.exports.problems import FileGoneProblem, NarrowedProblem, WithdrawnProblem
from segments.models import ExportMember, Segment, SegmentExport
from tests.customers import LATELY, Tell, identify, profile_of, track
from tests.factories import exports
from tests.factories.consent import ask as ask_for_erasure

pytestmark = pytest.mark.django_db
Make = Callable[..., Segment]
Removal = SegmentExport.Removal
Committing = AbstractContextManager[object]


@pytest.fixture
def committing(django_capture_on_commit_callbacks: Callable[..., Committing]) -> Callable[[], Committing]:
    """Files go when the transaction is committed, which that of a test never is: they go at the block's end."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def listed(viewers: None, make_segment: Make, marketer: User, committing: Callable[[], Committing]) -> SegmentExport:
    """A list that is ready, with one customer on it."""
    with committing():
        return exports.exported(make_segment(), Purpose.objects.get(slug="marketing"), Channel.EMAIL, marketer)


def in_store(folder: Path) -> list[Path]:
    return sorted((folder / "exports").glob("*"))


def subject_of(profile: Profile) -> Subject:
    records = Membership.objects.filter(profile=profile, valid_to__isnull=True).values_list("record", flat=True)
    return Subject(profile_ids=(profile.pk,), record_ids=tuple(records), public_ids=(profile.public_id,))


def test_nothing_of_it_lies_in_clear(listed: SegmentExport, tmp_path: Path, marketer: User) -> None:
    found = in_store(tmp_path)
    assert any(path.stem == listed.stored_as for path in found)
    for path in found:
        assert path.stat().st_mode & 0o077 == 0
        assert b"baansabai" not in path.read_bytes()
    assert len(exports.content(listed, marketer)) == listed.size


def test_each_fetching_is_counted_and_audited(listed: SegmentExport, marketer: User) -> None:
    for _time in range(2):
        exports.content(listed, marketer)
    listed.refresh_from_db()
    assert listed.n_fetched == 2
    assert AuditEvent.objects.filter(action="segment.fetch", actor=f"user:{marketer.pk}").count() == 2


class TestItGoes:
    def test_after_a_day(
        self, listed: SegmentExport, tmp_path: Path, marketer: User, committing: Callable[[], Committing]
    ) -> None:
        assert files.remove_expired() == 0
        assert len(in_store(tmp_path)) == 1
        with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1), tick=False):
            with committing():
                assert files.remove_expired() == 1
            assert files.remove_expired() == 0
            with pytest.raises(FileGoneProblem):
                exports.content(listed, marketer)
        listed.refresh_from_db()
        assert (listed.stored_as, listed.removed_because) == ("", Removal.EXPIRED)
        assert not in_store(tmp_path)
        assert ExportMember.objects.count() == 1  # what is measured goes on

    def test_when_its_asker_says_so(
        self, listed: SegmentExport, tmp_path: Path, marketer: User, committing: Callable[[], Committing]
    ) -> None:
        with committing():
            assert files.remove(export=listed, because=Removal.ASKED, by=marketer)
        assert not files.remove(export=listed, because=Removal.ASKED, by=marketer)
        assert not in_store(tmp_path)
        assert AuditEvent.objects.filter(action="segment.remove_file", actor=f"user:{marketer.pk}").count() == 1

    def test_when_somebody_on_it_withdraws(
        self, listed: SegmentExport, tell: Tell, web_shop: Source, marketer: User
    ) -> None:
        soon = (timezone.now() - LATELY).total_seconds() / 3600 + 1
        with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
            tell(web_shop, track("v1", "Consent Withdrawn", hours=-soon, purpose="marketing", channel="email"))
            with pytest.raises(WithdrawnProblem):
                exports.content(listed, marketer)
        listed.refresh_from_db()
        assert (listed.stored_as, listed.removed_because, listed.n_fetched) == ("", Removal.WITHDRAWN, 0)

    def test_when_one_of_several_addresses_is_withdrawn(
        self, viewers: None, make_segment: Make, tell: Tell, web_shop: Source, marketer: User
    ) -> None:
        both = identify("v1", email=["v1@baansabai.co.th", "other@baansabai.co.th"]) | {"messageId": "both"}
        tell(web_shop, both)
        export = exports.exported(make_segment(), Purpose.objects.get(slug="marketing"), Channel.EMAIL, marketer)
        said = track("v1", "Consent Withdrawn", purpose="marketing", channel="email", address="v1@baansabai.co.th")
        tell(web_shop, said | {"timestamp": timezone.now().isoformat()})
        with pytest.raises(WithdrawnProblem):
            exports.content(export, marketer)

    def test_what_others_say_meanwhile_does_not_matter(
        self, listed: SegmentExport, tell: Tell, web_shop: Source, marketer: User
    ) -> None:
        with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
            tell(web_shop, track("v2", "Consent Withdrawn", hours=1, purpose="marketing", channel="email"))
            tell(web_shop, track("v1", "Consent Withdrawn", hours=2, purpose="marketing", channel="sms"))
            assert exports.content(listed, marketer)

    def test_when_a_withdrawal_waited_for_the_digest(
        self, listed: SegmentExport, tell: Tell, web_shop: Source, marketer: User
    ) -> None:
        """It bears the time at which it came, which is before the list was asked for."""
        came = timezone.now() - timedelta(hours=2)
        with time_machine.travel(came, tick=False):
            said = track("v1", "Consent Withdrawn", purpose="marketing", channel="email")
            tell(web_shop, said | {"timestamp": came.isoformat()})
        assert ConsentEntry.objects.filter(state="withdrawn", received_at__lt=listed.at).exists()
        with pytest.raises(WithdrawnProblem):
            exports.content(listed, marketer)

    def test_when_the_purpose_is_no_longer_in_use(self, listed: SegmentExport, marketer: User) -> None:
        Purpose.objects.filter(pk=listed.purpose_id).update(is_active=False)
        listed = SegmentExport.objects.get(pk=listed.pk)
        with pytest.raises(WithdrawnProblem):
            exports.content(listed, marketer)
        listed.refresh_from_db()
        assert (listed.stored_as, listed.n_fetched) == ("", 0)

    def test_when_the_import_that_brought_the_consent_is_taken_back(
        self, listed: SegmentExport, web_shop: Source, marketer: User
    ) -> None:
        entry = ConsentEntry.objects.get(record__external_id="v1", state="granted")
        VoidEntry.objects.create(entry=entry, operation_id=uuid4())
        with pytest.raises(WithdrawnProblem):
            exports.content(listed, marketer)

    def test_when_somebody_on_it_turns_out_to_be_one_who_withdrew_before(
        self, listed: SegmentExport, web_shop: Source, marketer: User, steward: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(files, "LATEST", timedelta(0))  # long before
        both = [profile_of(web_shop, "v1"), profile_of(web_shop, "v2")]
        merging.merge(profiles=both, by=steward, reason="one person")
        with pytest.raises(WithdrawnProblem):
            exports.content(listed, marketer)

    def test_not_when_somebody_on_it_turns_out_to_be_one_who_never_said_anything(
        self, listed: SegmentExport, web_shop: Source, marketer: User, steward: User
    ) -> None:
        both = [profile_of(web_shop, "v1"), profile_of(web_shop, "v4")]
        merging.merge(profiles=both, by=steward, reason="one person")
        assert exports.content(listed, marketer)

    def test_when_a_record_of_somebody_on_it_is_anothers(
        self, viewers: None, make_segment: Make, web_shop: Source, marketer: User, steward: User
    ) -> None:
        """The address that is in the file may be the other's, who agreed to nothing."""
        merging.merge(
            profiles=[profile_of(web_shop, "v1"), profile_of(web_shop, "v3")], by=steward, reason="one person"
        )
        one = profile_of(web_shop, "v1")
        export = exports.exported(make_segment(), Purpose.objects.get(slug="marketing"), Channel.EMAIL, marketer)
        assert export.n_exported == 1
        record = Membership.objects.get(profile=one, valid_to__isnull=True, record__external_id="v3").record_id
        merging.unmerge(profile=one, records=[record], by=steward, reason="two people")
        with pytest.raises(WithdrawnProblem):
            exports.content(export, marketer)

    def test_when_the_import_that_brought_somebody_is_taken_back(self, listed: SegmentExport, marketer: User) -> None:
        ExportMember.objects.update(record=0)  # no foreign key: the record is gone
        with pytest.raises(WithdrawnProblem):
            exports.content(listed, marketer)

    def test_when_its_day_is_over_and_the_chore_is_late(self, listed: SegmentExport, marketer: User) -> None:
        later = timezone.now() + timedelta(hours=24, seconds=1)
        with time_machine.travel(later, tick=False), pytest.raises(FileGoneProblem):
            exports.content(listed, marketer)

    def test_when_somebody_on_it_asks_for_erasure(
        self, listed: SegmentExport, web_shop: Source, marketer: User, compliance: User
    ) -> None:
        ask_for_erasure(profile_of(web_shop, "v1"), compliance)
        with pytest.raises(WithdrawnProblem):
            exports.content(listed, marketer)

    def test_when_somebody_on_it_is_erased(
        self,
        listed: SegmentExport,
        web_shop: Source,
        compliance: User,
        make_user: Callable[..., User],
        tmp_path: Path,
        *,
        committing: Callable[[], Committing],
    ) -> None:
        done = ask_for_erasure(profile_of(web_shop, "v1"), compliance)
        requests.approve(request_id=done.pk, by=make_user("compliance", compliance.department, "colleague"))
        with committing():
            erasure.run(done.pk)

        listed.refresh_from_db()
        assert (listed.stored_as, listed.removed_because) == ("", Removal.ERASED)
        assert (listed.n_exported, ExportMember.objects.count()) == (1, 0)
        assert not in_store(tmp_path)


class TestEyes:
    """The file is what its asker saw when it was made: who sees less today does not get it."""

    def refused(self, export: SegmentExport, by: User) -> None:
        with pytest.raises(NarrowedProblem):
            exports.content(export, User.objects.get(pk=by.pk))
        export.refresh_from_db()
        assert (export.n_fetched, bool(export.stored_as)) == (0, True)

    def test_a_column_that_was_hidden_since(
        self, viewers: None, make_segment: Make, marketer: User, care: Department
    ) -> None:
        purpose = Purpose.objects.get(slug="marketing")
        columns = ["customer_id", "province"]
        export = exports.exported(make_segment(), purpose, Channel.EMAIL, marketer, columns=columns)
        TraitGroup.objects.filter(traits__name="province").update(department=care)
        self.refused(export, marketer)

    def test_a_source_that_was_given_away_since(
        self, listed: SegmentExport, marketer: User, care: Department, web_shop: Source
    ) -> None:
        Source.objects.filter(pk=web_shop.pk).update(department=care)
        self.refused(listed, marketer)

    def test_addresses_that_were_hidden_since(self, listed: SegmentExport, marketer: User, care: Department) -> None:
        hers = TraitGroup.objects.create(slug="mail", name="Mail", kind_of_data="identity", department=care)
        Trait.objects.filter(name="email").update(group=hers)
        self.refused(listed, marketer)

    def test_what_the_segment_is_about_was_hidden_since(
        self, listed: SegmentExport, marketer: User, care: Department
    ) -> None:
        EventType.objects.filter(name="Product Viewed").update(department=care)
        self.refused(listed, marketer)

    def test_who_sees_more_since_gets_it(
        self, listed: SegmentExport, marketer: User, marketing: Department, pos: Source, web_shop: Source
    ) -> None:
        assert listed.sources is not None
        assert web_shop.pk in listed.sources
        Source.objects.create(slug="more", name="More", department=marketing)
        assert exports.content(listed, User.objects.get(pk=marketer.pk))


class TestHolder:
    def test_tells_and_forgets_who_was_on_a_list(self, listed: SegmentExport, web_shop: Source) -> None:
        holder, subject = ExportHolder(), subject_of(profile_of(web_shop, "v1"))
        assert holder.locate(subject) == {MEMBERS: 1}
        (told,) = holder.export(subject)[MEMBERS]
        assert (told["export__segment_name"], told["export__purpose__slug"], told["is_held_out"]) == (
            "Red", "marketing", False
        )  # fmt: skip
        assert holder.erase(subject).erased == {MEMBERS: 1}
        assert holder.locate(subject) == {MEMBERS: 0}

    def test_who_was_on_none_has_nothing_there(self, listed: SegmentExport, web_shop: Source) -> None:
        assert ExportHolder().locate(subject_of(profile_of(web_shop, "v2"))) == {MEMBERS: 0}
        ExportHolder().erase(subject_of(profile_of(web_shop, "v2")))
        listed.refresh_from_db()
        assert listed.stored_as

    def test_a_list_that_is_being_made_ends(
        self, viewers: None, make_segment: Make, marketer: User, web_shop: Source, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        export = exports.ask(make_segment(), Purpose.objects.get(slug="marketing"), Channel.EMAIL, marketer)
        subject = subject_of(profile_of(web_shop, "v1"))
        bind = job.files.bind

        def erased_meanwhile(*given: Any, **said: Any) -> object:
            ExportHolder().erase(subject)
            return bind(*given, **said)

        monkeypatch.setattr(job.files, "bind", erased_meanwhile)
        monkeypatch.setattr(files, "discard", lambda names: [store.remove(name, files.ROOM) for name in names if name])
        exports.make(export)
        assert (export.status, export.problem, export.stored_as) == ("failed", "stopped", "")
        assert not in_store(tmp_path), "a file that nobody knows of is not left until the nightly chore"

    def test_so_does_one_whose_rows_are_being_written(
        self, viewers: None, make_segment: Make, marketer: User, web_shop: Source, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        export = exports.ask(make_segment(), Purpose.objects.get(slug="marketing"), Channel.EMAIL, marketer)
        subject = subject_of(profile_of(web_shop, "v1"))
        keep = job.files.keep_rows

        def erased_meanwhile(rows: list[list[str]]) -> str:
            ExportHolder().erase(subject)
            return keep(rows)

        monkeypatch.setattr(job.files, "keep_rows", erased_meanwhile)
        exports.make(export)
        assert (export.status, export.problem) == ("failed", "stopped")
        assert not in_store(tmp_path)


def test_what_killed_jobs_left_goes_after_a_day(listed: SegmentExport, tmp_path: Path) -> None:
    stray, fresh = files.keep_rows([["a"]]), files.keep_rows([["b"]])
    yesterday = timezone.now().timestamp() - 90_000
    for name in (stray, listed.stored_as):
        os.utime(tmp_path / "exports" / f"{name}.sealed", (yesterday, yesterday))

    files.remove_strays()

    left = {path.stem for path in in_store(tmp_path)}
    assert stray not in left
    assert {fresh, listed.stored_as} <= left


def test_a_damaged_file_is_told_before_an_answer_begins(listed: SegmentExport, tmp_path: Path, marketer: User) -> None:
    (tmp_path / "exports" / f"{listed.stored_as}.sealed").write_bytes(b"x")
    with pytest.raises(FileGoneProblem):
        exports.content(listed, marketer)
