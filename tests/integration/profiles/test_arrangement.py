"""Each member of staff has the customer's page as they arranged it."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core.models import User
from profiles import arrangement
from profiles.models import PanelPlace, Profile

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


def keys(user: User) -> list[str]:
    return [one.panel.key for one in arrangement.of(user).right]


def test_a_moved_panel_stays_where_its_user_put_it(login: Login, agent: User, steward: User) -> None:
    before = keys(agent)
    response = login(agent).post(reverse("profiles:move_panel", args=[before[1]]), {"to": "up"})
    assert response.status_code == 200
    assert keys(agent) == [before[1], before[0], *before[2:]]
    assert not PanelPlace.objects.filter(user=steward).exists()


def test_the_first_cannot_go_up_nor_the_last_down(agent: User) -> None:
    before = keys(agent)
    arrangement.move(before[0], step=-1, by=agent)
    arrangement.move(before[-1], step=1, by=agent)
    assert keys(agent) == before


def test_a_folded_panel_is_not_loaded_until_it_is_opened(somchai: Profile, login: Login, agent: User) -> None:
    client, page = login(agent), reverse("profiles:customer", args=[somchai.public_id])
    load = f'hx-get="{reverse("profiles:year", args=[somchai.public_id])}" hx-trigger="load"'
    assert load in client.get(page).content.decode()
    assert client.post(reverse("profiles:fold_panel", args=["year"]), {"folded": "1"}).status_code == 204
    told = client.get(page).content.decode()
    assert load not in told
    assert 'hx-trigger="unfold once"' in told
    client.post(reverse("profiles:fold_panel", args=["year"]), {"folded": "0"})
    assert load in client.get(page).content.decode()


def test_moving_keeps_what_is_folded_and_the_beginning_comes_back(login: Login, agent: User) -> None:
    before = keys(agent)
    arrangement.fold(before[0], folded=True, by=agent)
    arrangement.move(before[0], step=1, by=agent)
    assert arrangement.of(agent).right[1].is_folded
    login(agent).post(reverse("profiles:reset_arrangement"))
    assert keys(agent) == before
    assert not any(one.is_folded for one in arrangement.of(agent).right)


def test_a_panel_that_came_later_stands_below_those_that_were_moved(agent: User) -> None:
    before = keys(agent)
    arrangement.move(before[1], step=-1, by=agent)
    PanelPlace.objects.filter(panel=before[2]).delete()
    assert keys(agent)[-1] == before[2]


@pytest.mark.parametrize("panel", ["nonsense", "access_log"])
def test_a_panel_that_the_role_does_not_open_is_none(panel: str, login: Login, agent: User) -> None:
    for name, form in (("fold_panel", {"folded": "1"}), ("move_panel", {"to": "up"})):
        assert login(agent).post(reverse(f"profiles:{name}", args=[panel]), form).status_code == 404
    assert login(agent).post(reverse("profiles:move_panel", args=["year"]), {"to": "left"}).status_code == 404


def test_outsiders_arrange_nothing(login: Login, outsider: User, analyst: User) -> None:
    for user in (outsider, analyst):
        client = login(user)
        assert client.get(reverse("profiles:arrangement")).status_code == 404
        assert client.post(reverse("profiles:reset_arrangement")).status_code == 404
        assert client.post(reverse("profiles:fold_panel", args=["year"]), {"folded": "1"}).status_code == 404
        assert client.post(reverse("profiles:move_panel", args=["year"]), {"to": "up"}).status_code == 404
