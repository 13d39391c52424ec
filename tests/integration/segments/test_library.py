"""The library: shelves, folders, owners, the archive, sharing with departments, and what stands on a segment."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core.access import scope_of
from cdp_site.core.models import AuditEvent, Department, User
from consent.models import Channel, Purpose
from ingestion.models import Source
from segments import authoring, finding, shelving, uses
from segments.membership import reading, refreshing
from segments.models import Segment, SegmentExport, SegmentFolder, SegmentGrant
from segments.scripts import authoring as scripts
from segments.scripts import choosing
from segments.sharing import Level, read, share
from tests.customers import profile_of
from tests.factories import exports
from tests.integration.segments.conftest import Login, viewed_red

pytestmark = pytest.mark.django_db
Make = Callable[..., Segment]
TRANG = {"kind": "attribute", "trait": "province", "operator": "is", "value": "ตรัง"}


def address(name: str, *args: object) -> str:
    return reverse(f"segments:{name}", args=args)


def text(response: Any) -> str:
    return str(response.content.decode())


def asks_for(segment: Segment, *, is_in: bool = True) -> dict[str, Any]:
    return {"kind": "segment", "segment": str(segment.pk), "is_in": is_in}


def used_by(client: Client, segment: Segment) -> str:
    """The part of the segment's page that says what stands on it."""
    page = text(client.get(address("segment", segment.pk)))
    return page.split("Used by", 1)[1].split("</section>", 1)[0]


@pytest.fixture
def carer(make_user: Callable[..., User], care: Department) -> User:
    """Builds segments for customer care."""
    return make_user("marketer", care, "carer")


@pytest.fixture
def as_marketer(login: Login, marketer: User) -> Client:
    return login(marketer)


class TestShelves:
    def test_narrow_the_list(
        self, make_segment: Make, viewers: None, carer: User, marketer: User, as_marketer: Client, marketing: Department
    ) -> None:
        mine, old = make_segment(name="First"), make_segment(name="Old")
        theirs = make_segment(TRANG, name="Theirs", by=carer)
        share(segment=theirs, department=marketing, level=Level.USE, by=carer)
        shelving.archive(segment=old, by=marketer)
        shelving.hand_over(segment=mine, owner=None, by=marketer)
        make_segment(name="Owned")

        def listed(query: str) -> set[str]:
            page = text(as_marketer.get(address("segments") + query))
            return {name for name in ("First", "Old", "Theirs", "Owned") if f">{name}</a>" in page}

        assert listed("") == {"First", "Theirs", "Owned"}
        assert listed("?shelf=mine") == {"Owned"}
        assert listed("?shelf=shared") == {"Theirs"}
        assert listed("?shelf=archived") == {"Old"}
        assert listed("?q=the") == {"Theirs"}
        assert listed("?q=nothing") == set()
        assert listed("?shelf=%00&folder=x&q=%00") == {"First", "Theirs", "Owned"}

    def test_folders_narrow_it_too(
        self, make_segment: Make, viewers: None, marketer: User, as_marketer: Client
    ) -> None:
        folder = shelving.create_folder(name="Campaigns", by=marketer)
        shelving.put(segment=make_segment(name="Inside"), folder=folder, by=marketer)
        make_segment(name="Outside")

        inside = text(as_marketer.get(address("segments"), {"folder": folder.pk}))
        loose = text(as_marketer.get(address("segments"), {"folder": "none"}))

        assert ">Inside</a>" in inside
        assert ">Outside</a>" not in inside
        assert ">Outside</a>" in loose
        assert ">Inside</a>" not in loose

    def test_an_empty_shelf_says_where_to_look(self, as_marketer: Client) -> None:
        assert "No segment lies here" in text(as_marketer.get(address("segments"), {"shelf": "archived"}))


class TestFolders:
    def test_are_made_renamed_and_deleted(
        self, make_segment: Make, viewers: None, marketer: User, as_marketer: Client
    ) -> None:
        as_marketer.post(address("folders"), {"name": "Spring"})
        folder = SegmentFolder.objects.get()
        segment = make_segment()
        shelving.put(segment=segment, folder=folder, by=marketer)

        as_marketer.post(address("rename_folder", folder.pk), {"name": "Summer"})
        assert "1 segment" in text(as_marketer.get(address("folders")))
        folder.refresh_from_db()
        assert folder.name == "Summer"
        as_marketer.post(address("delete_folder", folder.pk))

        segment.refresh_from_db()
        assert segment.folder is None
        actions = set(AuditEvent.objects.filter(action__startswith="segment.").values_list("action", flat=True))
        assert actions >= {"segment.folder_create", "segment.folder_rename", "segment.folder_delete", "segment.shelve"}

    def test_a_name_is_taken_once(self, as_marketer: Client) -> None:
        as_marketer.post(address("folders"), {"name": "Spring"})

        again = as_marketer.post(address("folders"), {"name": "Spring"})

        assert again.status_code == 422
        assert "There is a folder of this name already." in text(again)

    def test_another_departments_folder_is_not_there(self, marketer: User, carer: User, login: Login) -> None:
        folder = shelving.create_folder(name="Spring", by=marketer)
        client = login(carer)

        assert "Spring" not in text(client.get(address("folders")))
        for name in ("rename_folder", "delete_folder"):
            assert client.post(address(name, folder.pk), {"name": "x"}).status_code == 404


class TestArranging:
    def test_owner_folder_and_sharing_in_one_go(
        self, make_segment: Make, viewers: None, make_user: Callable[..., User], marketer: User, marketing: Department,
        care: Department, as_marketer: Client,
    ) -> None:  # fmt: skip
        segment, folder = make_segment(), shelving.create_folder(name="Spring", by=marketer)
        colleague = make_user("analyst", marketing, "colleague")
        said = {"owner": colleague.pk, "folder": folder.pk, f"department-{care.pk}": "use"}

        page = text(as_marketer.get(address("arrange", segment.pk)))
        answer = as_marketer.post(address("arrange", segment.pk), said)

        assert "Customer care" in page
        assert answer.status_code == 302
        segment.refresh_from_db()
        assert (segment.owner, segment.folder) == (colleague, folder)
        assert [one.level for one in read(segment)] == [Level.USE]

    def test_nobody_of_another_department_answers_for_it(
        self, make_segment: Make, viewers: None, carer: User, care: Department, as_marketer: Client
    ) -> None:
        segment = make_segment()

        answer = as_marketer.post(
            address("arrange", segment.pk), {"owner": carer.pk, "folder": "", f"department-{care.pk}": "none"}
        )

        assert answer.status_code == 422

    def test_what_a_colleague_has_shared_meanwhile_is_not_taken_back_unasked(
        self, make_segment: Make, viewers: None, marketer: User, care: Department, as_marketer: Client
    ) -> None:
        segment = make_segment()
        url = address("arrange", segment.pk)
        said = {"owner": marketer.pk, "folder": "", f"department-{care.pk}": "none"}

        def seen_in(page: str) -> str:
            return re.findall(r'name="seen" value="([0-9a-f]+)"', page)[0]

        seen = seen_in(text(as_marketer.get(url)))
        share(segment=segment, department=care, level=Level.CHANGE, by=marketer)
        late = as_marketer.post(url, said | {"seen": seen})

        assert late.status_code == 422
        assert "Somebody has changed this since you opened it." in text(late)
        assert [one.level for one in read(segment)] == [Level.CHANGE]
        assert as_marketer.post(url, said | {"seen": seen_in(text(late))}).status_code == 302
        assert [one.level for one in read(segment)] == [Level.NONE]

    def test_who_makes_a_segment_owns_it(self, make_segment: Make, viewers: None, marketer: User) -> None:
        assert make_segment().owner == marketer


class TestSharing:
    def test_bites_and_ends_with_the_next_request(
        self, make_segment: Make, viewers: None, marketer: User, carer: User, care: Department, login: Login
    ) -> None:
        segment, client = make_segment(name="Shared one"), login(carer)

        def opens(name: str) -> int:
            return client.get(address(name, segment.pk)).status_code

        assert opens("segment") == 404
        share(segment=segment, department=care, level=Level.USE, by=marketer)
        assert (opens("segment"), opens("change"), opens("arrange"), opens("versions")) == (200, 404, 404, 200)
        share(segment=segment, department=care, level=Level.CHANGE, by=marketer)
        assert (opens("segment"), opens("change"), opens("arrange")) == (200, 200, 404)
        assert client.post(address("delete", segment.pk)).status_code == 404
        assert client.post(address("archive", segment.pk)).status_code == 404
        share(segment=segment, department=care, level=Level.NONE, by=marketer)
        assert opens("segment") == 404
        assert not SegmentGrant.objects.exists()
        assert AuditEvent.objects.filter(action="segment.share").count() == 3

    def test_who_may_change_it_does_not_give_it_away(
        self, make_segment: Make, viewers: None, marketer: User, carer: User, care: Department, login: Login
    ) -> None:
        segment = make_segment()
        share(segment=segment, department=care, level=Level.CHANGE, by=marketer)

        assert "for_everybody" not in text(login(carer).get(address("change", segment.pk)))

    def test_the_user_sees_with_their_own_eyes(
        self,
        make_segment: Make,
        viewers: None,
        marketer: User,
        carer: User,
        care: Department,
        login: Login,
        pos: Source,
    ) -> None:
        """Care does not see the web shop: of the three who viewed something red there it counts none."""
        segment = make_segment()
        share(segment=segment, department=care, level=Level.USE, by=marketer)

        assert "<strong>0</strong>" in text(login(carer).get(address("size", segment.pk)))
        assert "<strong>3</strong>" in text(login(marketer).get(address("size", segment.pk)))

    def test_goes_with_the_segment(
        self, make_segment: Make, viewers: None, marketer: User, care: Department, as_marketer: Client
    ) -> None:
        segment = make_segment()
        share(segment=segment, department=care, level=Level.CHANGE, by=marketer)

        as_marketer.post(address("delete", segment.pk))

        assert not SegmentGrant.objects.exists()

    def test_a_common_segment_needs_none(self, make_segment: Make, viewers: None, as_marketer: Client) -> None:
        segment = make_segment(department=None)

        assert read(segment) == ()
        assert "This segment is everybody" in text(as_marketer.get(address("arrange", segment.pk)))


class TestArchive:
    def test_takes_a_segment_out_of_use_and_back(
        self, make_segment: Make, viewers: None, marketer: User, as_marketer: Client, web_shop: Source
    ) -> None:
        segment = make_segment(name="Faded")
        panel = address("of_profile", profile_of(web_shop, "v1").public_id)

        assert as_marketer.post(address("archive", segment.pk)).status_code == 302
        assert ">Faded</a>" not in text(as_marketer.get(address("segments")))
        assert "Faded" not in text(as_marketer.get(panel))
        assert "Faded" not in text(as_marketer.get(address("recent")))
        assert finding.for_palette("Faded", marketer) == []
        assert "Bring back into use" in text(as_marketer.get(address("segment", segment.pk)))
        assert as_marketer.get(address("explain_somebody", segment.pk)).status_code == 404

        as_marketer.post(address("bring_back", segment.pk))
        assert ">Faded</a>" in text(as_marketer.get(address("segments")))
        assert {"segment.archive", "segment.bring_back"} <= set(AuditEvent.objects.values_list("action", flat=True))

    def test_what_is_archived_is_not_changed(
        self, make_segment: Make, viewers: None, marketer: User, as_marketer: Client
    ) -> None:
        segment = make_segment()
        shelving.archive(segment=segment, by=marketer)

        with pytest.raises(authoring.ArchivedProblem):
            authoring.change(
                segment=segment, name="Other", description="", department=segment.department,
                definition=segment.definition, by=marketer,
            )  # fmt: skip

    def test_nobody_follows_it_so_that_its_members_are_asked_for_anew(
        self, make_segment: Make, viewers: None, marketer: User
    ) -> None:
        segment = make_segment()
        while refreshing.refresh():
            pass
        assert reading.size(segment) == 3

        shelving.archive(segment=segment, by=marketer)
        assert reading.size(segment) is None
        shelving.bring_back(segment=segment, by=marketer)
        while refreshing.refresh():
            pass

        assert reading.size(segment) == 3


class TestInUse:
    def test_what_a_segment_asks_for_neither_goes_nor_rests(
        self, make_segment: Make, viewers: None, as_marketer: Client
    ) -> None:
        inner = make_segment(name="Inner")
        outer = make_segment({"kind": "not", "of": [asks_for(inner)]}, name="Outer")

        page = text(as_marketer.get(address("segment", inner.pk)))
        for name in ("delete", "archive"):
            told = text(as_marketer.post(address(name, inner.pk), follow=True))
            assert "The segment is in use: “Outer”." in told
        as_marketer.post(address("delete", outer.pk))
        as_marketer.post(address("delete", inner.pk))

        assert address("segment", outer.pk) in page
        assert not Segment.objects.exists()

    def test_another_departments_use_keeps_it_without_a_name(
        self, make_segment: Make, viewers: None, carer: User, as_marketer: Client
    ) -> None:
        inner = make_segment(name="Inner", department=None)
        make_segment(asks_for(inner, is_in=False), name="Secret plan", by=carer)

        page = text(as_marketer.get(address("segment", inner.pk)))
        told = text(as_marketer.post(address("delete", inner.pk), follow=True))

        assert "Secret plan" not in page + told
        assert "something of another department" in told
        assert Segment.objects.filter(pk=inner.pk).exists()

    def test_a_script_keeps_it_while_it_is_said(
        self, make_segment: Make, viewers: None, marketer: User, web_shop: Source
    ) -> None:
        segment = make_segment()
        said = {"segment": segment, "text": "Hello", "text_th": "", "by": marketer}
        scripts.write(**said, is_active=True, seen=0)

        with pytest.raises(uses.InUseProblem):
            shelving.archive(segment=segment, by=marketer)
        scripts.write(**said, is_active=False, seen=1)
        shelving.archive(segment=segment, by=marketer)

        assert choosing.best(profile_of(web_shop, "v1"), scope_of(marketer)) is None

    def test_a_script_is_named_among_what_uses_it(
        self, make_segment: Make, viewers: None, marketer: User, as_marketer: Client
    ) -> None:
        segment = make_segment(name="Lovers of red")
        said = {"segment": segment, "text": "Hello", "text_th": "", "by": marketer}
        scripts.write(**said, is_active=True, seen=0)
        said_now = used_by(as_marketer, segment)
        scripts.write(**said, is_active=False, seen=1)
        silent = used_by(as_marketer, segment)

        for shown in (said_now, silent):
            assert "Agent script: Lovers of red" in shown
            assert f'href="{address("scripts")}"' in shown
        assert "keeps it" in said_now
        assert "keeps it" not in silent
        assert "not shown" in silent

    @pytest.mark.parametrize("status", [SegmentExport.Status.WAITING, SegmentExport.Status.RUNNING])
    def test_a_list_keeps_it_while_it_is_made(
        self, status: str, make_segment: Make, viewers: None, marketer: User, as_marketer: Client
    ) -> None:
        segment = make_segment()
        export = exports.ask(segment, Purpose.objects.get(slug="marketing"), Channel.EMAIL, marketer)
        SegmentExport.objects.filter(pk=export.pk).update(status=status)

        for name in ("delete", "archive"):
            told = text(as_marketer.post(address(name, segment.pk), follow=True))
            assert "The segment is in use: “Marketing”." in told
        assert address("exported", export.pk) in used_by(as_marketer, segment)
        assert "keeps it" in used_by(as_marketer, segment)
        segment.refresh_from_db()
        assert not segment.is_archived

    @pytest.mark.parametrize("status", [SegmentExport.Status.READY, SegmentExport.Status.FAILED])
    def test_a_list_that_is_made_or_failed_stays_on_record_without_it(
        self, status: str, make_segment: Make, viewers: None, marketer: User, as_marketer: Client
    ) -> None:
        segment = make_segment()
        export = exports.exported(segment, Purpose.objects.get(slug="marketing"), Channel.EMAIL, marketer)
        SegmentExport.objects.filter(pk=export.pk).update(status=status)
        assert "keeps it" not in used_by(as_marketer, segment)

        as_marketer.post(address("delete", segment.pk))

        export.refresh_from_db()
        assert not Segment.objects.exists()
        assert (export.segment, export.segment_name) == (None, "Red")

    def test_nothing_stands_on_a_new_one(self, make_segment: Make, viewers: None, as_marketer: Client) -> None:
        segment = make_segment()

        assert "Nothing stands on it" in text(as_marketer.get(address("segment", segment.pk)))


def test_outsiders_find_nothing(
    make_segment: Make, viewers: None, marketer: User, login: Login, outsider: User, steward: User, agent: User
) -> None:
    segment, folder = make_segment(viewed_red()), shelving.create_folder(name="Spring", by=marketer)
    paths = [address("folders"), address("rename_folder", folder.pk), address("delete_folder", folder.pk)]
    paths += [
        address(name, segment.pk)
        for name in ("arrange", "archive", "bring_back", "overlap", "versions", "version_diff", "version_effect")
    ]
    paths += [address("history", segment.pk), address("explain_somebody", segment.pk)]
    paths += [address("restore_version", segment.pk, 1)]
    for user in (outsider, steward, agent):
        client = login(user)
        assert {ask(path).status_code for path in paths for ask in (client.get, client.post)} == {404}
