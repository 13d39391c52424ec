"""A segment that is being written: kept step by step, undone and done again, shared by its address."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cdp_site.core.models import AuditEvent, User
from segments.builder import keeping
from segments.models import DraftStep, Segment, SegmentDraft
from tests.integration.segments.conftest import Login, posted, viewed_red, whole

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
IN_TRANG = {"kind": "attribute", "trait": "province", "operator": "is", "value": "ตรัง"}
Open = Callable[..., SegmentDraft]


@pytest.fixture(autouse=True)
def fresh_samples(db: None) -> None:
    cache.clear()


@pytest.fixture
def as_marketer(login: Login, marketer: User) -> Client:
    return login(marketer)


@pytest.fixture
def colleague(make_user: Callable[..., User], marketer: User) -> User:
    return make_user("marketer", marketer.department, "colleague")


@pytest.fixture
def begin(marketer: User) -> Open:
    """A draft with a step for each number of conditions."""

    def make(*steps: list[dict[str, Any]], segment: Segment | None = None, by: User | None = None) -> SegmentDraft:
        author = by or marketer
        draft = keeping.begin(segment=segment, definition=whole(), said={"name": "Red"}, by=author)
        for conditions in steps:
            draft = keeping.keep(draft=draft, definition=whole(*conditions), said={"name": "Red"}, by=author)
        return draft

    return make


def address(name: str, *args: object) -> str:
    return reverse(f"segments:{name}", args=args)


def form(*conditions: dict[str, Any], **said: str) -> dict[str, str]:
    return {"name": "Red", "description": "", **said} | posted(whole(*conditions)["where"])


def text(response: Any) -> str:
    return str(response.content.decode())


def edit(client: Client, *conditions: dict[str, Any], **said: str) -> Any:
    return client.post(address("draft"), form(*conditions, **said), headers=HTMX)


class TestKeeping:
    def test_the_first_edit_begins_a_draft_and_the_page_gets_its_address(
        self, viewers: None, as_marketer: Client, marketer: User
    ) -> None:
        answer = edit(as_marketer, viewed_red())

        draft = SegmentDraft.objects.get()
        assert answer.headers["HX-Replace-Url"] == address("open_draft", draft.pk)
        assert f'name="draft" value="{draft.pk}"' in text(answer)
        assert (draft.author, draft.department, draft.name) == (marketer, marketer.department, "Red")
        assert [step.number for step in draft.steps.order_by("number")] == [0, 1]
        assert draft.steps.get(number=0).definition["where"]["of"] == []
        assert AuditEvent.objects.filter(action="segment_draft.begin").count() == 1

    def test_what_changes_nothing_is_no_step(self, viewers: None, as_marketer: Client) -> None:
        assert "HX-Replace-Url" not in edit(as_marketer).headers
        assert not SegmentDraft.objects.exists()

        edit(as_marketer, viewed_red())
        draft = SegmentDraft.objects.get()
        answer = edit(as_marketer, viewed_red(), draft=str(draft.pk), step="1", name="Redder")

        draft.refresh_from_db()
        assert "HX-Replace-Url" not in answer.headers
        assert (draft.position, draft.name) == (1, "Redder")

    def test_a_draft_of_a_beginning_goes_back_to_it(self, viewers: None, as_marketer: Client) -> None:
        edit(as_marketer, viewed_red(), start="birthday")

        first = SegmentDraft.objects.get().steps.get(number=0).definition
        assert first["where"]["of"][0]["operator"] == "anniversary_this_month"

    def test_a_draft_of_a_segment_goes_back_to_it(
        self, viewers: None, make_segment: Callable[..., Segment], as_marketer: Client
    ) -> None:
        segment = make_segment()

        as_marketer.post(address("draft") + f"?segment={segment.pk}", form(viewed_red(3)), headers=HTMX)

        draft = SegmentDraft.objects.get()
        assert (draft.segment, draft.segment_version) == (segment, 1)
        assert draft.steps.get(number=0).definition["where"]["of"][0]["count"]["n"] == 1

    def test_steps_are_taken_back_and_again(self, viewers: None, begin: Open, as_marketer: Client) -> None:
        draft = begin([viewed_red()], [viewed_red(), IN_TRANG])
        posted_now = {"draft": str(draft.pk), "step": "2"}

        back = text(edit(as_marketer, viewed_red(), IN_TRANG, action="undo", **posted_now))
        assert "/where/of/0/event" in back
        assert "/where/of/1/trait" not in back
        assert 'value="1">' in back  # the step that the page is at

        again = text(edit(as_marketer, viewed_red(), action="redo", **posted_now))
        assert "/where/of/1/trait" in again
        assert again.count("data-redo disabled") == 1

    def test_at_either_end_there_is_nothing_to_take(self, begin: Open, marketer: User) -> None:
        draft = begin([viewed_red()])

        assert keeping.redo(draft=draft, by=marketer).position == 1
        draft = keeping.undo(draft=keeping.undo(draft=draft, by=marketer), by=marketer)
        assert (draft.position, keeping.can_undo(draft), keeping.can_redo(draft)) == (0, False, True)

    def test_an_edit_after_an_undo_leaves_no_way_forth(self, begin: Open, marketer: User) -> None:
        draft = keeping.undo(draft=begin([viewed_red()], [IN_TRANG]), by=marketer)

        draft = keeping.keep(draft=draft, definition=whole(viewed_red(5)), said={}, by=marketer)

        assert [step.number for step in draft.steps.order_by("number")] == [0, 1, 2]
        assert keeping.definition_of(draft) == whole(viewed_red(5))
        assert not keeping.can_redo(draft)

    def test_so_many_steps_are_kept(self, begin: Open, marketer: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(keeping, "MOST_STEPS", 3)

        draft = begin(*[[viewed_red(n)] for n in range(1, 9)])

        assert [step.number for step in draft.steps.order_by("number")] == [5, 6, 7, 8]
        for _step in range(9):
            draft = keeping.undo(draft=draft, by=marketer)
        assert draft.position == 5

    def test_saving_ends_it(self, viewers: None, begin: Open, as_marketer: Client) -> None:
        draft = begin([viewed_red()])

        as_marketer.post(address("create"), form(viewed_red(), draft=str(draft.pk)))

        assert Segment.objects.count() == 1
        assert not DraftStep.objects.exists()

    def test_what_could_not_be_saved_stays(self, viewers: None, begin: Open, as_marketer: Client) -> None:
        draft = begin([viewed_red()])

        answer = as_marketer.post(address("create"), form(viewed_red(), draft=str(draft.pk), name=""), headers=HTMX)

        assert answer.status_code == 422
        assert f'value="{draft.pk}"' in text(answer)
        assert SegmentDraft.objects.get() == draft

    def test_old_ones_are_forgotten(self, begin: Open) -> None:
        old, new = begin([viewed_red()]), begin([IN_TRANG])
        SegmentDraft.objects.filter(pk=old.pk).update(changed_at=timezone.now() - timedelta(days=31))

        keeping.forget_old()

        assert list(SegmentDraft.objects.all()) == [new]


class TestSharing:
    def test_a_colleague_opens_its_address_and_goes_on(
        self, viewers: None, begin: Open, login: Login, colleague: User, marketer: User
    ) -> None:
        draft = begin([viewed_red()])
        client = login(colleague)

        page = text(client.get(address("open_draft", draft.pk)))
        assert 'value="Red"' in page
        assert "/where/of/0/event" in page

        edit(client, viewed_red(), IN_TRANG, draft=str(draft.pk), step="1")
        draft.refresh_from_db()
        assert (draft.position, keeping.last_writer(draft)) == (2, colleague)

    def test_who_wrote_meanwhile_is_named_and_their_step_can_be_had_back(
        self, viewers: None, begin: Open, login: Login, colleague: User, as_marketer: Client
    ) -> None:
        draft = begin([viewed_red()])
        edit(login(colleague), IN_TRANG, draft=str(draft.pk), step="1")

        page = text(edit(as_marketer, viewed_red(9), draft=str(draft.pk), step="1"))

        assert "colleague has changed this draft meanwhile" in page
        back = text(edit(as_marketer, viewed_red(9), draft=str(draft.pk), step="3", action="undo"))
        assert "/where/of/0/trait" in back

    def test_ones_own_second_tab_is_told_as_such(self, viewers: None, begin: Open, as_marketer: Client) -> None:
        draft = begin([viewed_red()], [IN_TRANG])

        late = text(edit(as_marketer, viewed_red(9), draft=str(draft.pk), step="1"))
        assert "in another tab or window" in late
        assert "meanwhile" not in late
        assert "in another tab" not in text(edit(as_marketer, viewed_red(7), draft=str(draft.pk), step="3"))
        back = text(edit(as_marketer, viewed_red(7), draft=str(draft.pk), step="4", action="undo"))
        assert "in another tab" not in back

    def test_another_department_and_who_builds_nothing_find_no_draft(
        self,
        viewers: None,
        begin: Open,
        login: Login,
        make_user: Callable[..., User],
        outsider: User,
        agent: User,
        care: Any,
    ) -> None:
        draft = begin([viewed_red()])
        for user in (make_user("marketer", care, "other"), outsider, agent):
            client = login(user)
            assert client.get(address("open_draft", draft.pk)).status_code == 404
            assert client.post(address("discard_draft", draft.pk)).status_code == 404
        other = login(make_user("marketer", care, "third"))

        edit(other, IN_TRANG, draft=str(draft.pk), step="1")

        draft.refresh_from_db()
        assert draft.position == 1
        assert SegmentDraft.objects.count() == 2  # what they wrote is a draft of their own

    def test_a_draft_of_a_segment_that_is_out_of_sight_is_too(
        self,
        viewers: None,
        begin: Open,
        make_segment: Callable[..., Segment],
        login: Login,
        colleague: User,
        care: Any,
    ) -> None:
        segment = make_segment()
        draft = begin([viewed_red()], segment=segment)
        assert login(colleague).get(address("open_draft", draft.pk)).status_code == 200

        Segment.objects.filter(pk=segment.pk).update(department=care)
        assert login(colleague).get(address("open_draft", draft.pk)).status_code == 404

    def test_the_builder_lists_what_is_not_saved(
        self, viewers: None, begin: Open, login: Login, colleague: User, as_marketer: Client
    ) -> None:
        mine, theirs = begin([viewed_red()]), begin([IN_TRANG], by=colleague)

        page = text(as_marketer.get(address("create")))

        assert address("open_draft", mine.pk) in page
        assert address("open_draft", theirs.pk) in page
        assert address("discard_draft", mine.pk) in page
        assert address("discard_draft", theirs.pk) not in page
        opened = text(as_marketer.get(address("open_draft", mine.pk)))
        assert opened.count(f'href="{address("open_draft", mine.pk)}"') == 1  # its own address, to be given on
        assert address("open_draft", theirs.pk) in opened

    def test_the_author_discards_it(self, begin: Open, login: Login, colleague: User, as_marketer: Client) -> None:
        draft = begin([viewed_red()])

        assert login(colleague).post(address("discard_draft", draft.pk)).status_code == 404
        answer = as_marketer.post(address("discard_draft", draft.pk))

        assert answer.status_code == 302
        assert not SegmentDraft.objects.exists()
        assert AuditEvent.objects.filter(action="segment_draft.discard").count() == 1

    def test_a_newer_version_of_the_segment_is_told(
        self, viewers: None, begin: Open, make_segment: Callable[..., Segment], as_marketer: Client
    ) -> None:
        segment = make_segment()
        draft = begin([viewed_red()], segment=segment)
        assert "since this draft was begun" not in text(as_marketer.get(address("open_draft", draft.pk)))

        as_marketer.post(address("change", segment.pk), form(viewed_red(7)))

        page = text(as_marketer.get(address("open_draft", draft.pk)))
        assert "The segment has version 2 since this draft was begun" in page

    def test_what_a_colleague_does_not_see_is_unknown_to_them(
        self, viewers: None, begin: Open, login: Login, colleague: User
    ) -> None:
        draft = begin([{**IN_TRANG, "trait": "salary"}])

        page = text(login(colleague).get(address("open_draft", draft.pk)))

        assert "There is no attribute “salary”." in page
