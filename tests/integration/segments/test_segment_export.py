"""Lists that leave the product: through the gate, safe to open, and with a trace on everybody who is on them."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from python_calamine import CalamineWorkbook

from cdp_site.core.errors import MendableError
from cdp_site.core.models import AuditEvent, Role, User
from consent.models import Channel, Purpose
from consent.preferences import links
from ingestion.models import Source
from profiles.models import Touchpoint, Trait, TraitGroup
from segments import audience, authoring
from segments.exports import asking, columns, gating, hashed, job
from segments.exports.asking import Wish
from segments.models import ExportMember, Segment, SegmentExport
from tests.customers import Tell, identify, profile_of, track
from tests.factories import exports
from tests.integration.segments.conftest import viewed_red, whole

pytestmark = pytest.mark.django_db
Make = Callable[..., Segment]
Format = SegmentExport.Format


@pytest.fixture
def marketing_purpose(db: None) -> Purpose:
    return Purpose.objects.get_or_create(slug="marketing", defaults={"name": "Marketing"})[0]


def rows_of(export: SegmentExport, by: User) -> list[list[str]]:
    return list(csv.reader(io.StringIO(exports.content(export, by).decode("utf-8-sig"))))


def test_only_those_pass_who_agreed_and_the_others_are_counted_by_reason(
    marketing_purpose: Purpose, viewers: None, make_segment: Make, marketer: User, web_shop: Source
) -> None:
    export = exports.exported(make_segment(), marketing_purpose, Channel.EMAIL, marketer)

    assert rows_of(export, marketer) == [
        ["customer_id", "name", "email"],
        [str(profile_of(web_shop, "v1").public_id), "'=SUM(A1) มีนา1", "v1@baansabai.co.th"],
    ]
    assert (export.status, export.n_members, export.n_done, export.n_exported) == ("ready", 3, 3, 1)
    assert export.n_left_out == {"refused": 1, "never_asked": 1}
    assert (export.n_left_out_in_all, export.n_gone, export.parts) == (2, 0, [])


def test_leaves_a_touchpoint_on_its_members_and_an_audit_row_without_values(
    marketing_purpose: Purpose, viewers: None, make_segment: Make, marketer: User, web_shop: Source
) -> None:
    segment = make_segment()

    export = exports.exported(segment, marketing_purpose, Channel.EMAIL, marketer)
    exports.content(export, marketer)

    trace = Touchpoint.objects.get(type__name="Segment Exported")
    assert trace.profile == profile_of(web_shop, "v1")
    assert trace.source.slug == "cdp"
    assert trace.properties == {
        "export_id": str(export.pk),
        "segment_id": str(segment.pk),
        "segment_name": "Red",
        "purpose": "marketing",
        "channel": "email",
    }
    told = {event.action: event for event in AuditEvent.objects.filter(target_id=str(export.pk))}
    assert told.keys() == {"segment.export", "segment.exported", "segment.fetch"}
    assert told["segment.export"].actor == told["segment.fetch"].actor == f"user:{marketer.pk}"
    assert set(told["segment.export"].fields) == {"purpose", "format", "customer_id", "email", "name"}


def test_each_person_is_on_the_list_once_and_phones_keep_their_country_code(
    marketing_purpose: Purpose, tell: Tell, web_shop: Source, make_segment: Make, marketer: User, tmp_path: Path
) -> None:
    tell(web_shop, identify("p1", firstName="มานี", phone=["081 234 5678", "081 234 5679"]))
    tell(web_shop, track("p1", "Product Viewed", color="red"))
    tell(web_shop, track("p1", "Consent Granted", purpose="marketing", channel="sms"))
    segment = make_segment()

    (row,) = rows_of(exports.exported(segment, marketing_purpose, Channel.SMS, marketer), marketer)[1:]
    assert row[2].startswith("+6681234567")

    book = exports.exported(segment, marketing_purpose, Channel.SMS, marketer, format=Format.XLSX)
    path = tmp_path / "list.xlsx"
    path.write_bytes(exports.content(book, marketer))
    assert CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python() == [
        ["customer_id", "name", "phone"],
        row,
    ]


def test_a_list_is_of_the_segment_as_it_was_written_when_it_was_asked_for(
    marketing_purpose: Purpose, viewers: None, make_segment: Make, marketer: User
) -> None:
    segment = make_segment()
    export = exports.ask(segment, marketing_purpose, Channel.EMAIL, marketer)
    authoring.change(
        segment=segment,
        name=segment.name,
        description="",
        department=segment.department,
        definition=whole(viewed_red(99)),
        by=marketer,
    )

    assert exports.make(export).n_members == 3


class TestColumns:
    def test_identifiers_and_sensitive_traits_are_not_offered_to_who_reads_them_masked(
        self, viewers: None, marketer: User, steward: User
    ) -> None:
        group, _made = TraitGroup.objects.get_or_create(
            slug="health", defaults={"name": "Health", "is_sensitive": True, "kind_of_data": "descriptive"}
        )
        Trait.objects.get_or_create(name="chronic_illness", defaults={"group": group})

        offered = columns.offered(marketer)

        assert {"customer_id", "name", "province", "first_name"} <= offered.keys()
        assert not {"email", "phone", "birth_date", "address", "chronic_illness"} & offered.keys()
        assert "birth_date" in columns.offered(steward)

    def test_a_trait_of_another_department_is_neither_offered_nor_written(
        self, viewers: None, marketer: User, care: object, marketing_purpose: Purpose, make_segment: Make
    ) -> None:
        TraitGroup.objects.filter(traits__name="province").update(department=care)
        assert "province" not in columns.offered(marketer)
        with pytest.raises(MendableError):
            exports.ask(make_segment(), marketing_purpose, Channel.EMAIL, marketer, columns=["customer_id", "province"])
        assert not SegmentExport.objects.exists()

    def test_the_chosen_ones_stand_behind_the_address_in_the_order_of_the_catalogue(
        self, viewers: None, marketer: User, marketing_purpose: Purpose, make_segment: Make
    ) -> None:
        export = exports.exported(
            make_segment(), marketing_purpose, Channel.EMAIL, marketer, columns=["name", "last_name", "province"]
        )
        assert rows_of(export, marketer) == [
            ["name", "email", "last_name", "province"],
            ["'=SUM(A1) มีนา1", "v1@baansabai.co.th", "มีนา1", "ตรัง"],
        ]


class TestPlatforms:
    @pytest.fixture
    def shoppers(self, tell: Tell, web_shop: Source) -> None:
        """One may be mailed, one may be called by SMS, one both, one neither."""
        for user, channels in (("a", ["email"]), ("b", ["sms"]), ("c", ["email", "sms"]), ("d", [])):
            number = ord(user) - ord("a")
            address = f"{user}.{user}@gmail.com"
            tell(web_shop, identify(user, firstName="มานี", email=address, phone=f"081234567{number}"))
            tell(web_shop, track(user, "Product Viewed", color="red"))
            for hour, channel in enumerate(channels):
                said = track(user, "Consent Granted", hours=hour, purpose="marketing", channel=channel)
                tell(web_shop, said)

    def test_each_address_by_the_consent_to_its_own_channel(
        self, shoppers: None, marketer: User, marketing_purpose: Purpose, make_segment: Make
    ) -> None:
        export = exports.exported(make_segment(), marketing_purpose, "", marketer, format=Format.GOOGLE)

        rows = rows_of(export, marketer)
        assert rows[0] == ["Email", "Phone"]
        assert sorted(rows[1:]) == sorted(
            [
                [hashed.hashed("aa@gmail.com"), ""],
                ["", hashed.hashed("+66812345671")],
                [hashed.hashed("cc@gmail.com"), hashed.hashed("+66812345672")],
            ]
        )
        assert (export.n_exported, export.n_left_out, export.channel) == (3, {"never_asked": 1}, "")

    def test_no_address_is_in_the_file(
        self, shoppers: None, marketer: User, marketing_purpose: Purpose, make_segment: Make
    ) -> None:
        segment = make_segment()
        for form in (Format.GOOGLE, Format.META, Format.TIKTOK, Format.LINE_EMAIL, Format.LINE_PHONE):
            text = exports.content(exports.exported(segment, marketing_purpose, "", marketer, format=form), marketer)
            assert b"@" not in text
            assert b"8123456" not in text
            assert len(text.splitlines()) in (2, 4)

    @pytest.mark.parametrize(("form", "people"), [(Format.META, 3), (Format.LINE_EMAIL, 2)])
    def test_its_members_are_traced_and_no_message_is_told_of_it(
        self,
        form: str,
        people: int,
        shoppers: None,
        marketer: User,
        marketing_purpose: Purpose,
        make_segment: Make,
    ) -> None:
        exports.exported(make_segment(), marketing_purpose, "", marketer, format=form)
        said = Touchpoint.objects.filter(type__name="Segment Exported").values_list("properties", flat=True)
        assert [(one["format"], "channel" in one) for one in said] == [(form, False)] * people

    def test_messages_of_the_line_account_are_told_of_their_list(
        self, tell: Tell, web_shop: Source, marketer: User, marketing_purpose: Purpose, make_segment: Make
    ) -> None:
        friend = f"U{'4af49806' * 4}"
        for user, name in (("l1", friend), ("l2", "manee.m")):
            tell(web_shop, identify(user, firstName="มานี", lastName=user, line_id=name))
            tell(web_shop, track(user, "Product Viewed", color="red"))
            tell(web_shop, track(user, "Consent Granted", purpose="marketing", channel="line"))
        export = exports.exported(make_segment(), marketing_purpose, "", marketer, format=Format.LINE_USERS)
        assert (export.channel, export.n_left_out) == (Channel.LINE, {"unusable": 1})
        assert exports.content(export, marketer) == f"{friend}\r\n".encode()


class TestWishes:
    def test_a_list_needs_a_channel(
        self, viewers: None, marketer: User, marketing_purpose: Purpose, make_segment: Make
    ) -> None:
        with pytest.raises(MendableError) as problem:
            exports.ask(make_segment(), marketing_purpose, "", marketer)
        assert problem.value.field == "channel"

    @pytest.mark.parametrize("percent", [-1, 51])
    def test_more_than_half_are_not_held_out(
        self, percent: int, viewers: None, marketer: User, marketing_purpose: Purpose, make_segment: Make
    ) -> None:
        with pytest.raises(MendableError) as problem:
            exports.ask(make_segment(), marketing_purpose, Channel.EMAIL, marketer, holdout_percent=percent)
        assert problem.value.field == "holdout_percent"

    def test_what_is_asked_for_changes_nobody_until_the_job_comes(
        self, viewers: None, marketer: User, marketing_purpose: Purpose, make_segment: Make
    ) -> None:
        export = exports.ask(make_segment(), marketing_purpose, Channel.EMAIL, marketer)
        assert export.is_under_way
        assert not ExportMember.objects.exists()
        assert not Touchpoint.objects.filter(type__name="Segment Exported").exists()

    def test_the_preview_says_who_would_be_on_it_and_warns_of_few(
        self, viewers: None, marketer: User, marketing_purpose: Purpose, make_segment: Make
    ) -> None:
        wish = Wish(purpose=marketing_purpose, format=Format.TIKTOK, holdout_percent=0)
        found = asking.preview(make_segment(), wish, by=marketer)
        assert (found.members, found.reachable, found.listed, found.held_out) == (3, 1, 1, 0)
        assert found.is_small
        assert found.is_below_least
        assert not found.is_too_small_to_measure

    def test_of_many_members_the_preview_asks_some(
        self, viewers: None, marketer: User, marketing_purpose: Purpose, make_segment: Make,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        """The dialog is not kept waiting by a million members."""
        gate, met = gating.ask, list[int]()

        def ask(people: list[int], **said: Any) -> Any:
            met.extend(people)
            return gate(people, **said)

        monkeypatch.setattr(asking, "SAMPLE", 2)
        monkeypatch.setattr(gating, "ask", ask)
        wish = Wish(purpose=marketing_purpose, format=Format.TIKTOK, holdout_percent=0)
        found = asking.preview(make_segment(), wish, by=marketer)
        assert len(met) == found.asked == 2
        assert found.is_estimate
        assert found.members == 3
        assert found.reachable + sum(people for _reason, people in found.left_out) == pytest.approx(3, abs=1)

    def test_nobody_is_previewed_as_nobody(
        self, viewers: None, marketer: User, marketing_purpose: Purpose, make_segment: Make
    ) -> None:
        wish = Wish(purpose=marketing_purpose, format=Format.TIKTOK)
        found = asking.preview(make_segment(viewed_red(99)), wish, by=marketer)
        assert (found.members, found.reachable, found.held_out, found.rate, found.is_estimate) == (0, 0, 0, None, False)

    def test_hidden_data_is_not_asked_for(
        self, viewers: None, marketer: User, marketing_purpose: Purpose, make_segment: Make
    ) -> None:
        segment = make_segment()
        definition = {**segment.definition}
        definition["where"]["of"][0]["event"] = "Ticket Opened"
        Segment.objects.filter(pk=segment.pk).update(definition=definition)
        segment.refresh_from_db()
        with pytest.raises(audience.HiddenProblem):
            exports.ask(segment, marketing_purpose, Channel.EMAIL, marketer)


class TestWhatGoesWrong:
    def failed(self, export: SegmentExport) -> str:
        exports.make(export)
        assert export.status == SegmentExport.Status.FAILED
        assert not ExportMember.objects.exists()
        assert not Touchpoint.objects.filter(type__name="Segment Exported").exists()
        assert AuditEvent.objects.filter(action="segment.export_failed", target_id=str(export.pk)).exists()
        return export.problem

    def test_who_lost_the_right_gets_no_list(
        self, viewers: None, marketer: User, marketing_purpose: Purpose, make_segment: Make
    ) -> None:
        export = exports.ask(make_segment(), marketing_purpose, Channel.EMAIL, marketer)
        User.objects.filter(pk=marketer.pk).update(role=Role.AGENT)
        assert self.failed(export) == "not_allowed"

    def test_who_changed_the_department_gets_no_list_of_the_old_one(
        self, viewers: None, marketer: User, care: object, marketing_purpose: Purpose, make_segment: Make
    ) -> None:
        export = exports.ask(make_segment(), marketing_purpose, Channel.EMAIL, marketer)
        User.objects.filter(pk=marketer.pk).update(department=care)
        assert self.failed(export) == "not_allowed"

    def test_a_segment_that_was_deleted_has_no_list(
        self, viewers: None, marketer: User, marketing_purpose: Purpose, make_segment: Make
    ) -> None:
        segment = make_segment()
        export = exports.ask(segment, marketing_purpose, Channel.EMAIL, marketer)
        Segment.objects.filter(pk=segment.pk).delete()
        assert self.failed(export) == "gone"

    def test_a_definition_that_reads_too_much_ends_the_list(
        self, viewers: None, marketer: User, marketing_purpose: Purpose, make_segment: Make,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        def too_slow(_question: object) -> None:
            raise audience.TooSlowProblem

        export = exports.ask(make_segment(), marketing_purpose, Channel.EMAIL, marketer)
        monkeypatch.setattr(audience.Question, "select", too_slow)
        assert self.failed(export) == "too_slow"

    def test_a_list_that_kills_its_jobs_is_given_up(
        self, viewers: None, marketer: User, marketing_purpose: Purpose, make_segment: Make
    ) -> None:
        export = exports.ask(make_segment(), marketing_purpose, Channel.EMAIL, marketer)
        SegmentExport.objects.filter(pk=export.pk).update(attempts=5)
        assert self.failed(export) == "gave_up"


class TestTwoJobs:
    """The queue may deliver a job twice; a job that stands still loses its list to the watchdog's."""

    def during_the_gate(self, monkeypatch: pytest.MonkeyPatch, then: Callable[[], None]) -> None:
        gate, done = gating.ask, list[bool]()

        def ask(*given: Any, **said: Any) -> Any:
            if not done:
                done.append(True)
                then()
            return gate(*given, **said)

        monkeypatch.setattr(gating, "ask", ask)

    def check(self, export: SegmentExport, by: User, folder: Path) -> None:
        assert (export.status, export.n_done, export.n_exported) == ("ready", 3, 1)
        assert len(rows_of(export, by)) == 2
        assert Touchpoint.objects.filter(type__name="Segment Exported").count() == 1
        assert AuditEvent.objects.filter(action="segment.exported", target_id=str(export.pk)).count() == 1
        assert {path.stem for path in (folder / "exports").iterdir()} == {export.stored_as}, "nothing else lies about"

    def test_a_second_one_leaves_the_list_to_the_first(
        self, viewers: None, marketer: User, marketing_purpose: Purpose, make_segment: Make, tmp_path: Path, *,
        monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any,
    ) -> None:  # fmt: skip
        export = exports.ask(make_segment(), marketing_purpose, Channel.EMAIL, marketer)
        self.during_the_gate(monkeypatch, lambda: job.run(str(export.pk)))
        with django_capture_on_commit_callbacks(execute=True):
            exports.make(export)
        self.check(export, marketer, tmp_path)

    def test_the_first_one_gives_up_a_list_that_a_second_one_took(
        self, viewers: None, marketer: User, marketing_purpose: Purpose, make_segment: Make, tmp_path: Path, *,
        monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any,
    ) -> None:  # fmt: skip
        export = exports.ask(make_segment(), marketing_purpose, Channel.EMAIL, marketer)

        def stand_still() -> None:
            SegmentExport.objects.filter(pk=export.pk).update(lease_until=timezone.now())
            job.run(str(export.pk))

        self.during_the_gate(monkeypatch, stand_still)
        with django_capture_on_commit_callbacks(execute=True):
            exports.make(export)
        self.check(export, marketer, tmp_path)


def test_a_list_carries_each_customers_own_link_to_their_preferences(
    marketing_purpose: Purpose, viewers: None, make_segment: Make, marketer: User, web_shop: Source
) -> None:
    chosen = (columns.CUSTOMER_ID, columns.PREFERENCES)
    export = exports.exported(make_segment(), marketing_purpose, Channel.EMAIL, marketer, columns=chosen)
    header, [customer, _email, link] = rows_of(export, marketer)
    assert header == ["customer_id", "email", "preferences_link"]
    opened = links.open_link(link.rstrip("/").rpartition("/")[2])
    assert opened is not None
    assert str(opened[1].public_id) == customer
