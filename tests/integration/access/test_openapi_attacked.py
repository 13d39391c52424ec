"""Every operation of the OpenAPI document, sent good and bad input by somebody whose key opens it: never a 5xx."""

from base64 import b64encode
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error

from cdp_site.core.models import User
from cdp_site.wsgi import application
from ingestion import keys
from ingestion.models import InboundBatch, Source
from segments import authoring
from tests.customers import Tell, identify, profile_of
from tests.factories.programs import program

# The real application closes its connection after each request.
pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = 8  # of each operation and mode: some seconds in all
OPERATIONS = 18  # fewer than that, and the document has lost some
EVERYBODY = {"kind": "attribute", "trait": "first_name", "operator": "known", "value": None}


@pytest.fixture
def known(tell: Tell, pos: Source, marketer: User) -> dict[str, Any]:
    """Ids that lead to somebody: without them only the refusals are tried."""
    tell(pos, identify("P1", phone="0891234871", firstName="Wichai"), identify("P2", firstName="Somsri"))
    customer, other = profile_of(pos, "P1"), profile_of(pos, "P2")
    segment = authoring.create(
        name="Everybody",
        description="",
        department=marketer.department,
        definition={"version": 1, "where": {"kind": "all", "of": [EVERYBODY]}},
        by=marketer,
    )
    one, two = str(customer.public_id), str(other.public_id)
    return {
        "identifier": one,
        "public_id": one,
        "segment_id": str(segment.pk),
        "profile": one,
        "profiles": [one, two],
        "kind": "phone",
        "value": "0891234871",
    }


@pytest.fixture
def opening(call_centre: Source) -> dict[str, str]:
    """Scheme of the document → header that opens it."""
    write_key = keys.make(source=call_centre, by="system:test")[1]
    return {
        "writeKey": f"Basic {b64encode(f'{write_key}:'.encode()).decode()}",
        "machineKey": f"Bearer {program().text}",
    }


@pytest.mark.parametrize("mode", [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE])
def test_nothing_makes_an_operation_fail(
    mode: schemathesis.GenerationMode, known: dict[str, Any], opening: dict[str, str]
) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/schema", application)
    statuses: dict[str, set[int]] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        schemes = {name for one in operation.definition.raw.get("security", []) for name in one}
        headers = next(({"Authorization": opening[name]} for name in opening if name in schemes), {})
        answers = statuses.setdefault(operation.label, set())

        _send(operation.as_strategy(generation_mode=mode), headers, known, answers)

    assert len(statuses) >= OPERATIONS
    assert not [label for label, answers in statuses.items() if not answers]
    # The keys open: what is answered 401 everywhere was not tried at all.
    assert not [label for label, answers in statuses.items() if answers <= {401, 403}]
    assert mode != schemathesis.GenerationMode.POSITIVE or InboundBatch.objects.exists()


def _send(cases: Any, headers: dict[str, str], known: dict[str, Any], answers: set[int]) -> None:
    """Some examples of an operation, half of them with ids that lead to somebody; collects the statuses."""

    @given(case=cases, is_known=st.booleans())
    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def send(case: schemathesis.Case, is_known: bool) -> None:
        for part in (case.path_parameters, case.body):
            if is_known and isinstance(part, dict):
                part.update({name: known[name] for name in part.keys() & known.keys()})
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=[not_a_server_error])
        answers.add(answer.status_code)

    send()
