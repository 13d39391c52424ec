"""What the company's systems send: the messages and rows of a number of people, before they are written anywhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cdp_site.operations.company.draws import uuid_text
from cdp_site.operations.company.year import Year

Message = dict[str, Any]
Row = tuple[str, ...]

WEB, APP, POS, CALLS, LINE = "web-shop", "mobile-app", "stores", "call-centre", "line"

POS_MEMBER_COLUMNS: Row = (
    "รหัสลูกค้า",
    "ชื่อ-สกุล",
    "โทรศัพท์",
    "อีเมล",
    "วันเกิด",
    "ที่อยู่",
    "อำเภอ",
    "จังหวัด",
    "รหัสไปรษณีย์",
    "รหัสสมาชิก",
    "เลขประจำตัวประชาชน",
    "วันที่สมัคร",
    "แก้ไขล่าสุด",
    "รับข่าวทาง SMS",
    "รับข่าวทางอีเมล",
)
POS_SALE_COLUMNS: Row = (
    "เลขที่ใบเสร็จ",
    "บรรทัด",
    "วันเวลา",
    "สาขา",
    "รหัสลูกค้า",
    "รหัสสินค้า",
    "ชื่อสินค้า",
    "หมวด",
    "สี",
    "จำนวน",
    "ราคาต่อหน่วย",
    "ราคาตั้ง",
    "ส่วนลด",
    "คูปอง",
    "ส่วนลดคูปอง",
    "ยอดสุทธิ",
)
POS_RETURN_COLUMNS: Row = ("เลขที่ใบเสร็จ", "วันเวลา", "สาขา", "รหัสลูกค้า", "รหัสสินค้า", "ยอดคืน")
CALL_COLUMNS: Row = (
    "ticket",
    "caller",
    "caller_last",
    "phone",
    "email",
    "started_at",
    "duration_seconds",
    "agent",
    "reason",
    "outcome",
    "note",
    "satisfaction",
    "order_id",
    "do_not_call",
)


@dataclass(slots=True)
class Feeds:
    """Messages and rows with the moments at which they come, in the order in which they were made.

    ``web`` and ``app`` hold Segment messages, the others rows of files. ``truth`` says who a record really is:
    (source, external id, person). ``touchpoints`` counts what should be found on profiles, by kind; ``people`` those
    who are in it.
    """

    people: int = 0
    web: list[tuple[int, Message]] = field(default_factory=list)
    app: list[tuple[int, Message]] = field(default_factory=list)
    line: list[tuple[int, Message]] = field(default_factory=list)
    members: list[tuple[int, Row]] = field(default_factory=list)
    sales: list[tuple[int, Row]] = field(default_factory=list)
    returns: list[tuple[int, Row]] = field(default_factory=list)
    calls: list[tuple[int, Row]] = field(default_factory=list)
    truth: list[tuple[str, str, int]] = field(default_factory=list)
    touchpoints: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Tracker:
    """One person's page, app or mail tool talking to the event API: makes Segment messages into a feed.

    ``anonymous_id`` and ``user_id`` are those of the moment; an empty one is left out, as an SDK does.
    """

    messages: list[tuple[int, Message]]
    touchpoints: Counter[str]
    year: Year
    rng: Random
    context: Message
    anonymous_id: str = ""
    user_id: str = ""

    def track(self, moment: int, event: str, properties: Message) -> None:
        """Record that something happened."""
        message = self._message("track", moment)
        message["event"] = event
        message["properties"] = properties
        self.messages.append((moment, message))
        self.touchpoints[event] += 1

    def page(self, moment: int, name: str, path: str) -> None:
        """Record that a page was opened."""
        message = self._message("page", moment)
        message["name"] = name
        message["properties"] = {"path": path, "title": name}
        self.messages.append((moment, message))
        self.touchpoints["page"] += 1

    def screen(self, moment: int, name: str) -> None:
        """Record that a screen of the app was opened."""
        message = self._message("screen", moment)
        message["name"] = name
        message["properties"] = {}
        self.messages.append((moment, message))
        self.touchpoints["screen"] += 1

    def identify(self, moment: int, traits: Message) -> None:
        """Say who the user is, or what is new about them. Not a touchpoint."""
        message = self._message("identify", moment)
        message["traits"] = traits
        self.messages.append((moment, message))

    def _message(self, kind: str, moment: int) -> Message:
        message: Message = {"type": kind, "messageId": uuid_text(self.rng)}
        if self.anonymous_id:
            message["anonymousId"] = self.anonymous_id
        if self.user_id:
            message["userId"] = self.user_id
        message["timestamp"] = self.year.iso(moment)
        message["context"] = self.context
        return message
