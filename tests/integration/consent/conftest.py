"""A person to erase, a bystander, and two who work on requests."""

from collections.abc import Callable

import pytest

from cdp_site.core.models import AccessLogEntry, Role, User
from consent import requests
from consent.models import DataSubjectRequest
from profiles.models import Profile
from tests.factories.consent import ask, say
from tests.factories.people import hold, make_person, make_source, records_of


@pytest.fixture
def colleague(make_user: Callable[..., User]) -> User:
    return make_user(Role.COMPLIANCE, name="colleague")


@pytest.fixture
def person() -> Profile:
    """In two sources, with consents and somebody who looked."""
    profile = make_person(make_source("shop"), make_source("pos"), name="อารีย์ ใจดี")
    for number, record in enumerate(records_of(profile)):
        hold(record, "email", f"aree{number}@shop.test")
        hold(record, "phone", "+66812345678")
        say(record, "granted")
    AccessLogEntry.objects.create(actor="user:1", profile=profile.public_id, what="profile.view")
    return profile


@pytest.fixture
def bystander() -> Profile:
    profile = make_person(name="มานี มีตา")
    hold(records_of(profile)[0], "phone", "+66812345678")  # the family's phone
    say(records_of(profile)[0], "granted")
    return profile


@pytest.fixture
def approved(person: Profile, compliance: User, colleague: User) -> DataSubjectRequest:
    request = ask(person, compliance)
    return requests.approve(request_id=request.pk, by=colleague)
