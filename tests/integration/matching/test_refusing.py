"""Two records are not one person, or a household: said once, holds against evidence and models, taken back exactly."""

from collections.abc import Iterator

import pytest

from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import AuditEvent, Operation, User
from ingestion.models import Source
from profiles import merging, rebuild, state
from profiles.models import LinkDecision, Profile, SourceRecord
from tests.customers import profile_of
from tests.factories.arrivals import arrive, row

pytestmark = pytest.mark.django_db
EMAIL = "ann@baansabai.co.th"


@pytest.fixture(autouse=True)
def nothing_to_mend() -> Iterator[None]:
    yield
    assert rebuild.check() == []


def both() -> tuple[int, int]:
    a, b = SourceRecord.objects.order_by("pk").values_list("pk", flat=True)
    return a, b


def hashes() -> dict[str, str]:
    return state.hashes(Profile.objects.live().values_list("pk", flat=True))


def test_a_refusal_stands_against_what_arrives_later(pos: Source, web_shop: Source, steward: User) -> None:
    arrive(pos, row("P1", first_name="Ann", last_name="Lee"))
    arrive(web_shop, row("u1", first_name="Ann", last_name="Lee"))
    done = merging.refuse(records=both(), by=steward, reason="Twins.")
    assert done.operation.kind == Operation.Kind.REFUSAL
    assert len(done.profiles) == 2
    arrive(pos, row("P1", email=EMAIL, day=1))
    arrive(web_shop, row("u1", email=EMAIL, day=1))
    assert profile_of(pos, "P1") != profile_of(web_shop, "u1")
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {"profile.refuse"}


def test_one_customer_parts_and_comes_together_again(pos: Source, web_shop: Source, steward: User) -> None:
    arrive(pos, row("P1", first_name="Ann", last_name="Lee", email=EMAIL))
    arrive(web_shop, row("u1", first_name="Ann", last_name="Lee", email=EMAIL))
    assert profile_of(pos, "P1") == profile_of(web_shop, "u1")
    before = hashes()
    done = merging.relate(records=both(), by=steward, reason="")
    assert profile_of(pos, "P1") != profile_of(web_shop, "u1")
    assert LinkDecision.objects.filter(action="related", kind="steward").count() == 1
    merging.revert(operation=done.operation, by=steward, reason="")
    assert profile_of(pos, "P1") == profile_of(web_shop, "u1")
    assert hashes() == before
    with pytest.raises(ConflictProblem):
        merging.revert(operation=done.operation, by=steward, reason="")


def test_refuses_nothing_of_what_is_gone(pos: Source, steward: User) -> None:
    arrive(pos, row("P1", first_name="Ann"))
    number = SourceRecord.objects.get().pk
    with pytest.raises(ConflictProblem):
        merging.refuse(records=(number, number + 1), by=steward, reason="")


def test_many_merges_are_one_operation_and_go_back_as_one(pos: Source, steward: User) -> None:
    arrive(pos, *(row(f"P{n}", first_name=f"Ann{n}", member_id=f"M{n}") for n in range(6)))
    people = list(Profile.objects.people().order_by("pk"))
    before = hashes()
    groups = [people[:2], people[2:5]]
    assert sorted(len(group) for group in merging.preview_merges(groups).after) == [2, 3]
    done = merging.merge_many(groups=groups, by=steward, reason="")
    assert len(done.profiles) == 2
    assert Profile.objects.people().count() == 3
    merging.revert(operation=done.operation, by=steward, reason="")
    assert hashes() == before
