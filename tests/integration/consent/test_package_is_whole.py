"""The copy against the erasure, value by value: whatever an erasure takes out of any table stood in the copy."""

import io
import json
import zipfile
from typing import Any

import msgspec
import pytest
from django.db import models

from cdp_site.core import personal_data
from cdp_site.core.models import Department, User
from consent import erasure, requests
from consent.models import AccessPackage, DataSubjectRequest
from consent.package import making
from consent.requests import carrying_out
from ingestion.models import Source
from segments.exports import job
from segments.membership import refreshing
from tests.customers import Tell, identify, track
from tests.factories.consent import ask
from tests.integration.access import world

pytestmark = pytest.mark.django_db
Status = DataSubjectRequest.Status
# What the erasure's own request says, and what the copy's own making has changed: not there when it was made.
LATER = frozenset({"consent.DataSubjectRequest", "consent.AccessPackage"})

Row = dict[str, Any]


def leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in leaves(one)]
    if isinstance(value, list | tuple):
        return [leaf for one in value for leaf in leaves(one)]
    return [] if value in (None, "") or isinstance(value, bool) else [str(value)]


def personal_rows() -> dict[str, dict[str, Row]]:
    """Table → key → the personal fields of each row of the whole database."""
    found = {}
    for model in personal_data.own_models():
        classes = personal_data.classification_of(model)
        names = [
            field.name
            for field in model._meta.concrete_fields
            if classes[field.name] == personal_data.PERSONAL
            and not field.is_relation
            and not isinstance(field, models.BinaryField)
        ]
        if names and not model._meta.proxy:
            rows = model._default_manager.values("pk", *names)
            found[model._meta.label] = {
                str(row.pop("pk")): msgspec.to_builtins(row, enc_hook=str) for row in list(rows)
            }
    return found


@pytest.fixture
def customer(
    tell: Tell, web_shop: Source, pos: Source, call_centre: Source, marketer: User, agent: User, care: Department
) -> world.World:
    """Known by shop, till and call centre: traits, orders, touchpoints, notes, consents, segments, computed values."""
    made = world.build(
        tell, web_shop=web_shop, pos=pos, call_centre=call_centre, marketer=marketer, agent=agent, care=care
    )
    tell(
        pos,
        identify("P1", email="wichai.t@baansabai.co.th") | {"messageId": "three"},
        track("P1", "Consent Granted", hours=-1, purpose="marketing", channel="email"),
    )
    while refreshing.refresh():
        pass
    job.run(str(made.export))
    return made


def test_what_an_erasure_takes_stood_in_the_copy(customer: world.World, compliance: User, make_user: Any) -> None:
    colleague = make_user("compliance", name="second")
    asked = ask(customer.customer, compliance, kind=DataSubjectRequest.Kind.ACCESS)
    requests.approve(request_id=asked.pk, by=colleague)
    carrying_out.run(asked.pk)
    package = AccessPackage.objects.get(request=asked)
    with zipfile.ZipFile(io.BytesIO(b"".join(making.read(package)))) as copy:
        data = json.loads(copy.read("data.json"))
        page = copy.read("copy-en.html").decode()
    told = set(leaves(data))

    before = personal_rows()
    erased = ask(customer.customer, compliance)
    requests.approve(request_id=erased.pk, by=colleague)
    DataSubjectRequest.objects.filter(pk=erased.pk).update(status=Status.APPROVED, runs_at=None)
    erasure.run(erased.pk)
    erased.refresh_from_db()
    assert erased.status == Status.COMPLETED
    after = personal_rows()

    missing = {
        (table, leaf)
        for table, rows in before.items()
        if table not in LATER
        for key, row in rows.items()
        if after[table].get(key) != row
        for leaf in leaves(row)
        if leaf not in told
    }
    assert missing == set()
    assert sum(after[table].get(key) != row for table, rows in before.items() for key, row in rows.items()) > 40

    sections = data["sections"]
    names = {one["code"]: one for one in sections["values"]}
    assert names["occupation"]["source"] == "Web shop"
    assert any("CanaryFaith" in one["value"] for one in sections["values"])  # sensitive ones are the person's own
    assert sections["segments"][0]["name"] == "Everybody"
    assert sections["segments"][0]["explanation"]
    scores = {one["value"]: one["explanation"] for one in sections["scores"]}
    assert scores["CanaryViewed"]
    assert "CanaryPromise" in page
    assert sections["recipients"][0]["recipient"] == "CSV: Everybody"
    assert "CSV: Everybody" in names["email"]["recipients"]
