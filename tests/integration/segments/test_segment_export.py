"""Lists that leave the product: through the gate, safe to open, and with a trace on everybody who is on them."""

import csv
import io
from collections.abc import Callable

import pytest
from django.urls import reverse

from cdp_site.core.models import AuditEvent, User
from consent.models import Channel, Purpose
from ingestion.models import Source
from profiles.models import Touchpoint
from segments import export
from segments.models import Segment, SegmentExport
from tests.customers import Tell, identify, profile_of, track
from tests.integration.segments.conftest import Login, viewed_red

pytestmark = pytest.mark.django_db
Make = Callable[..., Segment]


@pytest.fixture
def marketing_purpose(db: None) -> Purpose:
    return Purpose.objects.get_or_create(slug="marketing", defaults={"name": "Marketing"})[0]


def exported(segment: Segment, purpose: Purpose, channel: Channel, by: User) -> tuple[list[list[str]], SegmentExport]:
    """The rows of the file, and the row in the database."""
    file = io.BytesIO()
    written = export.export(segment=segment, purpose=purpose, channel=channel, by=by, to=file)
    return list(csv.reader(io.StringIO(file.getvalue().decode("utf-8-sig")))), written


def test_only_those_pass_who_agreed_and_the_others_are_counted_by_reason(
    marketing_purpose: Purpose, viewers: None, make_segment: Make, marketer: User, web_shop: Source
) -> None:
    rows, written = exported(make_segment(), marketing_purpose, Channel.EMAIL, marketer)

    assert rows == [
        ["customer_id", "name", "email"],
        [str(profile_of(web_shop, "v1").public_id), "'=SUM(A1) มีนา1", "v1@baansabai.co.th"],
    ]
    assert (written.n_members, written.n_exported) == (3, 1)
    assert written.n_left_out == {"refused": 1, "never_asked": 1}
    assert written.n_left_out_in_all == 2


def test_leaves_a_touchpoint_on_its_members_and_an_audit_row_without_values(
    marketing_purpose: Purpose, viewers: None, make_segment: Make, marketer: User, web_shop: Source
) -> None:
    segment = make_segment()

    _rows, written = exported(segment, marketing_purpose, Channel.EMAIL, marketer)

    trace = Touchpoint.objects.get(type__name="Segment Exported")
    assert trace.profile == profile_of(web_shop, "v1")
    assert trace.source.slug == "cdp"
    assert trace.properties == {
        "export_id": str(written.pk),
        "segment_id": str(segment.pk),
        "segment_name": "Red",
        "purpose": "marketing",
        "channel": "email",
    }
    event = AuditEvent.objects.get(action="segment.export")
    assert event.fields == ["customer_id", "email", "name"]


def test_each_person_is_on_the_list_once_and_phones_keep_their_country_code(
    marketing_purpose: Purpose, tell: Tell, web_shop: Source, make_segment: Make, marketer: User
) -> None:
    tell(web_shop, identify("p1", firstName="มานี", phone=["081 234 5678", "081 234 5679"]))
    tell(web_shop, track("p1", "Product Viewed", color="red"))
    tell(web_shop, track("p1", "Consent Granted", purpose="marketing", channel="sms"))

    rows, _written = exported(make_segment(), marketing_purpose, Channel.SMS, marketer)

    (row,) = rows[1:]
    assert row[2].startswith("+6681234567")


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1", "'＝1"),
        ("+66812345678", "+66812345678"),
        ("+6681234567890123456", "'+6681234567890123456"),
        ("+66812345678\n=1", "'+66812345678\n=1"),
        ("สมชาย", "สมชาย"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula(cell: str, written: str) -> None:
    assert export.harmless(cell) == written


class TestPages:
    def asked(self, purpose: Purpose) -> dict[str, str]:
        return {"purpose": str(purpose.pk), "channel": "email"}

    def test_the_dialog_previews_who_stays_out_and_why(
        self, marketing_purpose: Purpose, viewers: None, make_segment: Make, login: Login, marketer: User
    ) -> None:
        segment, client = make_segment(), login(marketer)

        dialog = client.get(reverse("segments:export", args=[segment.pk]), headers={"HX-Request": "true"})
        preview = client.post(reverse("segments:export_preview", args=[segment.pk]), self.asked(marketing_purpose))

        assert "dialog-title" in dialog.content.decode()
        page = preview.content.decode()
        assert "<strong>1</strong> of 3 members will be on the list" in page
        assert "The customer refused" in page
        assert not SegmentExport.objects.exists()

    def test_nothing_is_previewed_before_both_are_chosen(
        self, viewers: None, make_segment: Make, login: Login, marketer: User
    ) -> None:
        preview = login(marketer).post(
            reverse("segments:export_preview", args=[make_segment().pk]), {"channel": "email"}
        )

        assert preview.content.decode().strip() == ""

    def test_the_list_is_a_download(
        self, marketing_purpose: Purpose, viewers: None, make_segment: Make, login: Login, marketer: User
    ) -> None:
        segment = make_segment()

        answer = login(marketer).post(
            reverse("segments:export_download", args=[segment.pk]), self.asked(marketing_purpose)
        )

        assert answer.headers["Content-Type"] == "text/csv"
        assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="segment-{segment.pk}-')
        assert b"v1@baansabai.co.th" in b"".join(answer.streaming_content)  # type: ignore[attr-defined]

    def test_without_a_purpose_there_is_no_list(
        self, viewers: None, make_segment: Make, login: Login, marketer: User
    ) -> None:
        answer = login(marketer).post(
            reverse("segments:export_download", args=[make_segment().pk]), {"channel": "email"}
        )

        assert answer.status_code == 422
        assert not SegmentExport.objects.exists()

    def test_a_segment_of_hidden_data_is_not_exported(
        self, marketing_purpose: Purpose, viewers: None, make_segment: Make, login: Login, marketer: User
    ) -> None:
        segment = make_segment(viewed_red())
        definition = {**segment.definition}
        definition["where"]["of"][0]["event"] = "Ticket Opened"
        Segment.objects.filter(pk=segment.pk).update(definition=definition)

        answer = login(marketer).post(
            reverse("segments:export_download", args=[segment.pk]), self.asked(marketing_purpose)
        )

        assert answer.status_code == 422
        assert not SegmentExport.objects.exists()
