"""A call from its announcement to its end."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from cdp_site.core.access import scope_of
from cdp_site.core.errors import ConflictProblem, MendableError, NotFoundProblem
from cdp_site.core.models import AuditEvent, User
from ingestion.models import Source
from profiles import calling
from profiles.calling import callers, lines, numbers
from profiles.models import Call, Profile
from tests.customers import Tell, identify, profile_of
from tests.integration.calling.conftest import PHONE

pytestmark = pytest.mark.django_db


class TestAnnounced:
    def test_the_agent_who_opens_the_token_is_in_the_call(self, agent: User, call_centre: Source, pim: Profile) -> None:
        call, token = lines.announce(number=PHONE, source_id=call_centre.pk)
        assert calling.current(agent) is None
        assert lines.take(token, by=agent) == call
        assert calling.current(agent) == call
        call.refresh_from_db()
        assert (call.profile, call.last_four, call.verified_at) == (pim, "5678", None)
        assert token not in str(vars(call))

    def test_it_opens_once(
        self, agent: User, steward: User, call_centre: Source, make_user: Callable[..., User]
    ) -> None:
        _call, token = lines.announce(number=PHONE, source_id=call_centre.pk)
        lines.take(token, by=agent)
        lines.take(token, by=agent)  # a reload
        with pytest.raises(NotFoundProblem):
            lines.take(token, by=steward)
        lines.end(by=agent)
        with pytest.raises(NotFoundProblem):
            lines.take(token, by=agent)

    def test_it_lasts_two_minutes(self, agent: User, call_centre: Source) -> None:
        call, token = lines.announce(number=PHONE, source_id=call_centre.pk)
        Call.objects.filter(pk=call.pk).update(arrived_at=timezone.now() - lines.TOKEN_LASTS - timedelta(seconds=1))
        with pytest.raises(NotFoundProblem):
            lines.take(token, by=agent)

    def test_it_is_for_whom_the_telephone_system_means(self, agent: User, steward: User, call_centre: Source) -> None:
        _call, token = lines.announce(number=PHONE, source_id=call_centre.pk, agent=agent.username)
        with pytest.raises(NotFoundProblem):
            lines.take(token, by=steward)
        assert lines.take(token, by=agent).agent == agent

    def test_somebody_who_takes_no_calls_cannot_be_meant(self, marketer: User, call_centre: Source) -> None:
        for name in (marketer.username, "nobody"):
            with pytest.raises(MendableError):
                lines.announce(number=PHONE, source_id=call_centre.pk, agent=name)

    def test_a_telephone_system_of_another_department_is_none_of_the_agents(
        self, agent: User, web_shop: Source
    ) -> None:
        _call, token = lines.announce(number=PHONE, source_id=web_shop.pk)
        assert not scope_of(agent).sees_source(web_shop.pk)
        with pytest.raises(NotFoundProblem):
            lines.take(token, by=agent)

    def test_a_withheld_number_is_a_call_all_the_same(self, agent: User, call_centre: Source) -> None:
        _call, token = lines.announce(number="anonymous", source_id=call_centre.pk)
        call = lines.take(token, by=agent)
        assert (call.last_four, call.sealed_number, call.profile) == ("", None, None)
        assert callers.of_number(call, by=agent) == []


class TestBegun:
    def test_a_number_is_found_in_any_format(self, agent: User, pim: Profile) -> None:
        for written in ("0813945678", "+66 81-394-5678", "๐๘๑๓๙๔๕๖๗๘"):
            assert lines.begin(number=written, by=agent).profile == pim

    def test_what_is_no_number_is_said(self, agent: User) -> None:
        with pytest.raises(MendableError) as problem:
            lines.begin(number="hello", by=agent)
        assert problem.value.field == "number"
        assert calling.current(agent) is None

    def test_an_agent_is_in_one_call(self, agent: User, call_of: Callable[[User], Call]) -> None:
        first = call_of(agent)
        second = lines.begin(number="0894561237", by=agent)
        assert calling.current(agent) == second
        first.refresh_from_db()
        assert first.ended_at is not None

    def test_a_number_of_several_people_is_nobodys_yet(self, agent: User, pim: Profile, tim: Profile) -> None:
        call = lines.begin(number=PHONE, by=agent)
        assert call.profile is None
        assert {caller.profile for caller in callers.of_number(call, by=agent)} == {pim, tim}
        chosen = callers.chosen(call, tim.public_id, by=agent)
        assert lines.choose(chosen, by=agent).profile == tim
        assert lines.choose(None, by=agent).profile is None

    def test_whom_the_department_may_not_see_is_not_there(
        self, agent: User, tell: Tell, web_shop: Source, pim: Profile
    ) -> None:
        tell(web_shop, identify("u9", firstName="นิดา", phone="0813945679"))
        call = lines.begin(number="0813945679", by=agent)
        assert call.profile is None
        assert callers.of_number(call, by=agent) == []
        assert callers.chosen(call, profile_of(web_shop, "u9").public_id, by=agent) is None

    def test_whose_number_it_was_comes_last(self, agent: User, tell: Tell, pos: Source, pim: Profile) -> None:
        message = identify("P9", phone="0854561239")
        tell(pos, message | {"messageId": "moved", "timestamp": "2026-11-20T05:00:00Z"})
        tell(pos, identify("P11", firstName="วิภา", phone=PHONE))
        call = lines.begin(number=PHONE, by=agent)
        people = callers.of_number(call, by=agent)
        assert [(caller.profile, caller.is_earlier) for caller in people] == [
            (profile_of(pos, "P11"), False),
            (pim, True),
        ]


class TestEnd:
    def test_the_number_goes_with_the_call(self, agent: User, call_of: Callable[[User], Call]) -> None:
        call = call_of(agent)
        assert numbers.of_call(call) == "+66813945678"
        lines.end(by=agent)
        call.refresh_from_db()
        assert (call.sealed_number, numbers.of_call(call)) == (None, None)
        assert calling.current(agent) is None
        with pytest.raises(ConflictProblem):
            lines.choose(None, by=agent)
        lines.end(by=agent)

    def test_what_nobody_ended_is_let_go(
        self, agent: User, call_centre: Source, call_of: Callable[[User], Call]
    ) -> None:
        forgotten, (missed, _token) = call_of(agent), lines.announce(number=PHONE, source_id=call_centre.pk)
        Call.objects.filter(pk=forgotten.pk).update(arrived_at=timezone.now() - lines.LASTS - timedelta(minutes=1))
        Call.objects.filter(pk=missed.pk).update(arrived_at=timezone.now() - lines.TOKEN_LASTS - timedelta(minutes=1))
        assert calling.current(agent) is None
        assert lines.let_go() == 0
        assert not Call.objects.filter(sealed_number__isnull=False).exists()
        Call.objects.filter(pk=missed.pk).update(arrived_at=timezone.now() - lines.UNTAKEN_KEPT - timedelta(minutes=1))
        assert lines.let_go() == 1
        Call.objects.filter(pk=forgotten.pk).update(arrived_at=timezone.now() - lines.KEPT - timedelta(minutes=1))
        assert lines.let_go() == 1

    def test_everything_is_in_the_audit_without_a_value(self, agent: User, call_of: Callable[[User], Call]) -> None:
        call = call_of(agent)
        lines.end(by=agent)
        rows = AuditEvent.objects.filter(target_type="profiles.Call", target_id=str(call.pk))
        assert [row.action for row in rows.order_by("pk")] == ["call.begin", "call.end"]
        assert "5678" not in str(list(AuditEvent.objects.values()))
