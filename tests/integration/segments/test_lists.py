"""Lists of customers: the upload, whom ids lead to, and what a segment makes of a list."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from cdp_site.core.access import EVERYTHING
from cdp_site.core.models import AuditEvent, User
from cdp_site.core.personal_data import Subject
from ingestion.models import Source
from profiles.models import Profile
from segments import audience, references
from segments.lists import keeping
from segments.lists.finding import find
from segments.lists.personal_data import ListHolder
from segments.lists.reading import MOST_IDS, TooManyProblem, pasted
from segments.models import Segment, StaticList, StaticListMember
from tests.customers import Tell, identify, profile_of
from tests.factories.people import hold, make_record, make_source, merge
from tests.integration.segments.conftest import Login, whole

pytestmark = pytest.mark.django_db
Make = Callable[..., Segment]


def text(response: Any) -> str:
    return str(response.content.decode())


def on(wanted: StaticList, *, is_in: bool = True) -> dict[str, Any]:
    return {"kind": "list", "list": str(wanted.pk), "is_in": is_in}


def members(wanted: StaticList) -> set[int]:
    question = audience.Question.of(references.parsed(whole(on(wanted))), EVERYTHING)
    return set(audience.member_ids(question))


def made(by: User, ids: str, *, kind: str = "email", name: str = "Guests", source: Source | None = None) -> StaticList:
    found = find(pasted(ids).ids, kind=kind, source=source, by=by)
    return keeping.create(name=name, department=by.department, found=found, by=by)


def workbook(rows: list[list[str]]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet("Guests")
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    return buffer.getvalue()


@pytest.fixture
def as_marketer(login: Login, marketer: User) -> Client:
    return login(marketer)


@pytest.fixture
def guests(tell: Tell, web_shop: Source) -> list[Profile]:
    """Three customers of the web shop."""
    for number in (1, 2, 3):
        contact = {"email": f"v{number}@baansabai.co.th", "phone": f"081234567{number}"}
        tell(web_shop, identify(f"v{number}", firstName="มานี", lastName=f"มีนา{number}", **contact))
    return [profile_of(web_shop, f"v{number}") for number in (1, 2, 3)]


class TestWhomIdsLeadTo:
    @pytest.mark.parametrize(
        ("kind", "given"),
        [
            ("email", "V1@BaanSabai.co.th, v2@baansabai.co.th"),
            ("phone", "081-234-5671\n+66 81 234 5672"),
            ("user", "v1;v2"),
        ],
    )
    def test_they_are_read_as_the_digest_reads_them(
        self, guests: list[Profile], marketer: User, kind: str, given: str
    ) -> None:
        wanted = made(marketer, given, kind=kind)

        assert members(wanted) == {guests[0].pk, guests[1].pk}
        assert (wanted.n_given, wanted.n_found, wanted.n_not_found) == (2, 2, 0)

    def test_an_id_of_nobody_and_an_id_of_several_are_told(self, guests: list[Profile], marketer: User) -> None:
        shop = make_source("shop")
        for _twice in range(2):
            hold(make_record(shop), "member", "M-7")

        found = find(pasted("M-7 \n\n M-8").ids, kind="member", by=marketer)

        assert [one.text for one in found.several] == ["M-7"]
        assert [(one.line, one.text) for one in found.unknown] == [(3, "M-8")]
        assert found.records == frozenset()

    def test_a_source_has_numbers_of_its_own(self, marketer: User) -> None:
        one, other = make_source("one"), make_source("other")
        first, second = make_record(one, external_id="7"), make_record(other, external_id="7")
        hold(first, "user", "7")
        hold(second, "user", "7")

        assert find(pasted("7").ids, kind="user", by=marketer).several
        assert find(pasted("7").ids, kind="user", source=one, by=marketer).records == {first.pk}

    def test_what_is_no_evidence_and_what_is_hidden_leads_nowhere(
        self, marketer: User, call_centre: Source, guests: list[Profile]
    ) -> None:
        shop = make_source("shop")
        hold(make_record(shop), "email", "junk@baansabai.co.th", problem="junk")
        hold(make_record(shop), "email", "old@baansabai.co.th", is_current=False)
        hold(make_record(call_centre), "email", "care@baansabai.co.th")  # care's source

        found = find(
            pasted("junk@baansabai.co.th old@baansabai.co.th".replace(" ", ",") + ",care@baansabai.co.th").ids,
            kind="email",
            by=marketer,
        )

        assert found.records == frozenset()
        assert len(found.unknown) == 3

    def test_there_is_an_end_to_what_is_read(self) -> None:
        with pytest.raises(TooManyProblem):
            pasted("\n".join(map(str, range(MOST_IDS + 1))))


class TestMembers:
    def test_a_merge_and_its_end_need_nothing(self, marketer: User) -> None:
        """A list holds records, and a record has an owner at each moment."""
        shop = make_source("shop")
        first, second = make_record(shop), make_record(shop)
        hold(first, "email", "a@baansabai.co.th")
        wanted = made(marketer, "a@baansabai.co.th")
        assert members(wanted) == {first.birth_profile_id}

        merge(second.birth_profile, first.birth_profile)

        assert members(wanted) == {second.birth_profile_id}
        assert StaticList.objects.visible_to(marketer).with_people().get().n_people == 1

    def test_more_and_others(self, guests: list[Profile], marketer: User) -> None:
        wanted = made(marketer, "v1@baansabai.co.th")
        more = find(pasted("v2@baansabai.co.th").ids, kind="email", by=marketer)
        keeping.change(static_list=wanted, found=more, replaces=False, by=marketer)
        assert members(wanted) == {guests[0].pk, guests[1].pk}

        others = find(pasted("v3@baansabai.co.th\nnobody@baansabai.co.th").ids, kind="email", by=marketer)
        changed = keeping.change(static_list=wanted, found=others, replaces=True, by=marketer)

        assert members(wanted) == {guests[2].pk}
        assert (changed.n_given, changed.n_found) == (2, 1)

    def test_nobody_found_is_no_list(self, marketer: User) -> None:
        with pytest.raises(keeping.NobodyFoundProblem):
            made(marketer, "nobody@baansabai.co.th")
        assert not StaticList.objects.exists()

    def test_who_is_erased_is_on_no_list(self, guests: list[Profile], marketer: User) -> None:
        made(marketer, "v1@baansabai.co.th\nv2@baansabai.co.th")
        record = StaticListMember.objects.order_by("pk").first()
        assert record is not None
        subject = Subject(profile_ids=(guests[0].pk,), record_ids=(record.record_id,), public_ids=())
        holder = ListHolder()

        assert holder.locate(subject) == {"segments.StaticListMember": 1}
        assert holder.export(subject)["segments.StaticListMember"][0]["list__name"] == "Guests"
        assert holder.erase(subject).erased == {"segments.StaticListMember": 1}
        assert holder.locate(subject) == {"segments.StaticListMember": 0}
        assert StaticListMember.objects.count() == 1


class TestPages:
    def test_an_upload_tells_once_what_was_not_found(
        self, as_marketer: Client, guests: list[Profile], marketer: User
    ) -> None:
        answer = as_marketer.post(
            reverse("segments:new_list"),
            {"name": "Guests", "kind": "email", "ids": "v1@baansabai.co.th\nlost@baansabai.co.th"},
        )

        made_list = StaticList.objects.get()
        assert answer.status_code == 200
        assert "lost@baansabai.co.th" in text(answer)
        assert made_list.department == marketer.department
        assert members(made_list) == {guests[0].pk}
        page = text(as_marketer.get(reverse("segments:list", args=[made_list.pk])))
        assert "lost@" not in page
        event = AuditEvent.objects.get(action="list.create")
        assert event.fields == ["department", "members", "name"]

    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    def test_a_column_of_a_file_is_read(
        self, as_marketer: Client, guests: list[Profile], kind: str, tmp_path: Path
    ) -> None:
        rows = [["Seat", "E-mail address"], ["A1", "v1@baansabai.co.th"], ["A2", "v3@baansabai.co.th"], ["A3", ""]]
        content = "\n".join(",".join(row) for row in rows).encode() if kind == "csv" else workbook(rows)

        answer = as_marketer.post(
            reverse("segments:new_list"),
            {"name": "Guests", "kind": "email", "file": SimpleUploadedFile(f"guests.{kind}", content)},
        )

        assert "E-mail address" in text(answer)
        assert members(StaticList.objects.get()) == {guests[0].pk, guests[2].pk}
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]

    def test_a_file_without_a_heading_loses_no_id(self, as_marketer: Client, guests: list[Profile]) -> None:
        """A first row of member numbers looks like a heading: it counts when it leads to somebody."""
        upload = SimpleUploadedFile("ids.csv", b"v1\nv2\n")

        as_marketer.post(reverse("segments:new_list"), {"name": "Guests", "kind": "user", "file": upload})

        made_list = StaticList.objects.get()
        assert members(made_list) == {guests[0].pk, guests[1].pk}
        assert (made_list.n_given, made_list.n_found) == (2, 2)

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            ({"ids": ""}, "Paste ids, or choose a file."),
            ({"ids": "v1@baansabai.co.th", "file": b"v1\n"}, "Paste ids or choose a file, not both."),
            ({"file": b"Seat,Address\nA1,v1@baansabai.co.th\n", "column": "Mail"}, "It has these: Seat, Address."),
            ({"file": b""}, "empty"),
            ({"file": b"\xd0\xcf\x11\xe0old excel"}, "xls"),
            ({"ids": "nobody@baansabai.co.th"}, "None of the ids leads to one customer."),
            ({"ids": "v1@baansabai.co.th", "kind": "national_id"}, "national_id"),
            ({"ids": "v1@baansabai.co.th", "name": "Taken"}, "There is a list of this name already."),
        ],
    )
    def test_what_cannot_be_read_is_told_at_its_field(
        self, as_marketer: Client, guests: list[Profile], marketer: User, said: dict[str, Any], told: str
    ) -> None:
        made(marketer, "v2@baansabai.co.th", name="Taken")
        form = {"name": "Guests", "kind": "email", **said}
        if "file" in form:
            form["file"] = SimpleUploadedFile("ids.csv", form["file"])

        answer = as_marketer.post(reverse("segments:new_list"), form)

        assert answer.status_code == 422
        assert told in text(answer)
        assert StaticList.objects.count() == 1

    def test_a_list_is_renamed_and_deleted(self, as_marketer: Client, guests: list[Profile], marketer: User) -> None:
        wanted = made(marketer, "v1@baansabai.co.th")

        as_marketer.post(reverse("segments:rename_list", args=[wanted.pk]), {"name": "VIPs"})
        wanted.refresh_from_db()
        assert wanted.name == "VIPs"

        as_marketer.post(reverse("segments:delete_list", args=[wanted.pk]))
        assert not StaticList.objects.exists()
        assert not StaticListMember.objects.exists()

    def test_a_list_that_a_segment_asks_for_stays(
        self, as_marketer: Client, guests: list[Profile], marketer: User, make_segment: Make
    ) -> None:
        wanted = made(marketer, "v1@baansabai.co.th")
        segment = make_segment(on(wanted), name="Invited")

        answer = as_marketer.post(reverse("segments:delete_list", args=[wanted.pk]), follow=True)

        assert "“Invited”" in text(answer)
        assert StaticList.objects.exists()
        page = text(as_marketer.get(reverse("segments:list", args=[wanted.pk])))
        assert reverse("segments:segment", args=[segment.pk]) in page

    def test_another_department_and_other_roles_see_none_of_it(
        self,
        login: Login,
        marketer: User,
        analyst: User,
        agent: User,
        make_user: Callable[..., User],
        care: Any,
        guests: list[Profile],
    ) -> None:
        wanted = made(marketer, "v1@baansabai.co.th")
        one = [wanted.pk]
        pages = [("list", one), ("change_list", one)]
        writes = [("change_list", one), ("rename_list", one), ("delete_list", one)]

        for outsider in (make_user("marketer", care, "carer"), make_user("", None), agent):
            client = login(outsider)
            assert {client.get(reverse(f"segments:{name}", args=args)).status_code for name, args in pages} == {404}
            assert {client.post(reverse(f"segments:{name}", args=args)).status_code for name, args in writes} == {404}
        colleague = login(analyst)
        assert colleague.get(reverse("segments:list", args=one)).status_code == 200
        # Who may not look customers up does not learn who is one.
        assert colleague.get(reverse("segments:new_list")).status_code == 404
        assert colleague.post(reverse("segments:change_list", args=one)).status_code == 404
        assert str(wanted.pk) not in text(login(make_user("marketer", care, "other")).get(reverse("segments:lists")))
        assert login(marketer).get(reverse("segments:list", args=[UUID(int=5)])).status_code == 404

    def test_the_first_list_is_invited(self, as_marketer: Client) -> None:
        page = text(as_marketer.get(reverse("segments:lists")))

        assert "No list yet" in page
        assert reverse("segments:new_list") in page


def test_a_list_of_another_department_is_unknown_to_the_builder(
    guests: list[Profile], marketer: User, make_user: Callable[..., User], care: Any, make_segment: Make
) -> None:
    wanted = made(marketer, "v1@baansabai.co.th")
    carer = make_user("marketer", care, "carer")

    with pytest.raises(references.DefinitionProblem) as caught:
        make_segment(on(wanted), name="Theirs", by=carer)

    assert [(one.place, one.code) for one in caught.value.problems] == [("/where/of/0/list", "list-unknown")]


def test_bytes_that_are_no_file_are_refused(as_marketer: Client) -> None:
    upload = io.BytesIO(b"PK\x03\x04 broken")
    upload.name = "ids.xlsx"

    answer = as_marketer.post(reverse("segments:new_list"), {"name": "Guests", "kind": "email", "file": upload})

    assert answer.status_code == 422
