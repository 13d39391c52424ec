"""Addresses as ad platforms compare them, by the platforms' own examples."""

import pytest

from segments.exports import hashed
from segments.exports.formats import FORMATS, Kind


@pytest.mark.parametrize(
    ("platform", "place", "address", "expected"),
    [
        # Meta: https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences
        (Kind.META, 0, "John_Smith@gmail.com", "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"),
        (Kind.META, 1, "+81344057597", "574f12b7409ae74d10bebbcb5e79ce749d76c37d2590d689043c73d1a8e162d0"),
        # TikTok: https://ads.tiktok.com/help/article/list-of-supported-ids-and-formats-for-a-customer-file
        (Kind.TIKTOK, 0, "janedoe@gmail.com", "d6117306485ed0e50afab3ac871e98f81699151f30281527d63ff5f233656c69"),
        (Kind.TIKTOK, 1, "+37493828222", "65b7e6dcf6f4310f8d7cbfbd78289a753062fb054d6664fb9aaac5df66a422d4"),
        # LINE: https://developers.line.biz/en/docs/partner-docs/line-notification-messages/technical-specs/
        (Kind.LINE_PHONE, 0, "+818000001234", "d41e0ad70dddfeb68f149ad6fc61574b9c5780ab7bcb2fba5517771ffbb2409c"),
    ],
)
def test_the_platforms_own_examples(platform: str, place: int, address: str, expected: str) -> None:
    assert FORMATS[platform].columns[place].cell(address) == expected


@pytest.mark.parametrize(
    ("address", "form"),
    [
        # https://developers.google.com/data-manager/api/devguides/concepts/formatting
        ("cloudy.sanfrancisco+shopping@gmail.com", "cloudysanfrancisco@gmail.com"),
        ("user.name+NYC@Example.com", "user.name+nyc@example.com"),
        ("Jefferson.Loves.hiking@GoogleMail.com", "jeffersonloveshiking@googlemail.com"),
        ("สมชาย.ใจดี@ตัวอย่าง.ไทย", "สมชาย.ใจดี@ตัวอย่าง.ไทย"),
    ],
)
def test_google_reads_gmail_without_dots_and_what_follows_a_plus(address: str, form: str) -> None:
    assert hashed.google_email(address) == form
    assert FORMATS[Kind.GOOGLE].columns[0].cell(address) == hashed.hashed(form)


def test_a_thai_number_keeps_its_country_code() -> None:
    assert hashed.phone("+66812345678") == "+66812345678"
    assert hashed.phone_digits("+66812345678") == "66812345678"


def test_an_address_that_may_not_be_used_is_an_empty_cell_and_no_hash_of_nothing() -> None:
    assert [column.cell("") for form in FORMATS.values() for column in form.columns] == [""] * 9


def test_ids_of_a_line_account_leave_as_they_are() -> None:
    (column,) = FORMATS[Kind.LINE_USERS].columns
    assert column.cell("U4af4980629") == "U4af4980629"
