"""The mapping screen's form: a definition as a table of fields, and back.

Every column of the file has at least one row; a column with several uses has several. A row without a column is a
fixed value. Rows are numbered: "target-3" is the target of row 3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text
from ingestion.files import mapping
from ingestion.files.mapping import LINE_FIELDS, ORDER_FIELDS, TARGETS_OF, VERSION, Problem, RowKind, Target
from ingestion.files.problems import MAPPING_TEXTS

MOST_ROWS: Final = 400
SHOWN_SAMPLES: Final = 3

ROW_LABELS: Final[Mapping[str, Text]] = {
    RowKind.PEOPLE: _("A customer"),
    RowKind.EVENTS: _("Something that happened"),
    RowKind.ORDERS: _("A line of an order or receipt"),
}
DATE_LABELS: Final[Mapping[str, Text]] = {
    "dmy": _("Day, month, year"),
    "mdy": _("Month, day, year"),
    "ymd": _("Year, month, day"),
}
YEAR_LABELS: Final[Mapping[str, Text]] = {
    "": _("Leave them unread"),
    "buddhist": _("Buddhist era (พ.ศ.)"),
    "gregorian": _("Common era (ค.ศ.)"),
}
EMPTY_LABELS: Final[Mapping[str, Text]] = {
    "unchanged": _("Leave what is known"),
    "cleared": _("Clear what is known"),
}
TYPE_LABELS: Final[Mapping[str, Text]] = {"text": _("text"), "number": _("number"), "boolean": _("yes or no")}
TRAIT_LABELS: Final[Mapping[str, Text]] = {
    "name": _("Full name"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "middle_name": _("Middle name"),
    "title": _("Title"),
    "nickname": _("Nickname"),
    "display_name": _("Display name"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "line_id": _("LINE ID"),
    "member_id": _("Member ID"),
    "national_id": _("National ID (kept as a hash)"),
    "birth_date": _("Date of birth"),
    "gender": _("Gender"),
    "address": _("Address"),
    "address_line2": _("Address, second line"),
    "subdistrict": _("Subdistrict"),
    "district": _("District"),
    "city": _("City"),
    "province": _("Province"),
    "postcode": _("Postcode"),
    "country": _("Country"),
    "language": _("Language"),
    "company": _("Company"),
    "job_title": _("Job title"),
    "tier": _("Member tier"),
    "created_at": _("Customer since"),
    "website": _("Website"),
    "note": _("Note"),
}
ORDER_LABELS: Final[Mapping[str, Text]] = {
    "id": _("Order number"),
    "total": _("Total of the order"),
    "currency": _("Currency"),
    "coupon": _("Coupon of the order"),
    "discount": _("Discount on the order"),
}
LINE_LABELS: Final[Mapping[str, Text]] = {
    "line_id": _("Number of the line"),
    "sku": _("Product code"),
    "name": _("Product name"),
    "category": _("Category"),
    "color": _("Colour"),
    "quantity": _("Quantity"),
    "price": _("Price of one"),
    "total": _("Paid for the line"),
    "list_price": _("List price of one"),
    "discount": _("Discount on the line"),
    "coupon": _("Coupon of the line"),
    "coupon_discount": _("Discount by coupon"),
}
_PLAIN_LABELS: Final[Mapping[Target, Text]] = {
    Target.RECORD_ID: _("Record ID: whose row it is"),
    Target.ANONYMOUS_ID: _("Device ID"),
    Target.IDENTIFIER: _("Another identifier …"),
    Target.ROW_ID: _("Number of this row"),
    Target.CONSENT: _("Consent …"),
    Target.EVENT: _("What happened (its name)"),
    Target.TIMESTAMP: _("When it happened"),
    Target.PROPERTY: _("A detail of it …"),
}
_OWN_TRAIT: Final = "trait"  # an attribute that is in no list; its name is typed
_NAMED: Final[Mapping[Target, Mapping[str, Text]]] = {
    Target.TRAIT: TRAIT_LABELS,
    Target.ORDER: ORDER_LABELS,
    Target.LINE: LINE_LABELS,
}
Group = tuple[Text, list[tuple[str, Text]]]


def target_groups(rows: RowKind) -> list[Group]:
    """The choices of a target, in groups, for rows of this kind."""
    allowed = TARGETS_OF[rows]

    def plain(*targets: Target) -> list[tuple[str, Text]]:
        return [(target.value, _PLAIN_LABELS[target]) for target in targets if target in allowed]

    groups: list[Group] = [
        (_("Whose it is"), plain(Target.RECORD_ID, Target.ANONYMOUS_ID, Target.IDENTIFIER)),
        (_("What happened"), plain(Target.EVENT, Target.TIMESTAMP, Target.ROW_ID, Target.PROPERTY)),
    ]
    if Target.ORDER in allowed:
        groups.append((_("The order"), [(f"order:{name}", ORDER_LABELS[name]) for name in ORDER_FIELDS]))
        groups.append((_("The line"), [(f"line:{name}", LINE_LABELS[name]) for name in LINE_FIELDS]))
    about = [(f"trait:{name}", label) for name, label in TRAIT_LABELS.items()]
    groups.append((_("About the customer"), [*about, (_OWN_TRAIT, _("Another attribute …"))]))
    groups.append((_("Permission"), plain(Target.CONSENT)))
    return groups


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
    purpose: str = ""
    channel: str = ""
    yes: str = ""
    no: str = ""
    samples: tuple[str, ...] = ()
    problems: tuple[Text, ...] = ()

    @property
    def kind(self) -> str:
        """Which more it asks for: "trait", "identifier", "property", "consent" or ""."""
        return self.target if self.target in ("trait", "identifier", "property", "consent") else ""

    def field(self) -> dict[str, Any]:
        """As the definition holds it."""
        to, _colon, name = self.target.partition(":")
        source = {"from": self.column} if self.column else {"value": self.value}
        one: dict[str, Any] = {**source, "to": to}
        if name or self.kind in ("trait", "identifier", "property"):
            one["name"] = name or self.name
        if self.kind == "identifier" and self.namespace:
            one["namespace"] = self.namespace
        if self.kind == "property":
            one["type"] = self.type
        if self.kind == "consent":
            one |= {"purpose": self.purpose, "channel": self.channel}
            if self.yes or self.no:
                one["values"] = {
                    **dict.fromkeys(_words(self.yes), "granted"),
                    **dict.fromkeys(_words(self.no), "refused"),
                }
        return one


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


@dataclass(frozen=True, slots=True)
class MappingForm:
    """The whole form. `problems` are of no single row."""

    rows: RowKind
    date_order: str
    years: str
    empty: str
    fields: tuple[FieldRow, ...]
    name: str = ""
    base: str = ""
    problems: tuple[Text, ...] = field(default=())

    def definition(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "rows": self.rows.value,
            "date_order": self.date_order,
            "two_digit_years": {"era": self.years, "first_year": 1927} if self.years else None,
            "empty": self.empty,
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

    @property
    def target_groups(self) -> list[Group]:
        return target_groups(self.rows)

    @property
    def choices(self) -> dict[str, list[tuple[str, Text]]]:
        """What the selects of the form offer: (value, label) by name."""
        labels = {
            "rows": ROW_LABELS, "date_order": DATE_LABELS, "years": YEAR_LABELS, "empty": EMPTY_LABELS,
            "type": TYPE_LABELS,
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
            shown = tuple(dict.fromkeys(samples.get(column, ())))[:SHOWN_SAMPLES]
            rows.append(_row_of(len(rows), column, one, shown))
    years = definition.get("two_digit_years") or {}
    return MappingForm(
        rows=RowKind(definition["rows"]),
        date_order=definition.get("date_order", "dmy"),
        years=years.get("era", ""),
        empty=definition.get("empty", "unchanged"),
        fields=tuple(rows),
        name=name,
        base=base,
    )


def _row_of(number: int, column: str, one: Mapping[str, Any], samples: tuple[str, ...]) -> FieldRow:
    to, name = one.get("to", ""), one.get("name", "")
    listed = to in _NAMED and name in _NAMED[Target(to)]
    values: Mapping[str, str] = one.get("values", {})
    return FieldRow(
        number=number,
        column=column,
        value=one.get("value", ""),
        target=f"{to}:{name}" if listed else to,
        name="" if listed else name,
        namespace=one.get("namespace", ""),
        type=one.get("type", "text"),
        purpose=one.get("purpose", ""),
        channel=one.get("channel", ""),
        yes=", ".join(word for word, state in values.items() if state == "granted"),
        no=", ".join(word for word, state in values.items() if state != "granted"),
        samples=samples,
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
        rows.append(_row_of_post(len(rows), sent, column, post, samples.get(column, ())))
    return MappingForm(
        rows=RowKind(_one_of(post.get("rows"), ROW_LABELS)),
        date_order=_one_of(post.get("date_order"), DATE_LABELS),
        years=_one_of(post.get("years"), YEAR_LABELS),
        empty=_one_of(post.get("empty"), EMPTY_LABELS),
        fields=tuple(rows),
        name=post.get("mapping_name", "").strip(),
        base=post.get("base", ""),
    )


def _row_of_post(number: int, sent: int, column: str, post: Mapping[str, str], samples: Sequence[str]) -> FieldRow:
    def given(name: str) -> str:
        return post.get(f"{name}-{sent}", "").strip()[:200]

    return FieldRow(
        number=number,
        column=column,
        value=given("value"),
        target=given("target"),
        name=given("name"),
        namespace=given("namespace"),
        type=_one_of(given("type"), TYPE_LABELS),
        purpose=given("purpose"),
        channel=given("channel"),
        yes=given("yes"),
        no=given("no"),
        samples=tuple(dict.fromkeys(samples))[:SHOWN_SAMPLES],
    )


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
    return replace(form, fields=tuple(replace(row, number=number) for number, row in enumerate(rows)))


def for_other_rows(form: MappingForm, suggestion: Mapping[str, Any]) -> MappingForm:
    """The form after a row has become something else: what no longer fits, or was left out, takes the suggestion."""
    allowed = {value for _label, group in form.target_groups for value, _text in group}
    suggested = of_definition(suggestion, [row.column for row in form.fields if row.column], {}, name="", base="")
    by_column = {row.column: row for row in suggested.fields if row.column and row.target}
    rows = [
        row
        if row.target in allowed or row.column not in by_column
        else replace(by_column[row.column], number=row.number, samples=row.samples)
        for row in form.fields
    ]
    rows = [row if row.target in allowed else replace(row, target="") for row in rows]
    needs_event = form.rows is RowKind.EVENTS and not any(row.target == Target.EVENT for row in rows)
    if needs_event:
        rows.insert(0, FieldRow(0, "", target=Target.EVENT.value))
    return replace(form, fields=tuple(replace(row, number=number) for number, row in enumerate(rows)))


def checked(form: MappingForm, columns: Sequence[str]) -> MappingForm:
    """The form with its problems."""
    try:
        mapping.parse(form.definition(), columns=columns)
    except mapping.InvalidMapping as error:
        return form.with_problems(error.problems)
    return form
