"""The mapping screen's form: a definition as a table of fields, and back.

Every column of the file has at least one row; a column with several uses has several. A row without a column is a
fixed value. Rows are numbered: "target-3" is the target of row 3, "step0-3" its first step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import Any, Final

from cdp_site.core.errors import Text
from ingestion.files import looks, mapping, suggest
from ingestion.files.looks import FIRST_YEAR, Example
from ingestion.files.mapping import VERSION, Problem, RowKind, Target
from ingestion.files.problems import MAPPING_TEXTS
from ingestion.files.steps import StepKind
from ingestion.mapping_screen import mapping_words as words
from ingestion.mapping_screen.mapping_parts import ConsentPart, StepRow, consent_of, consent_sent, steps_of, steps_sent
from ingestion.mapping_screen.mapping_words import Group
from ingestion.normalise.dates import TwoDigitYears

MOST_ROWS: Final = 400
SHOWN_SAMPLES: Final = 3
LONGEST: Final = 200  # characters of an input; texts of several lines have their own limit
LONGEST_TEXT: Final = 8_000
_STATE: Final = f"{Target.STATEMENT}:state"


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One row of the form. `target` is "" (left out), "trait:phone", "consent" …"""

    number: int
    column: str
    value: str = ""
    target: str = ""
    name: str = ""
    namespace: str = ""
    type: str = "text"
    steps: tuple[StepRow, ...] = (StepRow(0),)
    consent: ConsentPart = dataclass_field(default_factory=ConsentPart)
    samples: tuple[str, ...] = ()
    problems: tuple[Text, ...] = ()

    @property
    def kind(self) -> str:
        """Which more it asks for: "trait", "identifier", "property", "attribute", "consent", "answers" or ""."""
        if self.target == _STATE:
            return "answers"
        return self.target if self.target in ("trait", "identifier", "property", "attribute", "consent") else ""

    @property
    def step_choices(self) -> list[tuple[str, Text]]:
        """Steps that fit what it becomes: only a full name is split."""
        return [
            (kind, text)
            for kind, text in words.STEP_LABELS.items()
            if kind != StepKind.SPLIT_NAME or self.target == "trait:name"
        ]

    def field(self) -> dict[str, Any]:
        """As the definition holds it."""
        to, _colon, name = self.target.partition(":")
        source = {"from": self.column} if self.column else {"value": self.value}
        one: dict[str, Any] = {**source, "to": to}
        if name or self.kind in ("trait", "identifier", "property", "attribute"):
            one["name"] = name or self.name
        if self.kind == "identifier" and self.namespace:
            one["namespace"] = self.namespace
        if self.kind == "property":
            one["type"] = self.type
        if self.kind in ("consent", "answers"):
            one |= self.consent.field(is_column=self.kind == "consent")
        if self.column and (steps := [row.step() for row in self.steps if row.do]):
            one["steps"] = steps
        return one


@dataclass(frozen=True, slots=True)
class MappingForm:
    """The whole form. `problems` are of no single row; the examples are dates that leave a question open."""

    rows: RowKind
    date_order: str
    years: str
    empty: str
    without_id: str
    fields: tuple[FieldRow, ...]
    name: str = ""
    base: str = ""
    problems: tuple[Text, ...] = ()
    order_example: Example | None = None
    years_example: Example | None = None

    def definition(self) -> dict[str, Any]:
        knows_unknown = self.rows in (RowKind.EVENTS, RowKind.ORDERS)
        return {
            "version": VERSION,
            "rows": self.rows.value,
            "date_order": self.date_order,
            "two_digit_years": {"era": self.years, "first_year": FIRST_YEAR} if self.years else None,
            "empty": self.empty,
            **({"without_id": self.without_id} if knows_unknown and self.without_id != "left_out" else {}),
            "fields": [row.field() for row in self.fields if row.target],
        }

    def with_problems(self, problems: Sequence[Problem]) -> "MappingForm":
        """The form with what is wrong beside the rows that it is about."""
        used = [row.number for row in self.fields if row.target]
        by_row: dict[int, list[Text]] = {}
        whole: list[Text] = []
        for problem in problems:
            text = MAPPING_TEXTS[problem.code]
            if problem.place is None:
                whole.append(text)
            else:
                by_row.setdefault(used[problem.place], []).append(text)
        fields = tuple(replace(row, problems=tuple(by_row.get(row.number, ()))) for row in self.fields)
        return replace(self, fields=fields, problems=tuple(whole))

    def with_questions(self, samples: Mapping[str, Sequence[str]]) -> "MappingForm":
        """The form with the questions that the dates of the file leave open."""
        dated = [row for row in self.fields if row.column and row.target]
        columns = [row.column for row in dated if looks.is_date_field(row.field())]
        columns += [row.consent.when_column for row in dated if row.kind == "consent"]
        dates = list(dict.fromkeys(value for column in columns for value in samples.get(column, ())))
        era = TwoDigitYears(self.years or "buddhist", FIRST_YEAR)  # type: ignore[arg-type]  # one of YEAR_LABELS
        return replace(
            self,
            order_example=looks.order_question(dates, self.date_order, era),  # type: ignore[arg-type]  # DATE_LABELS
            years_example=looks.years_question(dates, self.date_order),  # type: ignore[arg-type]
        )

    @property
    def columns(self) -> list[str]:
        """The file's columns, each once."""
        return list(dict.fromkeys(row.column for row in self.fields if row.column))

    @property
    def target_groups(self) -> list[Group]:
        return words.target_groups(self.rows)

    @property
    def order_choices(self) -> list[tuple[str, Text, str]]:
        """(choice, label, the example's reading)."""
        readings = self.order_example.readings if self.order_example else {}
        return [(choice, text, readings.get(choice, "")) for choice, text in words.DATE_LABELS.items()]

    @property
    def years_choices(self) -> list[tuple[str, Text, str]]:
        readings = self.years_example.readings if self.years_example else {}
        return [(choice, text, readings.get(choice, "")) for choice, text in words.YEAR_LABELS.items()]

    @property
    def choices(self) -> dict[str, list[tuple[str, Text]]]:
        """What the selects of the form offer: (value, label) by name."""
        labels = {
            "rows": words.ROW_LABELS, "empty": words.EMPTY_LABELS, "without_id": words.OWNER_LABELS,
            "type": words.TYPE_LABELS, "other": words.OTHER_LABELS, "order": words.DATE_LABELS,
            "answer": words.ANSWER_LABELS, "how": words.WAY_LABELS, "language": words.LANGUAGE_LABELS,
        }  # fmt: skip
        return {name: list(one.items()) for name, one in labels.items()}


def of_definition(
    definition: Mapping[str, Any], columns: Sequence[str], samples: Mapping[str, Sequence[str]], *, name: str, base: str
) -> MappingForm:
    """The form that shows a definition; columns that it does not name are left out, those that the file lacks too."""
    by_column: dict[str, list[Mapping[str, Any]]] = {}
    for one in definition["fields"]:
        by_column.setdefault(one.get("from", ""), []).append(one)
    rows: list[FieldRow] = []
    for column in ["", *columns]:
        uses = by_column.get(column) or ([{}] if column else [])
        for one in uses:
            rows.append(_row_of(len(rows), column, one, samples.get(column, ())))
    years = definition.get("two_digit_years") or {}
    return MappingForm(
        rows=RowKind(definition["rows"]),
        date_order=definition.get("date_order", "dmy"),
        years=years.get("era", ""),
        empty=definition.get("empty", "unchanged"),
        without_id=definition.get("without_id", "left_out"),
        fields=tuple(rows),
        name=name,
        base=base,
    )


def _shown(samples: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(samples))[:SHOWN_SAMPLES]


def _row_of(number: int, column: str, one: Mapping[str, Any], samples: Sequence[str]) -> FieldRow:
    to, name = one.get("to", ""), one.get("name", "")
    listed = to in words.NAMED and name in words.NAMED[Target(to)]
    target = f"{to}:{name}" if listed else to
    has_answers = target in (Target.CONSENT, _STATE)
    return FieldRow(
        number=number,
        column=column,
        value=one.get("value", ""),
        target=target,
        name="" if listed else name,
        namespace=one.get("namespace", ""),
        type=one.get("type", "text"),
        steps=steps_of(one),
        consent=consent_of(one, samples) if has_answers else ConsentPart(),
        samples=_shown(samples),
    )


def of_post(post: Mapping[str, str], columns: Sequence[str], samples: Mapping[str, Sequence[str]]) -> MappingForm:
    """The form as it was sent. Unknown words fall back to the first choice; columns are the file's own."""
    known = set(columns)
    rows: list[FieldRow] = []
    for sent in range(MOST_ROWS):
        column = post.get(f"column-{sent}")
        if column is None:
            break
        if column and column not in known:
            continue
        asked = next((row.consent for row in reversed(rows) if row.kind == "consent"), None)
        row = _row_of_post(sent, column, post, samples.get(column, ()), asked)
        rows.append(replace(row, number=len(rows)))
    return MappingForm(
        rows=RowKind(_one_of(post.get("rows"), words.ROW_LABELS)),
        date_order=_one_of(post.get("date_order"), words.DATE_LABELS),
        years=_one_of(post.get("years"), words.YEAR_LABELS),
        empty=_one_of(post.get("empty"), words.EMPTY_LABELS),
        without_id=_one_of(post.get("without_id"), words.OWNER_LABELS),
        fields=tuple(rows),
        name=post.get("mapping_name", "").strip(),
        base=post.get("base", ""),
    )


def _row_of_post(
    sent: int, column: str, post: Mapping[str, str], samples: Sequence[str], asked: ConsentPart | None
) -> FieldRow:
    def given(name: str) -> str:
        return post.get(f"{name}-{sent}", "").strip()[:LONGEST]

    def given_exactly(name: str) -> str:
        """Of a part of the row; spaces count in what is put between two columns."""
        text = post.get(f"{name}-{sent}", "")
        return text.replace("\r\n", "\n")[:LONGEST_TEXT] if name.endswith(("-values", "-text")) else text.strip()[:500]

    row = FieldRow(
        number=sent,
        column=column,
        value=given("value"),
        target=given("target"),
        name=given("name"),
        namespace=given("namespace"),
        type=_one_of(given("type"), words.TYPE_LABELS),
        steps=steps_sent(given_exactly, samples),
        samples=_shown(samples),
    )
    if row.kind not in ("consent", "answers"):
        return row
    return replace(row, consent=consent_sent(given_exactly, samples, channel=suggest.channel_of(column), like=asked))


def _one_of(value: str | None, labels: Mapping[str, Text]) -> str:
    return value if value is not None and value in labels else next(iter(labels))


def with_use_added(form: MappingForm, after: int) -> MappingForm:
    """One more row for the column of row `after`; a fixed value when there is no such row."""
    place = next((index for index, row in enumerate(form.fields) if row.number == after), None)
    rows = list(form.fields)
    if place is None:
        rows.insert(0, FieldRow(0, ""))
    else:
        rows.insert(place + 1, FieldRow(0, rows[place].column, samples=rows[place].samples))
    return replace(form, fields=_numbered(rows))


def _numbered(rows: Sequence[FieldRow]) -> tuple[FieldRow, ...]:
    return tuple(replace(row, number=number) for number, row in enumerate(rows))


def for_other_rows(
    form: MappingForm, suggestion: Mapping[str, Any], samples: Mapping[str, Sequence[str]]
) -> MappingForm:
    """The form after a row has become something else: what no longer fits, or was left out, takes the suggestion."""
    allowed = {value for _label, group in form.target_groups for value, _text in group}
    suggested = of_definition(suggestion, form.columns, samples, name="", base="")
    by_column = {row.column: row for row in suggested.fields if row.column and row.target}
    rows = [
        row if row.target in allowed or row.column not in by_column else by_column[row.column] for row in form.fields
    ]
    rows = [row if row.target in allowed else replace(row, target="") for row in rows]
    if form.rows is RowKind.EVENTS and not any(row.target == Target.EVENT for row in rows):
        rows.insert(0, FieldRow(0, "", target=Target.EVENT.value))
    return replace(form, fields=_numbered(rows))


def checked(form: MappingForm, columns: Sequence[str], samples: Mapping[str, Sequence[str]]) -> MappingForm:
    """The form with its problems and open questions."""
    form = form.with_questions(samples)
    try:
        mapping.parse(form.definition(), columns=columns)
    except mapping.InvalidMapping as error:
        return form.with_problems(error.problems)
    return form
