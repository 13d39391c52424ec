"""Files as people import them, from their text to the profiles."""

from typing import Any

from ingestion import imports
from ingestion.files import importer
from ingestion.models import FileImport, Source
from profiles import digest

BY = "system:test"


def definition(rows: str = "people", **fields: tuple[str, str] | str) -> dict[str, Any]:
    """A mapping: column → ("trait", "phone"), or a target without a name."""
    said = [
        {"from": column, "to": target}
        if isinstance(target, str)
        else {"from": column, "to": target[0], "name": target[1]}
        for column, target in fields.items()
    ]
    return {"version": 1, "rows": rows, "fields": said}


PEOPLE = definition(
    id="record_id", name=("trait", "name"), phone=("trait", "phone"), email=("trait", "email"), city=("trait", "city")
)
CONSENT = {
    "from": "news",
    "to": "consent",
    "purpose": "marketing",
    "channel": "email",
    "values": {"Y": "granted", "N": "refused"},
}
PEOPLE_WITH_CONSENT = PEOPLE | {"fields": [*PEOPLE["fields"], CONSENT]}
VISITS = definition("events", id="record_id", at="timestamp", what="event", page=("property", "page"))
ORDERS = definition(
    "orders",
    id="record_id",
    at="timestamp",
    order=("order", "id"),
    sku=("line", "sku"),
    quantity=("line", "quantity"),
    price=("line", "price"),
)


def land(source: Source, text: str, mapping: dict[str, Any] = PEOPLE) -> FileImport:
    """Import the file up to the landing."""
    file_import = imports.receive(source=source, file_name="file.csv", chunks=[text.encode()], by=BY)
    imports.start(file_import=file_import, definition=mapping, by=BY)
    importer.run(str(file_import.pk))
    file_import.refresh_from_db()
    return file_import


def bring_in(source: Source, text: str, mapping: dict[str, Any] = PEOPLE) -> FileImport:
    """Import the file and digest it."""
    file_import = land(source, text, mapping)
    digest.drain()
    return file_import
