"""Consents of earlier days in a file: what was asked, when, with what evidence, and which values say what. Pure.

A column about one purpose and channel (a field of a people's row):

    {"from": "MarketingEmail", "to": "consent", "purpose": "marketing", "channel": "email",
     "values": {"Y": "granted", "N": "refused", "-": "never"},
     "when": {"from": "ConsentDate", "value": "2024-05-01"},
     "notice": {"version": "2024-05", "language": "th", "text": "…"}, "evidence": {"how": "form", "where": "Siam"}}

or a row for each statement (the row kind "consents", whose fields are `statement`s). An empty cell says that the person
was never asked, and so does a value that is called "never": neither states anything.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from ingestion.files.codes import MappingCode, RowProblem

GRANTED: Final = "granted"
NEVER: Final = "never"
STATES: Final = (GRANTED, "refused", "withdrawn")
ANSWERS: Final = (*STATES, NEVER)
# How somebody said it; the ledger's own words for it.
WAYS: Final = ("form", "call", "in_person", "message")
STATEMENT_FIELDS: Final = (
    "purpose", "channel", "state", "address", "notice_version", "language", "how", "where", "reference",
)  # fmt: skip
MAX_NOTICE: Final = 500
MAX_WORDS: Final = 100
MOMENT: Final = timedelta(microseconds=1)

_WORDS: Final[Mapping[str, str]] = {
    GRANTED: """
        y|yes|true|t|1|granted|opt-in|opt in|subscribed|ใช่|ยินยอม|ยอมรับ|รับ|ให้ความยินยอม""",
    "refused": """
        n|no|false|f|0|refused|denied|ไม่|ไม่ใช่|ไม่ยินยอม|ไม่ยอมรับ|ไม่รับ|ไม่ให้ความยินยอม|ปฏิเสธ""",
    "withdrawn": "withdrawn|revoked|opt-out|opt out|unsubscribed|ถอน|ถอนความยินยอม|ยกเลิก|ยกเลิกความยินยอม",
    NEVER: "-|never|never asked|unknown|n/a|null|ไม่เคยถาม|ยังไม่เคยถาม|ไม่ทราบ|ไม่มีข้อมูล",
}
DEFAULT_VALUES: Final[Mapping[str, str]] = {
    word: answer for answer, words in _WORDS.items() for word in words.strip().split("|")
}
_CHANNELS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("email", "e-mail", "mail", "อีเมล", "อีเมล์"), "email"),
    **dict.fromkeys(("sms", "text", "เอสเอ็มเอส", "ข้อความ sms"), "sms"),
    **dict.fromkeys(("phone", "call", "telephone", "โทร", "โทรศัพท์"), "phone"),
    **dict.fromkeys(("line", "line oa", "ไลน์"), "line"),
    **dict.fromkeys(("post", "letter", "ไปรษณีย์", "จดหมาย"), "post"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person was asked and how it is known, the same for all rows. Empty: not said."""

    purpose: str = ""
    channel: str = ""
    values: Mapping[str, str] = field(default_factory=dict)  # casefolded cell → one of ANSWERS
    when_column: str = ""
    when: str = ""  # a date for all rows, or for those whose cell is empty
    notice_version: str = ""
    notice: str = ""
    language: str = ""
    how: str = ""
    where: str = ""

    @property
    def is_dated(self) -> bool:
        return bool(self.when_column or self.when)

    @property
    def version(self) -> str:
        """The notice's version: as it is called, else a name made of its text, so that two texts are told apart."""
        if self.notice_version or not self.notice:
            return self.notice_version
        return f"text-{hashlib.blake2b(self.notice.encode(), digest_size=6).hexdigest()}"


def parse(one: Mapping[str, Any], *, is_column: bool, problems: list[MappingCode]) -> Asked:
    """The consent part of a field; what is wrong goes into `problems`. `is_column`: purpose and channel are needed."""
    purpose, channel = _word(one.get("purpose")), _word(one.get("channel"))
    if is_column and not (purpose and channel):
        problems.append(MappingCode.PURPOSE)
    values = one.get("values", DEFAULT_VALUES)
    if not isinstance(values, dict) or not values or not all(state in ANSWERS for state in values.values()):
        problems.append(MappingCode.VALUES)
        values = {}
    when, notice, evidence = (_part(one.get(name)) for name in ("when", "notice", "evidence"))
    text = notice.get("text") or ""
    if evidence.get("how", "") not in ("", *WAYS) or not isinstance(text, str) or len(text) > MAX_NOTICE:
        problems.append(MappingCode.EVIDENCE)
        text = ""
    return Asked(
        purpose=purpose,
        channel=channel,
        values={str(cell).strip().casefold(): state for cell, state in values.items()},
        when_column=when["from"] if isinstance(when.get("from"), str) else "",
        when=_word(when.get("value")),
        notice_version=_word(notice.get("version"))[:40],
        notice=text.strip(),
        language=_word(notice.get("language"))[:5],
        how=_word(evidence.get("how")),
        where=_word(evidence.get("where")),
    )


def _part(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _word(value: Any) -> str:
    return value.strip()[:MAX_WORDS] if isinstance(value, str) else ""


def state_of(asked: Asked, text: str) -> str | None:
    """What a cell says; None for nothing, or never asked. Raises KeyError for a value that nobody has explained."""
    if not text:
        return None
    answer = asked.values[text.casefold()]
    return None if answer == NEVER else answer


def channel_of(text: str) -> str:
    """A channel's own word for what a file calls it; other words in small letters, for the digest to refuse."""
    word = text.strip().casefold()
    return _CHANNELS.get(word, word)


def moment(said: datetime | None, state: str, zone: tzinfo) -> datetime | None:
    """When it counts. A date alone is the whole day: a grant begins with it and a denial holds to its end, so that a
    doubt never widens what is allowed. None (only for a denial): when the file came. Raises LookupError for a grant
    whose time is not known: dated today it would beat every refusal since."""
    if said is None:
        if state == GRANTED:
            raise LookupError(RowProblem.TIME)
        return None
    local = said.astimezone(zone)
    is_day = (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)
    return said + timedelta(days=1) - MOMENT if is_day and state != GRANTED else said


def proof(asked: Asked, **evidence: str) -> dict[str, Any]:
    """What a statement says besides its state and time: the same for all rows of a column."""
    said = {"notice": asked.notice, "how": asked.how, "where": asked.where, **evidence}
    optional = {"notice_version": asked.version, "language": asked.language}
    return {
        **{name: value for name, value in optional.items() if value},
        "evidence": {name: value for name, value in said.items() if value},
    }


def cell(asked: Asked, state: str, *, at: datetime | None, proof: Mapping[str, Any]) -> dict[str, Any]:
    """The statement as a message carries it; `proof` is what `proof` made of `asked`."""
    found = {"purpose": asked.purpose, "channel": asked.channel, "state": state, "cell": True, **proof}
    if at is not None:
        found["at"] = at.isoformat()
    return found
