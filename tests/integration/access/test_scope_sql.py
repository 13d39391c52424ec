"""The one statement of `scope_of` says what `visible_to` of each container says."""

from collections.abc import Callable
from typing import Any

import pytest
from guardian.shortcuts import assign_perm

from cdp_site.core import stand_in
from cdp_site.core.access import scope_of
from cdp_site.core.machines import acting
from cdp_site.core.machines.scopes import KeyScope
from cdp_site.core.models import Department, Role, User
from ingestion.models import Source
from profiles.models import EventType, Trait, TraitGroup
from tests.factories.programs import program

pytestmark = pytest.mark.django_db
MakeUser = Callable[..., User]


@pytest.fixture
def containers(marketing: Department, care: Department) -> dict[type[Any], list[Any]]:
    """Of each kind: common, of either department, and for groups each of them sensitive as well."""
    made: dict[type[Any], list[Any]] = {Source: [], EventType: [], TraitGroup: []}
    for number, department in enumerate((None, marketing, care, marketing, care)):
        made[Source].append(Source.objects.create(slug=f"s{number}", name=f"s{number}", department=department))
        made[EventType].append(EventType.objects.create(name=f"e{number}", department=department))
        for is_sensitive in (False, True):
            group = TraitGroup.objects.create(
                slug=f"g{number}{is_sensitive:d}", name="g", department=department, is_sensitive=is_sensitive
            )
            Trait.objects.create(name=f"t{number}{is_sensitive:d}", group=group)
            made[TraitGroup].append(group)
    return made


def grant(containers: dict[type[Any], list[Any]], to: Any, *, every: int) -> None:
    for model, rows in containers.items():
        for row in rows[::every]:
            assign_perm(f"view_{model._meta.model_name}", to, row)


def seen(model: type[Any], user: User, column: str) -> frozenset[Any]:
    return frozenset(model.objects.visible_to(user).values_list(column, flat=True))


def check(user: User) -> None:
    scope, groups = scope_of(user), seen(TraitGroup, user, "slug")
    for model, ids in ((Source, scope.source_ids), (EventType, scope.event_type_ids)):
        assert ids is None or ids == seen(model, user, "pk")
        assert ids is not None or seen(model, user, "pk") == frozenset(model.objects.values_list("pk", flat=True))
    assert scope.trait_groups == groups
    assert scope.hidden_traits == frozenset(
        Trait.objects.exclude(group__slug__in=groups).values_list("name", flat=True)
    )
    assert scope.hides_sensitive is not TraitGroup.objects.visible_to(user).filter(is_sensitive=True).exists()


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("where", ["marketing", "care", "nowhere"])
def test_whoever_asks_sees_the_same(
    role: str, where: str, containers: dict[type[Any], list[Any]], marketing: Department, care: Department,
    make_user: MakeUser,
) -> None:  # fmt: skip
    department = {"marketing": marketing, "care": care, "nowhere": None}[where]
    user = make_user(role, department, "somebody")
    grant(containers, user, every=4)
    grant(containers, marketing.group, every=3)
    grant(containers, make_user(role, care, "another"), every=1)
    check(user)


@pytest.mark.parametrize("own", ["marketing", "care", "nowhere"])
@pytest.mark.parametrize("looks_as", ["marketing", "care", "nowhere"])
def test_so_does_who_looks_with_anothers_eyes(
    own: str, looks_as: str, containers: dict[type[Any], list[Any]], marketing: Department, care: Department,
    make_user: MakeUser,
) -> None:  # fmt: skip
    departments = {"marketing": marketing, "care": care, "nowhere": None}
    user = make_user(Role.ADMIN, departments[own], "somebody")
    grant(containers, user, every=1)
    grant(containers, marketing.group, every=2)
    grant(containers, care.group, every=3)
    for role in (Role.AGENT, Role.MARKETER, Role.ANALYST):
        check(stand_in.of(user, role=role, department=departments[looks_as]))


@pytest.mark.parametrize("scope", [KeyScope.PROFILES_READ, KeyScope.SEGMENTS_READ])
@pytest.mark.parametrize("where", ["marketing", "care", "everywhere"])
def test_so_does_a_program(
    scope: KeyScope, where: str, containers: dict[type[Any], list[Any]], marketing: Department, care: Department,
    make_user: MakeUser,
) -> None:  # fmt: skip
    """Nobody's own grants count for it, also not those of a person of its department."""
    department = {"marketing": marketing, "care": care, "everywhere": None}[where]
    grant(containers, make_user(Role.MARKETER, marketing, "somebody"), every=1)
    grant(containers, marketing.group, every=3)
    user = acting.user_of(program(scope, department=department).row)
    check(user)
    assert (scope_of(user).source_ids is None) is (where == "everywhere")


def test_a_program_without_a_scope_that_is_known_sees_what_is_common(containers: dict[type[Any], list[Any]]) -> None:
    key = program(KeyScope.PROFILES_READ).row
    key.scopes = ["customers:paint"]
    user = acting.user_of(key)
    check(user)
    assert scope_of(user).source_ids == frozenset(
        Source.objects.filter(department__isnull=True).values_list("pk", flat=True)
    )
