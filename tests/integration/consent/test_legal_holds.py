"""Rows that a claim or a law needs: kept through an erasure, read by nobody in passing, gone when the hold ends."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from cdp_site.core import hashing
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import AuditEvent, User
from consent import erasure, requests
from consent.erasure import holds, ledger_file
from consent.models import DataSubjectRequest, LegalHold
from ingestion.models import Source
from profiles import notes
from profiles.models import Note, Order, OrderLine, Profile
from tests.customers import Tell, identify, track
from tests.factories.consent import ask

pytestmark = pytest.mark.django_db
Erase = Callable[[Profile], DataSubjectRequest]


@pytest.fixture(autouse=True)
def _own_ledger(settings: Settings, tmp_path: Path) -> None:
    settings.ERASURE_LEDGER = tmp_path / "ledger.jsonl"


@pytest.fixture
def erase(compliance: User, colleague: User) -> Erase:
    def run(profile: Profile) -> DataSubjectRequest:
        request = ask(profile, compliance)
        requests.approve(request_id=request.pk, by=colleague)
        erasure.run(request.pk)
        request.refresh_from_db()
        assert request.status == DataSubjectRequest.Status.COMPLETED, list(request.steps.values("holder", "problem"))
        return request

    return run


@pytest.fixture
def note(somchai: Profile, agent: User) -> Note:
    return notes.add(profile=somchai, text="ขู่ว่าจะฟ้อง", by=agent)


def place(profile: Profile, row: Note | Order, by: User, **said: object) -> LegalHold:
    given = {"ground": "claim", "reason": "คดีหมายเลข 7/2569", "until": None, **said}
    return holds.place(profile=profile, key=f"{row._meta.label}:{row.pk}", by=by, **given)  # type: ignore[arg-type]


def test_everything_of_a_customer_that_can_be_held_is_offered(somchai: Profile, note: Note) -> None:
    offered = {row.label for row in holds.rows_of(somchai)}
    assert offered >= {"profiles.Order", "profiles.Note", "profiles.Touchpoint", "profiles.SourceRecord"}


def test_a_held_note_survives_sealed_and_goes_with_its_hold(
    somchai: Profile, note: Note, compliance: User, erase: Erase
) -> None:
    hold = place(somchai, note, compliance)
    request = erase(somchai)
    assert not Note.objects.exists()
    hold.refresh_from_db()
    assert (hold.request, hold.subject) == (request, None)
    assert hold.copy is not None
    assert "ฟ้อง".encode() not in bytes(hold.copy)
    assert holds.read_copy(hold, by=compliance)["text"] == "ขู่ว่าจะฟ้อง"
    assert AuditEvent.objects.filter(action="hold.read", actor=f"user:{compliance.pk}").count() == 1
    assert request.certificate is not None
    kept = [line for store in request.certificate["stores"] for line in store["kept"]]
    assert {"table": "consent.LegalHold", "rows": 1, "ground": "claim", "law": "PDPA s.33"} in kept

    holds.release(hold_id=hold.pk, by=compliance)
    hold.refresh_from_db()
    assert (hold.copy, hold.reason) == (None, "")
    assert [entry.act for entry in ledger_file.read()] == ["erased", "released"]
    with pytest.raises(ConflictProblem):
        holds.release(hold_id=hold.pk, by=compliance)
    with pytest.raises(MendableError):
        holds.read_copy(hold, by=compliance)


def test_the_accounts_are_held_for_five_years_and_then_go_by_themselves(somchai: Profile, erase: Erase) -> None:
    erase(somchai)
    assert Order.objects.filter(profile__isnull=True).count() == LegalHold.objects.filter(ground="accounting").count()
    last = max(hold.until for hold in LegalHold.objects.all() if hold.until)
    assert holds.end_due() == 0
    with time_machine.travel(last + timedelta(days=1)):
        assert holds.end_due() == LegalHold.objects.count() > 0
        assert holds.end_due() == 0
    assert not Order.objects.exists()
    assert not OrderLine.objects.exists()


def test_what_two_grounds_hold_stays_until_both_have_ended(somchai: Profile, compliance: User, erase: Erase) -> None:
    order = Order.objects.get(external_id="W-1")
    claim = place(somchai, order, compliance)
    erase(somchai)
    copy = holds.read_copy(LegalHold.objects.get(pk=claim.pk), by=compliance)
    assert (copy["external_id"], len(copy["lines"])) == ("W-1", 2)
    accounts = LegalHold.objects.get(ground="accounting", row=str(order.pk))
    holds.release(hold_id=accounts.pk, by=compliance)
    assert Order.objects.filter(pk=order.pk).exists()
    holds.release(hold_id=claim.pk, by=compliance)
    assert not Order.objects.filter(pk=order.pk).exists()


def test_a_hold_that_is_released_before_the_erasure_keeps_nothing(
    somchai: Profile, note: Note, compliance: User, erase: Erase
) -> None:
    hold = place(somchai, note, compliance)
    assert list(holds.held("profiles.Note")) == [str(note.pk)]
    holds.release(hold_id=hold.pk, by=compliance)
    assert list(holds.held("profiles.Note")) == []
    erase(somchai)
    assert not LegalHold.objects.exclude(ground="accounting").filter(copy__isnull=False).exists()
    assert not Note.objects.exists()


def test_what_was_released_after_the_backup_is_released_by_the_ledger(
    somchai: Profile, note: Note, compliance: User, erase: Erase
) -> None:
    hold = place(somchai, note, compliance)
    erase(somchai)
    kept = hashing.seal(b"{}")
    holds.release(hold_id=hold.pk, by=compliance)
    LegalHold.objects.filter(pk=hold.pk).update(released_at=None, copy=kept)  # the backup knows no release
    ledger_file.replay()
    hold.refresh_from_db()
    assert (hold.copy, hold.released_at is None) == (None, False)


@pytest.mark.parametrize(
    ("said", "field"), [({"reason": "  "}, "reason"), ({"until": timezone.now() - timedelta(days=1)}, "until")]
)
def test_a_hold_says_why_and_ends_in_the_future(
    somchai: Profile, note: Note, compliance: User, said: dict[str, object], field: str
) -> None:
    with pytest.raises(MendableError) as refused:
        place(somchai, note, compliance, **said)
    assert refused.value.field == field


def test_nobody_elses_row_is_held_and_none_twice(
    somchai: Profile, manee: Profile, note: Note, compliance: User
) -> None:
    with pytest.raises(MendableError):
        place(manee, note, compliance)
    place(somchai, note, compliance)
    with pytest.raises(ConflictProblem):
        place(somchai, note, compliance)
    place(somchai, note, compliance, ground="obligation")


def test_a_hold_follows_its_record(tell: Tell, pos: Source, somchai: Profile, note: Note, compliance: User) -> None:
    """It hangs on the record: what joins the person later is not held, and what leaves takes its hold along."""
    hold = place(somchai, note, compliance)
    assert hold.subject == note.record.birth_profile.public_id
    tell(pos, identify("P7", firstName="อื่น"), track("P7", "Page Viewed"))
    assert (
        LegalHold.objects.about([somchai.public_id]).count()
        + LegalHold.objects.exclude(subject=somchai.public_id).count()
        == 1
    )
