"""The sample company: deterministic, of the promised size and mixture, true to its own truth, in valid form."""

import csv
import hashlib
import itertools
import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cdp_site.operations.company import feeds, files
from cdp_site.operations.company.draws import mobile_number
from cdp_site.operations.company.generation import Company
from cdp_site.operations.company.online import KIOSK
from cdp_site.operations.company.people import SHARED_MAILBOX, Population, citizen_id
from cdp_site.operations.company.story import EMAIL as CHAIR_EMAIL
from cdp_site.operations.company.story import NUMBER as STORY
from cdp_site.operations.company.year import Year, day_weight, end_of, sale_percent
from ingestion.files import mapping
from ingestion.files.rows import RowError, RowReader
from ingestion.normalise.email import normalise_email
from ingestion.normalise.national_id import normalise_national_id
from ingestion.normalise.phone import normalise_phone

PEOPLE = 1_000
END = end_of(date(2026, 11, 22))


def made(folder: Path, *, people: int = 60, seed: int = 1, end: datetime = END) -> dict[str, str]:
    """The hash of every file of a small company."""
    files.write(Company(people=people, seed=seed, end=end), folder)
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Written:
    """A company's files, read back as an importer would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: dict[str, Any] = json.loads((folder / files.MANIFEST).read_text())
        self.messages = {
            source: [
                message
                for path in sorted((folder / name).glob("*.json"))
                for message in json.loads(path.read_bytes())["batch"]
            ]
            for source, name in ((feeds.WEB, files.WEB_FOLDER), (feeds.APP, files.APP_FOLDER))
        }
        self.tables = {
            table: list(csv.DictReader((folder / table.name).read_text(encoding=table.encoding).splitlines()))
            for table in (files.MEMBERS, files.SALES, files.RETURNS, files.CALLS)
        }
        self.chats = [json.loads(line) for line in (folder / files.CHATS.name).read_text().splitlines()]
        truth = list(csv.DictReader((folder / files.TRUTH).read_text().splitlines()))
        self.truth = {(row["source"], row["external_id"]): int(row["person"]) for row in truth}
        assert len(self.truth) == len(truth), "a record is two people"

    def ids_of(self, person: int, source: str) -> set[str]:
        return {external_id for (where, external_id), who in self.truth.items() if who == person and where == source}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("company")
    files.write(Company(people=PEOPLE, seed=1, end=END), folder)
    return Written(folder)


def good(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message for message in messages if not message["messageId"].endswith("-x")]


# --- the same, always ------------------------------------------------------------------------------------------------


def test_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    assert made(tmp_path / "a") == made(tmp_path / "b")


@pytest.mark.parametrize("other", [{"seed": 2}, {"end": END - timedelta(days=1)}, {"people": 61}])
def test_other_arguments_give_others(tmp_path: Path, other: dict[str, Any]) -> None:
    assert made(tmp_path / "a") != made(tmp_path / "b", **other)


def test_a_smaller_company_leaves_no_batch_of_a_larger_one_behind(tmp_path: Path) -> None:
    made(tmp_path / "company", people=400)
    assert made(tmp_path / "company") == made(tmp_path / "fresh")


def test_a_person_is_the_same_in_a_company_of_any_size_and_order() -> None:
    first, second = Population(seed=7), Population(seed=7)
    assert [first.person(n) for n in range(50)] == [second.person(n) for n in reversed(range(50))][::-1]


def test_nobody_can_ask_for_more_people_than_there_are_codes() -> None:
    with pytest.raises(ValueError, match="50,000,003"):
        Company(people=60_000_000, seed=1, end=END)


# --- size and mixture ------------------------------------------------------------------------------------------------


def test_comes_to_its_numbers(written: Written) -> None:
    assert len(set(written.truth.values())) == PEOPLE
    assert written.manifest["touchpoints"] == pytest.approx(20 * PEOPLE, rel=0.15)
    assert len(written.truth) == written.manifest["source_records"] == pytest.approx(1.6 * PEOPLE, rel=0.1)
    sources = {source for source, _ in written.truth}
    assert sources == {feeds.WEB, feeds.APP, feeds.POS, feeds.CALLS, feeds.LINE}


def test_touchpoints_asked_for_are_made() -> None:
    company = Company(people=PEOPLE, seed=1, end=END, touchpoints=10 * PEOPLE)
    for _ in company.blocks():
        pass
    assert company.counts.touchpoints.total() == pytest.approx(10 * PEOPLE, rel=0.15)


def test_every_kind_of_touchpoint_is_there(written: Written) -> None:
    kinds = set(written.manifest["touchpoints_by_type"])
    assert kinds >= {
        "Product Viewed", "Product Added", "Checkout Started", "Order Completed", "Order Refunded", "Order Updated",
        "Email Delivered", "Email Opened", "Email Link Clicked", "Call Ended", "Survey Answered", "page", "screen",
        "Message Received", "Friend Added", "Friend Blocked",
        "Consent Granted", "Consent Refused", "Consent Withdrawn",
    }  # fmt: skip


def test_the_stated_touchpoints_are_in_the_files(written: Written) -> None:
    """Messages that are no identify, calls, chats and receipts, each once: what profiles will show."""
    sent = sum(
        len({message["messageId"] for message in good(messages) if message["type"] != "identify"})
        for messages in written.messages.values()
    )
    receipts = {row["เลขที่ใบเสร็จ"] for row in written.tables[files.SALES] if not row["วันเวลา"].startswith("31/02")}
    others = (len(written.tables[table]) for table in (files.RETURNS, files.CALLS))
    made = sent + len(receipts) + sum(others) + len(written.chats)
    assert made == written.manifest["touchpoints"]


def test_a_quarter_writes_in_latin_script() -> None:
    population = Population(seed=1)
    english = sum(population.person(number).language == "en" for number in range(2_000))
    assert 0.2 < english / 2_000 < 0.3


def test_activity_is_skewed(written: Written) -> None:
    """The busiest tenth of web users makes three tenths of what happens there or more."""
    busy = sorted(Counter(m["userId"] for m in written.messages[feeds.WEB] if "userId" in m).values(), reverse=True)
    assert sum(busy[: len(busy) // 10]) > 0.3 * sum(busy)


def test_seasons() -> None:
    assert day_weight(date(2026, 11, 11), 1) > 2 * day_weight(date(2026, 11, 18), 1)
    assert day_weight(date(2026, 4, 13), 0.5) < day_weight(date(2026, 4, 20), 0.5)
    assert sale_percent(date(2026, 12, 12)) == 30
    assert sale_percent(date(2026, 11, 18)) == 0


def test_nothing_happens_outside_the_year() -> None:
    end = datetime(2026, 11, 22, 8, 20, tzinfo=UTC)
    company = Company(people=300, seed=3, end=end)
    for block in company.blocks():
        feeds_ = (block.web, block.app, block.line, block.sales, block.returns, block.calls)
        moments = [at for feed in feeds_ for at, _ in feed]
        assert all(at < company.year.end for at in moments)
        assert max(moments) > company.year.end - 24 * 3_600_000, "the last day is there"
        stamps = [message["timestamp"] for _, message in block.web]
        assert max(stamps) < "2026-11-22T08:20"
        assert min(stamps) > "2025-11-21T16:50"


def test_iso_and_local_name_the_same_moment() -> None:
    year = Year(END)
    for moment in (0, 1, 25_199_999, 25_200_000, 86_400_000 * 300 + 123_456):
        stamp = datetime.fromisoformat(year.iso(moment))
        assert int(stamp.timestamp() * 1000) == year.epoch(moment)
        assert year.local(moment) == stamp.replace(microsecond=0)


# --- truth -----------------------------------------------------------------------------------------------------------


def test_truth_names_every_record_and_no_other(written: Written) -> None:
    found: set[tuple[str, str]] = set()
    for source, messages in written.messages.items():
        for message in good(messages):
            if "userId" in message:
                found.add((source, message["userId"]))
            elif message["anonymousId"] != KIOSK:
                found.add((source, message["anonymousId"]))
    found |= {(feeds.POS, row["รหัสลูกค้า"]) for row in written.tables[files.MEMBERS]}
    found |= {(feeds.CALLS, row["ticket"]) for row in written.tables[files.CALLS]}
    found |= {(feeds.LINE, row["userId"]) for row in written.chats}
    assert found == set(written.truth)


def test_every_receipt_belongs_to_a_card(written: Written) -> None:
    cards = {row["รหัสลูกค้า"] for row in written.tables[files.MEMBERS]}
    assert {row["รหัสลูกค้า"] for row in written.tables[files.SALES]} <= cards


def test_records_of_one_person_can_be_told_and_others_cannot(written: Written) -> None:
    """Mail addresses of the shop: one person each, but for the mailbox that several share."""
    owners: dict[str, set[int]] = defaultdict(set)
    for message in written.messages[feeds.WEB]:
        if email := message.get("traits", {}).get("email"):
            address = normalise_email(email)
            if address.evidence:
                owners[address.value].add(written.truth[feeds.WEB, message["userId"]])
    assert {address for address, people in owners.items() if len(people) > 1} <= {SHARED_MAILBOX}


# --- flaws of real data ----------------------------------------------------------------------------------------------


def test_a_number_is_given_up_and_given_to_another() -> None:
    population = Population(seed=1)
    giver, taker = population.person(43), population.person(243)
    assert giver.phone == taker.phone
    assert giver.change is not None
    assert giver.change.phone not in {"", giver.phone}
    assert giver.change.day < taker.joined_day


def test_households_share_home_surname_and_phone() -> None:
    population = Population(seed=1)
    head, spouse, child, housemate = (population.person(number) for number in (32, 33, 34, 38))
    assert head.address == spouse.address == child.address
    assert head.surname == spouse.surname == child.surname
    assert head.phone == spouse.phone == child.phone
    assert housemate.address == population.person(37).address
    assert len({head.given, spouse.given, child.given}) == 3


def test_phones_are_valid_and_differ() -> None:
    numbers = [mobile_number(number) for number in itertools.chain(range(3_000), range(100_000_000, 100_000_500))]
    assert len(set(numbers)) == len(numbers)
    usable = [normalise_phone(number).evidence for number in numbers]
    assert sum(usable) / len(usable) > 0.995  # a handful look like junk (…111111…) to the normaliser, as in life


def test_citizen_ids_pass_the_checksum_and_were_never_given_out() -> None:
    for number in range(200):
        assert normalise_national_id(citizen_id(number)).problem is None
        assert citizen_id(number).startswith("9")


def test_unusable_values_are_there(written: Written) -> None:
    phones = [normalise_phone(row["โทรศัพท์"]) for row in written.tables[files.MEMBERS] if row["โทรศัพท์"]]
    assert 0.01 < sum(not phone.evidence for phone in phones) / len(phones) < 0.1
    assert any("***" in row["ชื่อ-สกุล"] for row in written.tables[files.MEMBERS])


def test_some_people_have_two_cards(written: Written) -> None:
    cards = Counter(person for (source, _), person in written.truth.items() if source == feeds.POS)
    assert cards.most_common(1)[0][1] == 2


def test_the_kiosk_has_several_users(written: Written) -> None:
    users = {m.get("userId") for m in written.messages[feeds.WEB] if m.get("anonymousId") == KIOSK}
    assert len(users) > 2
    assert None in users


def test_what_is_sent_twice_or_amiss_is_counted(written: Written) -> None:
    every = [message for messages in written.messages.values() for message in messages]
    nameless = [message for message in every if message["type"] == "track" and "event" not in message]
    odd_days = [row for row in written.tables[files.SALES] if row["วันเวลา"].startswith("31/02")]
    assert len(every) - len({message["messageId"] for message in every}) == written.manifest["sent_twice"] > 0
    assert len(nameless) + len(odd_days) == written.manifest["unusable"] > 0


def test_consent_has_its_four_states(written: Written) -> None:
    answers: dict[str, set[str]] = defaultdict(set)
    for message in written.messages[feeds.WEB]:
        if message.get("event", "").startswith("Consent") and message["properties"]["purpose"] == "marketing":
            answers[message["userId"]].add(message["event"])
    users = [external_id for source, external_id in written.truth if source == feeds.WEB and external_id[0] == "u"]
    assert any("Consent Withdrawn" in given for given in answers.values())
    assert any(given == {"Consent Refused"} for given in answers.values())
    assert any(given == {"Consent Granted"} for given in answers.values())
    assert len(answers) < len(users), "some were never asked"
    cells = {row["รับข่าวทาง SMS"] for row in written.tables[files.MEMBERS]}
    assert cells == {"Y", "N", ""}


# --- form ------------------------------------------------------------------------------------------------------------


def test_messages_have_segments_shape(written: Written) -> None:
    for messages in written.messages.values():
        for message in good(messages):
            assert message["type"] in {"identify", "track", "page", "screen"}
            assert len(message["messageId"]) <= 100
            assert message.get("userId") or message.get("anonymousId")
            assert datetime.fromisoformat(message["timestamp"]).tzinfo is not None
            assert isinstance(message["context"], dict)
            if message["type"] == "track":
                assert message["event"]
                assert isinstance(message["properties"], dict)
            elif message["type"] == "identify":
                assert message["traits"]
                assert "userId" in message
            else:
                assert message["name"]


def test_orders_add_up(written: Written) -> None:
    for message in written.messages[feeds.WEB]:
        if message.get("event") in {"Order Completed", "Order Updated"}:
            order = message["properties"]
            lines = sum(line["price"] * line["quantity"] for line in order["products"])
            assert order["total"] == lines - order.get("discount", 0)
            assert all(
                line["discount"] == (line["list_price"] - line["price"]) * line["quantity"]
                for line in order["products"]
            )


def test_batches_keep_the_limits_of_the_event_api(written: Written) -> None:
    for folder in (files.WEB_FOLDER, files.APP_FOLDER):
        for path in (written.folder / folder).iterdir():
            assert path.stat().st_size <= 500_000
            assert (
                max(len(json.dumps(m, ensure_ascii=False).encode()) for m in json.loads(path.read_bytes())["batch"])
                < 32_000
            )


def test_tills_write_thai_in_one_byte_and_years_of_the_buddhist_era(written: Written) -> None:
    raw = (written.folder / files.SALES.name).read_bytes()
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")
    years = {row["วันเวลา"].split()[0][-4:] for row in written.tables[files.SALES]}
    assert years == {"2568", "2569"}


def test_the_call_centre_exports_with_a_byte_order_mark(written: Written) -> None:
    assert (written.folder / files.CALLS.name).read_bytes().startswith(b"\xef\xbb\xbf")
    notes = [row["note"] for row in written.tables[files.CALLS]]
    assert any(note.isascii() for note in notes)
    assert any(not note.isascii() for note in notes)
    assert all(row["outcome"] for row in written.tables[files.CALLS])


def test_receipts_add_up(written: Written) -> None:
    receipts: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in written.tables[files.SALES]:
        receipts[row["เลขที่ใบเสร็จ"]].append(row)
    assert any(len(rows) > 1 for rows in receipts.values())
    for receipt, rows in receipts.items():
        if receipt.endswith("X"):  # one line, with the odd day
            continue
        paid = sum(int(row["จำนวน"]) * float(row["ราคาต่อหน่วย"]) - float(row["ส่วนลดคูปอง"]) for row in rows)
        assert {float(row["ยอดสุทธิ"]) for row in rows} == {paid}
    returned = [row["เลขที่ใบเสร็จ"] for row in written.tables[files.RETURNS]]
    assert returned
    assert set(returned) <= set(receipts)


@pytest.mark.parametrize("table", files.TABLES, ids=lambda table: table.mapping)
def test_every_table_can_be_imported_with_its_mapping(written: Written, table: files.Table) -> None:
    """Read row by row as an import does: all but what was planted make a message; the keys of rows differ."""
    definition = json.loads((written.folder / "mappings" / f"{table.mapping}.json").read_text())
    columns = list(table.header) or list(
        written.chats[0] | {"text": "", "displayName": "", "phone": "", "language": ""}
    )
    reader = RowReader(
        mapping.parse(definition, columns=columns),
        columns=table.header or None,
        zone=ZoneInfo("Asia/Bangkok"),
        ordinal=lambda _digest: 0,
        seal=lambda _kind, _number: {"hash": "00", "last_four": "0000"},
    )
    rows: list[Any] = [list(row.values()) for row in written.tables[table]] if table.header else written.chats
    messages, broken = [], 0
    for line, row in enumerate(rows, 2):
        try:
            messages.append(reader.message(row, line))
        except RowError:
            broken += 1
    assert broken == (sum("31/02" in row[2] for row in rows) if table is files.SALES else 0)
    assert len({message["messageId"] for message in messages}) == len(messages)
    owners = {(table.source, message["cdp"]["record"]["external_id"]) for message in messages}
    assert owners <= set(written.truth)
    assert all(message["timestamp"] < END.isoformat() for message in messages)


def test_the_manifest_says_how_to_import(written: Written) -> None:
    assert {entry["file"]: entry["rows"] for entry in written.manifest["imports"]} == {
        files.MEMBERS.name: len(written.tables[files.MEMBERS]),
        files.SALES.name: len(written.tables[files.SALES]),
        files.RETURNS.name: len(written.tables[files.RETURNS]),
        files.CALLS.name: len(written.tables[files.CALLS]),
        files.CHATS.name: len(written.chats),
    }


# --- what is planted -------------------------------------------------------------------------------------------------


def test_people_look_at_red_shoes_more_than_four_times_in_seven_days(written: Written) -> None:
    since = (END - timedelta(days=7)).isoformat()
    views: Counter[str] = Counter()
    for message in written.messages[feeds.WEB]:
        if message.get("event") == "Product Viewed" and message["timestamp"] > since and "userId" in message:
            product = message["properties"]
            if product["category"] in {"Shoes", "รองเท้า"} and product["color"] in {"Red", "แดง"}:
                views[message["userId"]] += 1
    keen = {user for user, count in views.items() if count > 4}
    assert len(keen) >= PEOPLE // 60
    languages = {
        message["properties"]["color"]
        for message in written.messages[feeds.WEB]
        if message.get("userId") in keen and message.get("event") == "Product Viewed"
    }
    assert {"Red", "แดง"} <= languages


def test_the_story_of_the_chair(written: Written) -> None:
    """Mail, click, basket, reminder, call, purchase, old address, second call, cushion, chat, survey; in that order."""
    (user,) = (u for u in written.ids_of(STORY, feeds.WEB) if u.startswith("u"))
    steps = sorted(
        (message["timestamp"], message.get("event") or message["type"])
        for message in written.messages[feeds.WEB]
        if message.get("userId") == user and message["timestamp"] > "2026-11-12"
    )
    assert [what for _, what in steps] == [
        "Email Delivered", "Email Opened", "Email Link Clicked", "identify", "page",
        "Product Viewed", "Product Viewed", "Product Viewed", "Product Added", "Checkout Started",
        "Email Delivered", "Email Opened", "Email Link Clicked", "page", "Product Viewed", "Order Completed",
        "Email Delivered", "Email Opened", "identify", "Order Updated", "identify", "Survey Answered",
    ]  # fmt: skip
    calls = [row for row in written.tables[files.CALLS] if row["ticket"] in written.ids_of(STORY, feeds.CALLS)]
    assert [call["reason"] for call in calls] == ["product_question", "address_change"]
    order = next(m["properties"] for m in written.messages[feeds.WEB] if m.get("event") == "Order Updated")
    assert len(order["products"]) == 2
    assert {
        row["ชื่อ-สกุล"] for row in written.tables[files.MEMBERS] if row["รหัสลูกค้า"] in written.ids_of(STORY, feeds.POS)
    } == {"คุณพิมชนก แสงอรุณ"}
    assert len([who for who in written.truth.values() if who == STORY]) == 7
    assert normalise_email(CHAIR_EMAIL).evidence
