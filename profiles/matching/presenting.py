"""Two records and their customers side by side, as a person reads them who has to say whether they are one.

The two records that are asked about stand first, then others of their customers. A row is what all of them say of one
thing; what differs is marked letter by letter against the record on the other side.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from cdp_site.core.access import Scope
from cdp_site.core.errors import Text
from cdp_site.core.templatetags.formats import day_text
from ingestion.normalise import names
from ingestion.normalise.identifier_kinds import KIND_OF_TRAIT
from ingestion.normalise.romanise import romanise
from profiles import masking
from profiles.labels import identifier_kind, phone_text, value_label
from profiles.matching import letters
from profiles.matching.letters import Piece
from profiles.models import Identifier, Membership, SourceRecord, Trait
from profiles.naming import is_thai, shown_name
from profiles.overview import texts_of

MOST_RECORDS = 5
ALIKE = 0.8  # two names of eight letters that differ in one

# One line says the name; its parts would say it again.
_NAME_PARTS = frozenset({"first_name", "middle_name", "last_name", "name"})
_NAMES = frozenset({"name", "display_name", "nickname"})
_SHOWN_FIRST = ("title", "display_name", "nickname", "birth_date", "gender")
_ADDRESS = ("address", "subdistrict", "district", "city", "province", "postcode", "country")
_KINDS_FIRST = ("phone", "email", "citizen", "passport", "member", "line", "user")


@dataclass(frozen=True, slots=True)
class Statement:
    """A value as one record states it.

    Args:
        key: what is compared: equal keys are the same value.
        text: what is shown.
        raw: as it came, where that reads differently; else "".
        at: when the source stated it.
        is_past: the record has since stated another value, or somebody else has claimed it.
    """

    key: str
    text: str
    raw: str = ""
    at: datetime | None = None
    is_past: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """A statement as a cell shows it: in pieces, with a Latin reading below a Thai name, "" where there is none."""

    statement: Statement
    pieces: Sequence[Piece]
    reading: Sequence[Piece] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """`standing`: "same", "alike" or "differs" against the other side, "" where that cannot be told."""

    values: Sequence[Value]
    standing: str


@dataclass(frozen=True, slots=True)
class Row:
    """`standing`: of the two records that are asked about."""

    label: Text
    cells: Sequence[Cell]

    @property
    def standing(self) -> str:
        return self.cells[0].standing


@dataclass(frozen=True, slots=True)
class Column:
    """A record. `side`: 1 or 2, whose customer it belongs to; `is_asked` for the two of the pair; `customer`: the
    public id of the profile that it is in."""

    record: SourceRecord
    side: int
    is_asked: bool
    customer: UUID | None


@dataclass(frozen=True, slots=True)
class SideBySide:
    """`names`: of the two that are asked about; `rows` say who somebody is, `more` the rest; `left_out`: records of
    the two customers that are not shown."""

    names: tuple[str, str]
    columns: Sequence[Column]
    rows: Sequence[Row]
    more: Sequence[Row]
    left_out: int


@dataclass(slots=True)
class _Field:
    """What the records say of one thing: record → statements."""

    label: Text
    of: Mapping[int, Sequence[Statement]]
    is_name: bool = False


def side_by_side(pairs: Iterable[tuple[int, int]], *, scope: Scope) -> dict[tuple[int, int], SideBySide]:
    """Pair of record ids → how it is shown to who sees all sources, without the traits that the scope hides; a pair of
    which a record is gone is left out. Six queries for all."""
    wanted = list(pairs)
    customer_of = _customers({number for pair in wanted for number in pair})
    chosen = {pair: _choose(pair, customer_of) for pair in wanted}
    shown = {number for sides in chosen.values() for number in sides}
    records = SourceRecord.objects.select_related("source").in_bulk(shown)
    identifiers = _identifiers(shown, scope)
    seen = Trait.objects.exclude(name__in=scope.hidden_traits).select_related("group")
    traits = {trait.name: trait for trait in seen}
    found: dict[tuple[int, int], SideBySide] = {}
    for pair, sides in chosen.items():
        if pair[0] in records and pair[1] in records:
            customers = [customer_of[number] for number in pair]
            columns = [
                Column(records[number], side, number in pair, customers[side - 1].public_id)
                for number, side in sides.items()
                if number in records
            ]
            who, more = _fields([column.record for column in columns], identifiers, traits)
            found[pair] = SideBySide(
                names=(shown_name(records[pair[0]].attributes), shown_name(records[pair[1]].attributes)),
                columns=columns,
                rows=[_row(one, columns) for one in who],
                more=[_row(one, columns) for one in more],
                left_out=len({number for one in customers for number in one.records} - sides.keys()),
            )
    return found


# --- which records ------------------------------------------------------------------------------------------------


class _Customer(NamedTuple):
    """The people's records of a customer now."""

    public_id: UUID | None
    records: Sequence[int]


def _customers(records: Collection[int]) -> dict[int, _Customer]:
    """Record → its customer. Two queries."""
    own = Membership.objects.filter(record__in=records, valid_to__isnull=True)
    owner = {
        record: (profile, public_id)
        for record, profile, public_id in own.values_list("record", "profile", "profile__public_id")
    }
    members: dict[int, list[int]] = defaultdict(list)
    theirs = Membership.objects.filter(profile__in={profile for profile, _ in owner.values()}, valid_to__isnull=True)
    told = theirs.filter(record__kind=SourceRecord.Kind.IDENTIFIED).order_by("record")
    for profile, record in told.values_list("profile", "record"):
        members[profile].append(record)
    found = {record: _Customer(public_id, members[profile]) for record, (profile, public_id) in owner.items()}
    return {record: found.get(record, _Customer(None, [record])) for record in records}


def _choose(pair: tuple[int, int], customer_of: Mapping[int, _Customer]) -> dict[int, int]:
    """Record → side, in the order of columns: the two that are asked about, then of each customer in turn."""
    chosen = {pair[0]: 1, pair[1]: 2}
    waiting = [[number for number in customer_of[one].records if number not in chosen] for one in pair]
    while any(waiting) and len(chosen) < MOST_RECORDS:
        for side, numbers in enumerate(waiting, start=1):
            if numbers and len(chosen) < MOST_RECORDS:
                chosen.setdefault(numbers.pop(0), side)
    return dict(sorted(chosen.items(), key=lambda item: (item[0] not in pair, item[1], item[0])))


# --- what they say ------------------------------------------------------------------------------------------------


def _fields(
    records: Sequence[SourceRecord], identifiers: Mapping[int, Sequence[Identifier]], traits: Mapping[str, Trait]
) -> tuple[list[_Field], list[_Field]]:
    """What says who somebody is, and the rest, each in the order of rows; only what one of them states."""
    stated = {record.pk: _statements(record, traits) for record in records}
    who = [_Field(_("Name"), {record.pk: _name(record) for record in records}, is_name=True)]
    who += [_of_trait(trait, stated, traits) for trait in _SHOWN_FIRST]
    who += _of_kinds({record.pk: identifiers.get(record.pk, ()) for record in records})
    who += [_of_trait(trait, stated, traits) for trait in _ADDRESS]
    seen = {*_NAME_PARTS, *_SHOWN_FIRST, *_ADDRESS, *KIND_OF_TRAIT}
    others = {trait for of_record in stated.values() for trait in of_record} - seen
    placed = sorted(others, key=lambda name: (traits[name].group.position, traits[name].position, name))
    more = [_of_trait(trait, stated, traits) for trait in placed]
    return [one for one in who if any(one.of.values())], more


def _name(record: SourceRecord) -> list[Statement]:
    """Without a title: that is a row of its own."""
    text = shown_name({**record.attributes, "title": None, "display_name": None, "nickname": None})
    times = (record.attribute_times.get(part) for part in ("last_name", "first_name", "name"))
    at = next(filter(None, times), "")
    return [Statement(text.casefold(), text, at=parse_datetime(at))] if text else []


def _statements(record: SourceRecord, traits: Mapping[str, Trait]) -> dict[str, list[Statement]]:
    """Trait → what the record states, without what the data plan does not know."""
    found: dict[str, list[Statement]] = {}
    for name, value in record.attributes.items():
        if name in traits and value not in (None, "", []):
            is_date = traits[name].data_type == Trait.DataType.DATE
            at = parse_datetime(record.attribute_times.get(name, ""))
            found[name] = [
                Statement(text.casefold(), _date_text(text) if is_date else value_label(name, text), at=at)
                for text in texts_of(value)
            ]
    return found


def _date_text(text: str) -> str:
    try:
        return day_text(date.fromisoformat(text[:10]))
    except ValueError:
        return text


def _of_trait(
    name: str, stated: Mapping[int, Mapping[str, Sequence[Statement]]], traits: Mapping[str, Trait]
) -> _Field:
    of = {number: of_record.get(name, ()) for number, of_record in stated.items()}
    return _Field(str(traits.get(name, name)), of, is_name=name in _NAMES)


def _identifiers(records: Collection[int], scope: Scope) -> dict[int, list[Identifier]]:
    found: dict[int, list[Identifier]] = defaultdict(list)
    unsaid = {"device", "cookie", "anonymous", *masking.hidden_kinds(scope)}
    rows = Identifier.objects.filter(record__in=records).exclude(kind__in=unsaid)
    for row in rows.order_by("-is_current", "pk"):
        found[row.record_id].append(row)
    return found


def _of_kinds(identifiers: Mapping[int, Sequence[Identifier]]) -> list[_Field]:
    kinds = {row.kind for rows in identifiers.values() for row in rows}
    placed = [kind for kind in _KINDS_FIRST if kind in kinds] + sorted(kinds - {*_KINDS_FIRST})
    return [
        _Field(
            identifier_kind(kind),
            {number: [_identifier(row) for row in rows if row.kind == kind] for number, rows in identifiers.items()},
        )
        for kind in placed
    ]


def _identifier(row: Identifier) -> Statement:
    """A national id is a hash with its last four digits; what is the same is told by the hash."""
    if row.kind == "citizen":
        return Statement(row.value, f"•••• {row.raw}", at=row.last_stated_at)
    text = phone_text(row.value) if row.kind == "phone" else row.value
    return Statement(
        key=f"{row.namespace}:{row.value}",
        text=text,
        raw=row.raw if row.raw not in (row.value, text) else "",
        at=row.last_stated_at,
        is_past=not row.is_current or row.valid_to is not None,
    )


# --- how they differ ----------------------------------------------------------------------------------------------


def _row(one: _Field, columns: Sequence[Column]) -> Row:
    """Each record against the one of the pair on the other side."""
    asked = {column.side: one.of[column.record.pk] for column in columns if column.is_asked}
    cells = [_cell(one.of[column.record.pk], asked[3 - column.side], is_name=one.is_name) for column in columns]
    return Row(one.label, cells)


def _cell(own: Sequence[Statement], others: Sequence[Statement], *, is_name: bool) -> Cell:
    values = [_value(statement, others, is_name=is_name) for statement in own]
    if not own or not others:
        return Cell(values, "")
    if not {one.key for one in own}.isdisjoint(one.key for one in others):
        return Cell(values, "same")
    told = {_standing(one.text, other.text, is_name=is_name) for one in own for other in others}
    return Cell(values, next((word for word in ("alike", "differs") if word in told), ""))


def _standing(text: str, other: str, *, is_name: bool) -> str:
    """Of two values that are not the same. Of names what resolution says of them, whatever script they are in; of other
    things in two scripts nothing."""
    if is_thai(text) == is_thai(other) and letters.likeness(text, other) >= ALIKE:
        return "alike"
    if is_name:
        person, another = names.person_name(text), names.person_name(other)
        if names.names_agree(person, another):
            return "alike"
        return "differs" if names.names_clearly_differ(person, another) else ""
    return "differs" if is_thai(text) == is_thai(other) else ""


def _value(own: Statement, others: Sequence[Statement], *, is_name: bool) -> Value:
    """The statement against the nearest of the other side. Two scripts have no letter in common: there a name's Latin
    reading is what is compared, and other things are not."""
    reading = romanise(own.text) if is_name and is_thai(own.text) else ""
    if not others:
        return Value(own, _plain(own.text), _plain(reading))
    nearest = max(others, key=lambda other: (other.key == own.key, letters.likeness(own.text, other.text)))
    if nearest.key == own.key:
        return Value(own, _plain(own.text), _plain(reading))
    if is_thai(own.text) == is_thai(nearest.text):
        return Value(own, letters.compare(own.text, nearest.text), _plain(reading))
    if not is_name:
        return Value(own, _plain(own.text))
    if reading:
        return Value(own, _plain(own.text), letters.compare(reading, nearest.text))
    return Value(own, letters.compare(own.text, romanise(nearest.text)))


def _plain(text: str) -> tuple[Piece, ...]:
    return (Piece(text, False),) if text else ()
