""" "Why did you send me this?": of each message the list, the evidence, the consent, the sender; and the withdrawal."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.urls import reverse

from cdp_site.core.models import AccessLogEntry, AuditEvent, User
from consent import gate
from consent.models import Channel, ConsentEntry, Purpose
from consent.states import State
from ingestion.models import Source
from profiles.models import EventType, Profile, Touchpoint
from segments import authoring, sent
from segments.evidence import Mark
from segments.models import Segment, SegmentExport
from segments.sent import Grounds
from tests.customers import LATELY, Tell, identify, profile_of, track
from tests.factories import exports
from tests.integration.segments.conftest import Login, viewed_red, whole

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
Make = Callable[..., Segment]

LISTED_AT = LATELY + timedelta(days=1)
MAILED_AT = LATELY + timedelta(days=2)
TODAY = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)


@pytest.fixture
def marketing_purpose(db: None) -> Purpose:
    return Purpose.objects.get(slug="marketing")


@pytest.fixture
def reader_of_mails(tell: Tell, pos: Source) -> Profile:
    """Viewed two red shoes and agreed to be mailed, before the list was taken."""
    with time_machine.travel(LATELY, tick=False):
        tell(pos, identify("P6", firstName="วีระ", lastName="ใจงาม", email="weera@baansabai.co.th", province="ตรัง"))
        tell(pos, track("P6", "Product Viewed", hours=3, color="red", name="รองเท้าแดง", price=990))
        tell(pos, track("P6", "Product Viewed", hours=2, color="red", name="รองเท้าส้นสูง", price=1990))
        tell(pos, track("P6", "Consent Granted", hours=1, purpose="marketing", channel="email", notice_version="3"))
    return profile_of(pos, "P6")


@pytest.fixture
def listed(reader_of_mails: Profile, make_segment: Make, marketer: User, marketing_purpose: Purpose) -> SegmentExport:
    """The list on which the person is."""
    with time_machine.travel(LISTED_AT, tick=False):
        segment = make_segment(viewed_red(2), in_trang(), name="Red lovers")
        return exports.exported(segment, marketing_purpose, Channel.EMAIL, marketer)


def in_trang() -> dict[str, Any]:
    return {"kind": "attribute", "trait": "province", "operator": "is", "value": "ตรัง"}


def mailed(tell: Tell, source: Source, event: str = "Email Delivered", *, days: float = 2, **said: Any) -> Touchpoint:
    at = LATELY + timedelta(days=days)
    with time_machine.travel(at, tick=False):
        tell(source, track("P6", event, hours=-24 * days, **({"subject": "ลดราคา"} | said)))
    return Touchpoint.objects.filter(type__name=event).latest("occurred_at")


class TestTheList:
    def test_the_trace_of_the_list_itself(self, listed: SegmentExport, reader_of_mails: Profile, agent: User) -> None:
        trace = Touchpoint.objects.get(type__name="Segment Exported")
        answer = sent.why(reader_of_mails, trace, by=agent)
        assert answer.origin is not None
        assert (answer.origin.export, answer.origin.grounds) == (listed, Grounds.LIST)
        assert answer.origin.sender == "marketer"
        assert (answer.channel, answer.names_purpose) == (Channel.EMAIL, True)

    def test_a_message_that_names_its_list(
        self, listed: SegmentExport, reader_of_mails: Profile, agent: User, tell: Tell, pos: Source
    ) -> None:
        for said in ({"export_id": str(listed.pk)}, {"segment_id": str(listed.segment_id)}):
            message = mailed(tell, pos, days=2 + len(said), **said)
            answer = sent.why(reader_of_mails, message, by=agent)
            assert answer.origin is not None
            assert (answer.origin.export, answer.origin.grounds) == (listed, Grounds.NAMED)

    def test_one_that_names_none_is_told_with_the_last_list_and_no_more(
        self, listed: SegmentExport, reader_of_mails: Profile, agent: User, tell: Tell, pos: Source
    ) -> None:
        answer = sent.why(reader_of_mails, mailed(tell, pos), by=agent)
        assert answer.origin is not None
        assert (answer.origin.export, answer.origin.grounds) == (listed, Grounds.LAST)
        assert not answer.names_purpose

    @pytest.mark.parametrize(
        ("event", "days", "said"),
        [
            ("Email Delivered", 0.5, {}),  # before the list
            ("Email Delivered", 40, {}),  # long after it
            ("SMS Sent", 2, {}),  # by another channel
            ("Email Delivered", 2, {"export_id": "nonsense"}),
            ("Email Delivered", 2, {"export_id": str(uuid4())}),
            ("Email Delivered", 2, {"segment_id": str(uuid4())}),
        ],
    )
    def test_of_others_there_is_none(
        self,
        event: str,
        days: float,
        said: dict[str, str],
        listed: SegmentExport,
        reader_of_mails: Profile,
        agent: User,
        tell: Tell,
        pos: Source,
    ) -> None:
        assert sent.why(reader_of_mails, mailed(tell, pos, event, days=days, **said), by=agent).origin is None

    def test_somebody_else_s_list_is_not_named(
        self, listed: SegmentExport, agent: User, tell: Tell, pos: Source, reader_of_mails: Profile
    ) -> None:
        with time_machine.travel(MAILED_AT, tick=False):
            tell(pos, identify("P7", firstName="ปิติ", lastName="ชูใจ", email="piti@baansabai.co.th"))
            tell(pos, track("P7", "Email Delivered", hours=-48, subject="x", export_id=str(listed.pk)))
        other = profile_of(pos, "P7")
        message = Touchpoint.objects.get(profile=other, type__name="Email Delivered")
        assert sent.why(other, message, by=agent).origin is None

    def test_a_deleted_segment_keeps_its_name_and_loses_its_conditions(
        self, listed: SegmentExport, reader_of_mails: Profile, agent: User, marketer: User
    ) -> None:
        assert listed.segment is not None
        authoring.delete(segment=listed.segment, by=marketer)
        trace = Touchpoint.objects.get(type__name="Segment Exported")
        origin = sent.why(reader_of_mails, trace, by=agent).origin
        assert origin is not None
        assert (origin.name, origin.is_gone, list(origin.lines)) == ("Red lovers", True, [])


class TestTheEvidence:
    def lines(self, profile: Profile, by: User) -> list[tuple[str, list[str]]]:
        trace = Touchpoint.objects.get(type__name="Segment Exported")
        origin = sent.why(profile, trace, by=by).origin
        assert origin is not None
        return [(line.mark, [fact.text for fact in line.facts]) for line in origin.lines]

    def test_is_that_of_then(
        self,
        listed: SegmentExport,
        reader_of_mails: Profile,
        agent: User,
        tell: Tell,
        pos: Source,
        marketer: User,
    ) -> None:
        assert listed.segment is not None
        with time_machine.travel(TODAY, tick=False):
            later = identify("P6", province="ภูเก็ต") | {"messageId": "moved", "timestamp": TODAY.isoformat()}
            tell(pos, later, track("P6", "Product Viewed", hours=-480, color="red", name="รองเท้าใหม่"))
            authoring.change(
                segment=listed.segment,
                name="Red lovers",
                description="",
                department=listed.segment.department,
                definition=whole(viewed_red(9)),
                by=marketer,
            )
        assert self.lines(reader_of_mails, agent) == [
            (Mark.YES, ["Product Viewed: 2 times", "รองเท้าส้นสูง · red", "รองเท้าแดง · red"]),
            (Mark.YES, ["Province: ตรัง"]),
        ]

    def test_what_the_reader_does_not_see_is_told_as_hidden(
        self, listed: SegmentExport, reader_of_mails: Profile, agent: User, marketer: User
    ) -> None:
        EventType.objects.filter(name="Product Viewed").update(department=marketer.department)
        assert self.lines(reader_of_mails, agent) == [(Mark.HIDDEN, []), (Mark.YES, ["Province: ตรัง"])]

    def test_of_what_counted_only_what_the_reader_sees_is_shown(
        self,
        listed: SegmentExport,
        reader_of_mails: Profile,
        agent: User,
        pos: Source,
        marketer: User,
        web_shop: Source,
    ) -> None:
        Touchpoint.objects.filter(properties__name="รองเท้าแดง").update(source=web_shop)
        found = self.lines(reader_of_mails, agent)
        assert found[0] == (Mark.YES, ["Product Viewed: once", "รองเท้าส้นสูง · red"])


class TestTheConsent:
    def proofs(self, profile: Profile, message: Touchpoint, by: User) -> dict[str, tuple[State, bool, bool]]:
        found = sent.why(profile, message, by=by).proofs
        return {one.purpose.slug: (one.state, one.was_allowed, one.needed_none) for one in found}

    def test_is_what_had_been_said_by_then(
        self, reader_of_mails: Profile, agent: User, tell: Tell, pos: Source
    ) -> None:
        before, after = mailed(tell, pos, days=-0.1), mailed(tell, pos, days=3)
        with time_machine.travel(TODAY, tick=False):
            tell(pos, track("P6", "Consent Withdrawn", hours=-24 * 5, purpose="marketing", channel="email"))
        assert self.proofs(reader_of_mails, before, agent)["marketing"] == (State.NEVER, False, False)
        assert self.proofs(reader_of_mails, after, agent)["marketing"] == (State.GRANTED, True, False)
        assert self.proofs(reader_of_mails, after, agent)["service"] == (State.NEVER, True, True)
        told = sent.why(reader_of_mails, after, by=agent).proofs[0]
        assert told.told is not None
        assert (told.told.notice_version, told.now, told.may_object) == ("3", State.WITHDRAWN, False)
        assert not told.reached_us_later

    def test_a_consent_that_its_source_told_us_later_counts_and_is_marked(
        self, reader_of_mails: Profile, agent: User, tell: Tell, pos: Source
    ) -> None:
        message = mailed(tell, pos, days=1)
        with time_machine.travel(TODAY, tick=False):
            tell(pos, track("P6", "Consent Refused", hours=-12, purpose="analytics", channel="email"))
        found = {one.purpose.slug: one for one in sent.why(reader_of_mails, message, by=agent).proofs}
        assert (found["analytics"].state, found["analytics"].reached_us_later) == (State.REFUSED, True)
        assert (found["marketing"].state, found["marketing"].reached_us_later) == (State.GRANTED, False)

    def test_of_the_purpose_that_the_message_names(
        self, reader_of_mails: Profile, agent: User, tell: Tell, pos: Source
    ) -> None:
        message = mailed(tell, pos, purpose="service")
        assert self.proofs(reader_of_mails, message, agent).keys() == {"service"}

    def test_an_opened_mail_is_judged_by_when_it_was_delivered(
        self, reader_of_mails: Profile, agent: User, tell: Tell, pos: Source
    ) -> None:
        delivered = mailed(tell, pos, days=1, campaign="c1")
        opened = mailed(tell, pos, "Email Opened", days=4, campaign="c1")
        assert sent.why(reader_of_mails, opened, by=agent).sent_at == delivered.occurred_at


class TestWithdrawing:
    def test_one_click_stops_the_purpose_on_the_channel(
        self, listed: SegmentExport, reader_of_mails: Profile, agent: User, login: Login, marketing_purpose: Purpose
    ) -> None:
        trace = Touchpoint.objects.get(type__name="Segment Exported")
        assert gate.may_use(reader_of_mails, marketing_purpose, Channel.EMAIL).is_given
        path = reverse("segments:withdraw", args=[reader_of_mails.public_id, trace.pk, "marketing"])
        response = login(agent).post(path, headers=HTMX)
        page = response.content.decode()
        assert json.loads(response["HX-Trigger"]).keys() == {"consent:changed", "dialog:close"}
        assert 'id="panel-consent-body" hx-swap-oob' in page
        assert "Objection recorded: nothing more is sent for “Marketing”." in page
        assert not gate.may_use(reader_of_mails, marketing_purpose, Channel.EMAIL).is_given
        entry = ConsentEntry.objects.latest("received_at")
        assert (entry.state, entry.channel, entry.address) == ("withdrawn", "email", "")
        assert AuditEvent.objects.filter(action="consent.withdrawn").count() == 1
        answer = sent.why(reader_of_mails, trace, by=agent)
        assert [one.may_object for one in answer.proofs] == [False]

    def test_without_htmx_the_customer_s_page_comes_back(
        self, listed: SegmentExport, reader_of_mails: Profile, agent: User, login: Login
    ) -> None:
        trace = Touchpoint.objects.get(type__name="Segment Exported")
        path = reverse("segments:withdraw", args=[reader_of_mails.public_id, trace.pk, "marketing"])
        assert login(agent).post(path).url == reverse("profiles:customer", args=[reader_of_mails.public_id])


class TestThePage:
    def test_tells_it_all_in_one_click(
        self, listed: SegmentExport, reader_of_mails: Profile, agent: User, login: Login
    ) -> None:
        trace = Touchpoint.objects.get(type__name="Segment Exported")
        path = reverse("segments:sent", args=[reader_of_mails.public_id, trace.pk])
        page = login(agent).get(path, headers=HTMX).content.decode()
        for text in ("marketer took the list", "Red lovers", "รองเท้าแดง", "Granted", "notice 3", "Withdraw"):
            assert text in page
        assert AccessLogEntry.objects.get().what == "profile.sent"
        assert "<h1" in login(agent).get(path).content.decode()

    def test_who_may_not_record_consent_gets_no_button(
        self, listed: SegmentExport, reader_of_mails: Profile, marketer: User, login: Login
    ) -> None:
        trace = Touchpoint.objects.get(type__name="Segment Exported")
        path = reverse("segments:sent", args=[reader_of_mails.public_id, trace.pk])
        client = login(marketer)
        assert "withdraw" not in client.get(path, headers=HTMX).content.decode()
        assert client.post(f"{path}withdraw/marketing/").status_code == 404

    def test_outsiders_hidden_messages_and_what_is_none_are_not_found(
        self,
        listed: SegmentExport,
        reader_of_mails: Profile,
        somchai: Profile,
        agent: User,
        analyst: User,
        outsider: User,
        web_shop: Source,
        login: Login,
    ) -> None:
        trace = Touchpoint.objects.get(type__name="Segment Exported")
        view = Touchpoint.objects.filter(profile=reader_of_mails, type__name="Product Viewed")[0]

        def path(profile: Profile, touchpoint: Touchpoint) -> str:
            return reverse("segments:sent", args=[profile.public_id, touchpoint.pk])

        for user in (outsider, analyst):
            assert login(user).get(path(reader_of_mails, trace)).status_code == 404
            assert login(user).post(f"{path(reader_of_mails, trace)}withdraw/marketing/").status_code == 404
        client = login(agent)
        assert client.get(path(reader_of_mails, view)).status_code == 404
        assert client.get(path(somchai, trace)).status_code == 404
        assert client.post(f"{path(reader_of_mails, trace)}withdraw/nonsense/").status_code == 404
        Touchpoint.objects.filter(pk=trace.pk).update(source=web_shop)
        assert client.get(path(reader_of_mails, trace)).status_code == 404


@pytest.mark.parametrize(
    ("event", "kind", "said", "channel"),
    [
        ("Email Opened", "shop", {}, Channel.EMAIL),
        ("SMS Sent", "shop", {}, Channel.SMS),
        ("Message Sent", "line", {}, Channel.LINE),
        ("Message Sent", "call_centre", {}, None),
        ("Message Received", "line", {}, None),
        ("Push Notification Received", "app", {}, Channel.PUSH),
        ("Segment Exported", "other", {"channel": "sms"}, Channel.SMS),
        ("Segment Exported", "other", {"channel": "pigeon"}, None),
        ("Segment Exported", "other", {}, None),
        ("Product Viewed", "shop", {}, None),
    ],
)
def test_what_is_a_message_of_ours(event: str, kind: str, said: dict[str, str], channel: Channel | None) -> None:
    assert sent.channel_of(event, kind, said) == channel
