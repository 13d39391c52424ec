"""The OpenAPI document: complete, and true of what the doors require. What is sent to them otherwise is tested in
`tests/integration/access/test_openapi_attacked.py`."""

import pytest
import schemathesis
from django.test import Client

from ingestion import keys, messages

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(client: Client) -> dict:
    answer = client.get("/api/schema")
    assert answer.status_code == 200
    return answer.json()


def test_every_call_is_in_it_with_what_it_answers(document):
    of_events = {path for path in document["paths"] if not path.startswith("/api/v1/")}
    assert {f"/v1/{kind}" for kind in (*messages.TYPES, "batch", "import")} | {"/api/schema"} == of_events
    for path, operations in document["paths"].items():
        if path.startswith("/v1/"):
            statuses = {"200", "400", "401", "403", "411", "413", "429", "503"}
            assert set(operations["post"]["responses"]) == statuses
            assert operations["post"]["security"] == [{"writeKey": []}]


def test_it_knows_every_field_and_none_of_our_own(document):
    fields = set(document["components"]["schemas"]["Message"]["properties"])

    assert fields == {"type", *(field.encode_name for field in messages.msgspec.structs.fields(messages.Message))} - {
        "cdp"
    }


def test_every_reference_leads_somewhere(document):
    schemathesis.openapi.from_dict(document).validate()


def test_what_it_calls_required_is_what_the_door_requires(document, client, web_shop):
    key = keys.make(source=web_shop, by="system:test")[1]
    whole = {"userId": "u1", "previousId": "u0", "groupId": "g1", "event": "E", "writeKey": key}
    for kind in messages.TYPES:
        required = document["components"]["schemas"][f"{kind.capitalize()}Call"].get("required", [])
        for left_out in ("event", "previousId", "groupId"):
            body = {name: value for name, value in whole.items() if name != left_out}
            answer = client.post(f"/v1/{kind}", body, content_type="application/json")
            assert answer.status_code == (400 if left_out in required else 200), (kind, left_out)
