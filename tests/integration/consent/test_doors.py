"""Through the real doors: consents that events and files bring, and an erased person who comes again."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from cdp_site.core.models import Role, User
from cdp_site.core.personal_data import holders
from consent import erasure, gate, requests, subjects
from consent.models import Channel, ConsentEntry, DataSubjectRequest
from consent.reasons import Reason
from ingestion import landing
from ingestion.models import InboundBatch, QuarantinedItem, Source
from profiles import digest
from profiles.models import Order, Profile, Touchpoint
from tests.customers import LATELY, Tell, identify, profile_of, track
from tests.factories.consent import ask, marketing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def today() -> Any:
    """A moment after what the customers have done, and before what they will do."""
    with time_machine.travel(LATELY + timedelta(days=1), tick=False):
        yield


@pytest.fixture
def erase(compliance: User, make_user: Callable[..., User]) -> Callable[[Profile], DataSubjectRequest]:
    colleague = make_user(Role.COMPLIANCE, name="colleague")

    def run(profile: Profile) -> DataSubjectRequest:
        request = ask(profile, compliance)
        requests.approve(request_id=request.pk, by=colleague)
        erasure.run(request.pk)
        request.refresh_from_db()
        return request

    return run


def from_file(source: Source, *messages: dict[str, Any]) -> None:
    landing.land(source=source, messages_raw=list(messages), door="file")
    digest.drain()


def agreed(user: str, state: str = "Granted", hours: float = 5, **more: Any) -> dict[str, Any]:
    return track(user, f"Consent {state}", hours=hours, **{"purpose": "marketing", "channel": "email", **more})


def row(number: str, state: str, **more: Any) -> dict[str, Any]:
    """A row of a nightly file with a consent column."""
    cell = {"purpose": "marketing", "channel": "email", "state": state, "cell": True}
    return {**identify("P1", email="somchai@baansabai.co.th"), "messageId": number, "cdp": {"consents": [cell]}, **more}


def outcomes(source: Source) -> tuple[int, int]:
    batch = InboundBatch.objects.filter(source=source).latest("pk")
    return batch.n_stored, batch.n_suppressed


# --- consents -------------------------------------------------------------------------------------------------------


def test_an_event_grants_and_a_later_one_withdraws(tell: Tell, pos: Source, somchai: Profile) -> None:
    tell(pos, identify("P1", email="somchai@baansabai.co.th") | {"messageId": "again"}, agreed("P1"))
    assert gate.may_use(somchai, marketing(), Channel.EMAIL).addresses == ("somchai@baansabai.co.th",)
    tell(pos, agreed("P1", "Withdrawn", hours=1))
    assert gate.may_use(somchai, marketing(), Channel.EMAIL).reason is Reason.WITHDRAWN


def test_a_refusal_in_another_system_holds_for_the_whole_person(
    tell: Tell, pos: Source, call_centre: Source, somchai: Profile
) -> None:
    tell(pos, agreed("P1", channel="sms"))
    assert gate.may_use(somchai, marketing(), Channel.SMS).is_given
    tell(call_centre, agreed("C1", "Refused", hours=40, channel="sms"))
    assert gate.may_use(somchai, marketing(), Channel.SMS).reason is Reason.REFUSED


def test_a_nightly_file_repeats_nothing(pos: Source, somchai: Profile, tell: Tell) -> None:
    from_file(pos, row("night 1", "granted", timestamp=LATELY.isoformat()))
    tell(pos, agreed("P1", "Withdrawn", hours=-1))
    from_file(pos, row("night 2", "granted", timestamp=(LATELY + timedelta(hours=2)).isoformat()))
    assert ConsentEntry.objects.filter(origin="cell").count() == 1
    assert gate.may_use(somchai, marketing(), Channel.EMAIL).reason is Reason.WITHDRAWN
    from_file(pos, row("night 3", "refused", timestamp=(LATELY + timedelta(hours=3)).isoformat()))
    from_file(pos, row("night 4", "granted", timestamp=(LATELY + timedelta(hours=4)).isoformat()))
    assert gate.may_use(somchai, marketing(), Channel.EMAIL).is_given


def test_an_unknown_purpose_goes_to_quarantine_with_its_reason(tell: Tell, pos: Source, somchai: Profile) -> None:
    tell(pos, agreed("P1", purpose="marketting"))
    item = QuarantinedItem.objects.get()
    assert item.reason == "unknown_purpose"
    assert "analytics, marketing, service" in item.detail
    assert not ConsentEntry.objects.exists()


def test_a_public_key_never_overrides_a_withdrawal(pos: Source, tell: Tell, somchai: Profile) -> None:
    tell(pos, identify("P1", email="somchai@baansabai.co.th") | {"messageId": "again"}, agreed("P1", "Withdrawn"))
    landing.land(source=pos, messages_raw=[agreed("P1", hours=1)], door="api", is_public_key=True)
    digest.drain()
    assert gate.may_use(somchai, marketing(), Channel.EMAIL).reason is Reason.WITHDRAWN
    assert ConsentEntry.objects.filter(origin="browser").count() == 1


# --- after an erasure -----------------------------------------------------------------------------------------------


def test_nothing_of_the_person_is_left_and_what_the_law_keeps_is_a_stub(
    tell: Tell, pos: Source, somchai: Profile, manee: Profile, erase: Callable[[Profile], DataSubjectRequest]
) -> None:
    tell(pos, agreed("P1"))
    subject = subjects.find(somchai.public_id)
    assert subject is not None
    assert len(subject.record_ids) == 3
    request = erase(somchai)
    assert request.status == DataSubjectRequest.Status.COMPLETED, list(request.steps.values("holder", "problem"))
    left = {table: n for holder in holders() for table, n in holder.locate(subject).items() if n}
    assert set(left) <= {"core.AuditEvent", "ingestion.SuppressedIdentifier", "ingestion.SeenMessage"}
    assert set(Order.objects.values_list("profile", "record")) == {(None, None)}
    assert list(Profile.objects.live()) == [manee]
    assert request.certificate is not None
    kept = {line["table"] for store in request.certificate["stores"] for line in store["kept"]}
    assert "profiles.Order" in kept


def test_all_that_is_held_of_a_person_can_be_given_to_them(tell: Tell, pos: Source, somchai: Profile) -> None:
    tell(pos, agreed("P1"), row("night 1", "granted"), row("night 2", "granted"))
    subject = subjects.find(somchai.public_id)
    assert subject is not None
    for holder in holders():
        exported = holder.export(subject)
        assert json.loads(json.dumps(exported)) == exported, holder.name
        assert set(exported) <= set(holder.tables)


def again(message: dict[str, Any], name: str, at: datetime) -> dict[str, Any]:
    return {**message, "messageId": name, "timestamp": at.isoformat()}


def test_the_same_files_and_events_bring_nobody_back(
    tell: Tell,
    pos: Source,
    web_shop: Source,
    somchai: Profile,
    erase: Callable[[Profile], DataSubjectRequest],
) -> None:
    erase(somchai)
    old = LATELY - timedelta(days=3)
    later = timezone.now() + timedelta(hours=1)
    member = identify("P1", title="นาย", firstName="สมชาย", lastName="ใจดี", phone="086-345-1972", member_id="M-88213")
    with time_machine.travel(later + timedelta(hours=1), tick=False):
        tell(pos, member)  # the very same message
        assert outcomes(pos) == (0, 0)
        tell(pos, again(member, "sent again", old))  # dated before the erasure
        assert outcomes(pos) == (0, 1)
        from_file(pos, again(member, "nightly file", later))  # dated later, and no act of the person's own
        assert outcomes(pos) == (0, 1)
        elsewhere = identify("new-id", firstName="Somchai", lastName="Jaidee", phone="+66 86 345 1972")
        from_file(web_shop, again(elsewhere, "other source", later))  # phone and name, in Latin letters
        assert outcomes(web_shop) == (0, 1)
    assert not Profile.objects.exists()
    assert not Touchpoint.objects.exists()


def test_a_new_holder_of_the_phone_is_welcome_and_so_is_the_person_by_an_own_act(
    tell: Tell, pos: Source, somchai: Profile, erase: Callable[[Profile], DataSubjectRequest]
) -> None:
    erase(somchai)
    later = timezone.now() + timedelta(hours=1)
    with time_machine.travel(later + timedelta(hours=1), tick=False):
        holder = identify("P9", firstName="กานดา", lastName="แสงทอง", phone="0863451972")
        from_file(pos, again(holder, "new holder", later))
        assert profile_of(pos, "P9").state == "live"
        back = identify("P1", firstName="สมชาย", lastName="ใจดี", phone="0863451972")
        tell(pos, again(back, "registers again", later))
    returned = profile_of(pos, "P1")
    assert returned.public_id != somchai.public_id
    assert not Touchpoint.objects.filter(profile=returned).exists()
    assert not ConsentEntry.objects.exists()
    assert returned != profile_of(pos, "P9")
