"""Parts of a row of the mapping form: its steps, and the questions about a consent of earlier days."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ingestion.files.consents import DEFAULT_VALUES
from ingestion.files.steps import MAX_STEPS, Other, StepKind
from ingestion.mapping_screen.mapping_words import (
    ANSWER_LABELS,
    DATE_LABELS,
    LANGUAGE_LABELS,
    OTHER_LABELS,
    STEP_LABELS,
    WAY_LABELS,
)

SHOWN_VALUES: Final = 12  # distinct values of a column that the form asks about
EQUALS: Final = "="

Given = Callable[[str], str]  # what was sent under a name


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step as the form shows it. `do` "": none yet; `number` is its place."""

    number: int
    do: str = ""
    text: str = ""
    column: str = ""
    values: str = ""  # "a = b", one a line
    other: str = Other.KEEP.value
    order: str = ""
    decimal_comma: bool = False
    unsigned: bool = False

    def step(self) -> dict[str, Any]:
        """As the definition holds it."""
        match self.do:
            case StepKind.TRIM | StepKind.PREFIX:
                more: dict[str, Any] = {"text": self.text}
            case StepKind.JOIN:
                more = {"column": self.column, "text": self.text}
            case StepKind.MAP:
                more = {"values": _pairs(self.values), "other": self.other}
            case StepKind.NUMBER:
                more = {"decimal_comma": self.decimal_comma, "unsigned": self.unsigned}
            case StepKind.DATE:
                more = {"order": self.order or None}
            case _:
                more = {}
        return {"do": self.do, **{name: value for name, value in more.items() if value}}


def _pairs(lines: str) -> dict[str, str]:
    pairs = {}
    for line in lines.splitlines():
        value, mark, result = line.partition(EQUALS)
        if mark and value.strip():
            pairs[value.strip()] = result.strip()
    return pairs


def steps_of(field: Mapping[str, Any]) -> tuple[StepRow, ...]:
    """The steps of a field, and an empty one behind them to choose from."""
    rows = [
        StepRow(
            number=number,
            do=step["do"],
            text=step.get("text", ""),
            column=step.get("column", ""),
            values="\n".join(f"{value} {EQUALS} {result}" for value, result in step.get("values", {}).items()),
            other=step.get("other", Other.KEEP.value),
            order=step.get("order") or "",
            decimal_comma=step.get("decimal_comma", False),
            unsigned=step.get("unsigned", False),
        )
        for number, step in enumerate(field.get("steps", ()))
    ]
    return _with_room(rows)


def steps_sent(given: Given, samples: Sequence[str]) -> tuple[StepRow, ...]:
    """The steps as they were sent: one that was taken back is gone, a new map starts with the column's values."""
    rows: list[StepRow] = []
    for sent in range(MAX_STEPS):
        do = given(f"step{sent}")
        if do not in STEP_LABELS:
            continue
        values = given(f"step{sent}-values")
        if do == StepKind.MAP and not values:
            values = "\n".join(f"{value} {EQUALS} {value}" for value in distinct(samples))
        text = given(f"step{sent}-text")
        if do == StepKind.JOIN and not given(f"step{sent}-was"):
            text = " "
        rows.append(
            StepRow(
                number=len(rows),
                do=do,
                text=text,
                column=given(f"step{sent}-column"),
                values=values,
                other=_known(given(f"step{sent}-other"), OTHER_LABELS, Other.KEEP.value),
                order=_known(given(f"step{sent}-order"), DATE_LABELS, ""),
                decimal_comma=bool(given(f"step{sent}-comma")),
                unsigned=bool(given(f"step{sent}-unsigned")),
            )
        )
    return _with_room(rows)


def _with_room(rows: list[StepRow]) -> tuple[StepRow, ...]:
    has_room = len(rows) < MAX_STEPS and not (rows and rows[-1].do == StepKind.SPLIT_NAME)
    return tuple(rows) + ((StepRow(len(rows)),) if has_room else ())


def _known(value: str, labels: Mapping[str, Any], otherwise: str) -> str:
    return value if value in labels else otherwise


def distinct(samples: Sequence[str]) -> list[str]:
    """The values of a column, each once however it is capitalised, as many as a form asks about."""
    found: dict[str, str] = {}
    for value in samples:
        found.setdefault(value.casefold(), value[:100])
    return list(found.values())[:SHOWN_VALUES]


@dataclass(frozen=True, slots=True)
class Answer:
    """A value of a column, and what it says: one of ANSWER_LABELS, "" while nobody has said."""

    number: int
    value: str
    state: str


@dataclass(frozen=True, slots=True)
class ConsentPart:
    """What the wizard for consents of earlier days asks of a column."""

    answers: tuple[Answer, ...] = ()
    purpose: str = ""
    channel: str = ""
    when_column: str = ""
    when: str = ""
    notice_version: str = ""
    notice: str = ""
    language: str = ""
    how: str = ""
    where: str = ""

    def field(self, *, is_column: bool) -> dict[str, Any]:
        """As the definition holds it. Where all values are the usual words they are left out: then those count that
        the first rows do not show, too."""
        said = {answer.value: answer.state for answer in self.answers if answer.state}
        is_usual = all(DEFAULT_VALUES.get(value.casefold()) == state for value, state in said.items())
        when = {"from": self.when_column, "value": self.when}
        notice = {"version": self.notice_version, "language": self.language, "text": self.notice}
        evidence = {"how": self.how, "where": self.where}
        parts = {"when": when, "notice": notice, "evidence": evidence} if is_column else {}
        filled = {name: {key: value for key, value in part.items() if value} for name, part in parts.items()}
        return {
            **({"purpose": self.purpose, "channel": self.channel} if is_column else {}),
            **({} if is_usual else {"values": said}),
            **{name: part for name, part in filled.items() if part},
        }


def consent_of(field: Mapping[str, Any], samples: Sequence[str]) -> ConsentPart:
    """The part as a definition has it."""
    values: Mapping[str, str] = field.get("values", {})
    when, notice, evidence = field.get("when", {}), field.get("notice", {}), field.get("evidence", {})
    return ConsentPart(
        answers=_answers(values, samples),
        purpose=field.get("purpose", ""),
        channel=field.get("channel", ""),
        when_column=when.get("from", ""),
        when=when.get("value", ""),
        notice_version=notice.get("version", ""),
        notice=notice.get("text", ""),
        language=notice.get("language", ""),
        how=evidence.get("how", ""),
        where=evidence.get("where", ""),
    )


def _answers(values: Mapping[str, str], samples: Sequence[str]) -> tuple[Answer, ...]:
    """Each value that the mapping or the file knows; the mapping's word counts, else the usual meaning."""
    known = {value.casefold(): state for value, state in values.items()}
    if not known:
        known = dict(DEFAULT_VALUES)
    shown = distinct([*values, *samples])
    return tuple(Answer(number, value, known.get(value.casefold(), "")) for number, value in enumerate(shown))


def consent_sent(given: Given, samples: Sequence[str], *, channel: str, like: ConsentPart | None) -> ConsentPart:
    """The part as it was sent. A column that has just become a consent is asked the same as the one before (`like`),
    of the `channel` that its name speaks of."""
    if not given("consent"):
        began = consent_of({"purpose": given("purpose"), "channel": given("channel") or channel}, samples)
        if like is None:
            return began
        return replace(like, answers=began.answers, channel=began.channel, purpose=began.purpose or like.purpose)
    answers: list[Answer] = []
    while value := given(f"answer{len(answers)}-value"):
        state = _known(given(f"answer{len(answers)}"), ANSWER_LABELS, "")
        answers.append(Answer(len(answers), value, state))
    return ConsentPart(
        answers=tuple(answers),
        purpose=given("purpose"),
        channel=given("channel"),
        when_column=given("when-column"),
        when=given("when"),
        notice_version=given("notice-version")[:40],
        notice=given("notice"),
        language=_known(given("language"), LANGUAGE_LABELS, ""),
        how=_known(given("how"), WAY_LABELS, ""),
        where=given("where"),
    )
