"""The forms in which a list leaves: whom each reaches by, what it is headed with, and how its cells are made."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text
from consent.models import Channel
from segments.exports import hashed
from segments.models import SegmentExport

Kind = SegmentExport.Format
Change = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a platform's file: the address by which `channel` reaches, changed and then hashed, or as it is."""

    header: str
    channel: str
    change: Change = str
    is_hashed: bool = True
    pattern: re.Pattern[str] | None = None  # of the addresses that the platform takes; none: of any

    def cell(self, address: str) -> str:
        if not address:
            return ""
        changed = self.change(address)
        return hashed.hashed(changed) if self.is_hashed else changed


@dataclass(frozen=True, slots=True)
class Format:
    """Attributes:
    extension, content_type: of the file.
    columns: of a platform's file; none where the asker chooses channel and columns.
    has_header: whether the first row names them.
    least: people below whom the platform takes no list, or finds too few.
    hint: what there is to know before one chooses it.
    """

    extension: str
    content_type: str
    hint: Text
    columns: Sequence[Column] = ()
    has_header: bool = True
    least: int = 0

    @property
    def is_platform(self) -> bool:
        """Whether the platform says what the file looks like."""
        return bool(self.columns)

    def takes(self, channel: str, address: str) -> bool:
        """Whether an address of the channel can stand in the file."""
        patterns = [column.pattern for column in self.columns if column.channel == channel and column.pattern]
        return all(pattern.fullmatch(address) for pattern in patterns)

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(column.channel for column in self.columns)


# What an account calls its friends; the names that people choose for themselves are other ids.
# https://developers.line.biz/en/docs/messaging-api/getting-user-ids/
_LINE_USER: Final = re.compile(r"U[0-9a-f]{32}")
_CSV: Final = "text/csv; charset=utf-8"
_HASHED: Final = _("Addresses leave as SHA-256 hashes, in the form that the platform compares.")

FORMATS: Mapping[str, Format] = {
    Kind.CSV: Format(
        "csv",
        _CSV,
        _("For mail and message systems. A spreadsheet that opens it by a double click shortens phone numbers."),
    ),
    Kind.XLSX: Format(
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _("For spreadsheets: every cell is text, phone numbers stay as they are."),
    ),
    # Headers in English, one column each: https://support.google.com/google-ads/answer/7476159
    Kind.GOOGLE: Format(
        "csv",
        _CSV,
        _HASHED,
        (
            Column("Email", Channel.EMAIL, hashed.google_email),
            Column("Phone", Channel.SMS, hashed.phone),
        ),
    ),
    # Below 100 people Meta advises against a list: https://www.facebook.com/business/help/2082575038703844
    Kind.META: Format(
        "csv",
        _CSV,
        _HASHED,
        (
            Column("email", Channel.EMAIL, hashed.email),
            Column("phone", Channel.SMS, hashed.phone_digits),
        ),
        least=100,
    ),
    # At least 1,000 entries: https://ads.tiktok.com/help/article/how-to-create-a-custom-audience-with-a-customer-file
    Kind.TIKTOK: Format(
        "csv",
        _CSV,
        _HASHED,
        (
            Column("Email_SHA256", Channel.EMAIL, hashed.email),
            Column("Phone_SHA256", Channel.SMS, hashed.phone_digits),
        ),
        least=1_000,
    ),
    # One hash a line, no heading: https://www.linebiz.com/jp/manual/line-ads/tracking_011/
    Kind.LINE_EMAIL: Format("csv", _CSV, _HASHED, (Column("email", Channel.EMAIL, hashed.email),), has_header=False),
    Kind.LINE_PHONE: Format("csv", _CSV, _HASHED, (Column("phone", Channel.SMS, hashed.phone),), has_header=False),
    # https://www.linebiz.com/jp/manual/OfficialAccountManager/messages-audience/
    Kind.LINE_USERS: Format(
        "csv",
        _CSV,
        _("For an audience of your LINE Official Account: one user ID a line."),
        (Column("user_id", Channel.LINE, is_hashed=False, pattern=_LINE_USER),),
        has_header=False,
    ),
}


def of(export: SegmentExport) -> Format:
    return FORMATS[export.format]


def channels_of(export: SegmentExport) -> tuple[str, ...]:
    """The channels whose addresses are on it: the gate is asked for each."""
    return of(export).channels or (export.channel,)
