"""Undoing a merge gives each customer back the consents that were theirs."""

import pytest

from cdp_site.core.models import User
from ingestion.models import Source
from profiles import merging
from profiles.models import Profile
from profiles.state import hashes
from tests.factories.arrivals import arrive, identify
from tests.factories.consent import say

pytestmark = pytest.mark.django_db


def test_consents_are_part_of_the_state_and_return_on_undo(web_shop: Source, steward: User) -> None:
    arrive(web_shop, identify("u1", firstName="Suda"), identify("u2", firstName="Somchai"))
    one, other = Profile.objects.people().order_by("pk")
    say(one.birth_record, "granted")
    say(other.birth_record, "refused")
    before = hashes([one.pk, other.pk])
    merged = merging.merge(profiles=[one, other], by=steward, reason="the same")
    assert hashes([one.pk, other.pk])["consents"] != before["consents"]
    merging.revert(operation=merged.operation, by=steward, reason="mistake")
    assert hashes([one.pk, other.pk]) == before
