"""The pages of a call: what they show, and what they never show."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from cdp_site.core.models import AccessLogEntry, User
from ingestion.models import Source
from profiles import calling
from profiles.calling import lines, verifying
from profiles.models import Profile
from tests.customers import Tell, identify, profile_of
from tests.integration.calling.conftest import PHONE

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]

CALL = "/call/"
# Whatever would tell who Pim or Tim is.
SECRETS = (
    "พิมพ์ชนก",
    "แสงอรุณ",
    "ทิม",
    "pim@",
    "1991",
    "2534",
    "10260",
    "88/214",
    "7788001",
    "WB-000123",
    "4740",
    "394 5678",
    "3945678",
)


@pytest.fixture
def desk(login: Login, agent: User) -> Client:
    return login(agent)


def post(desk: Client, name: str, **fields: str) -> Any:
    return desk.post(reverse(f"profiles:{name}"), fields)


def text_of(desk: Client) -> str:
    return desk.get(CALL).content.decode()


class TestTheNumber:
    def test_an_agent_types_it(self, desk: Client, agent: User, pim: Profile) -> None:
        assert 'name="number"' in text_of(desk)
        assert post(desk, "call", number=PHONE)["Location"] == CALL
        call = calling.current(agent)
        assert call is not None
        assert call.profile == pim

    def test_what_is_no_number_comes_back_with_the_reason(self, desk: Client) -> None:
        answer = post(desk, "call", number="hello")
        assert answer.status_code == 422
        assert "This is not a phone number." in answer.content.decode()

    def test_it_opens_from_the_telephone_system_and_leaves_the_address(
        self, desk: Client, call_centre: Source, pim: Profile
    ) -> None:
        _call, token = lines.announce(number=PHONE, source_id=call_centre.pk)
        answer = desk.get(f"/pop/{token}")
        assert (answer.status_code, answer["Location"]) == (302, CALL)
        assert "no-store" in answer["Cache-Control"]
        assert "•••• 5678" in text_of(desk)

    def test_a_used_link_says_what_to_do(self, desk: Client, call_centre: Source) -> None:
        answer = desk.get("/pop/nonsense")
        assert answer["Location"] == CALL
        (said,) = get_messages(answer.wsgi_request)
        assert "Type the number instead." in str(said)

    def test_a_withheld_number_is_asked_for(self, desk: Client, call_centre: Source) -> None:
        _call, token = lines.announce(number="anonymous", source_id=call_centre.pk)
        desk.get(f"/pop/{token}")
        page = text_of(desk)
        assert "Number withheld" in page
        assert 'name="number"' in page
        assert reverse("profiles:create_customer") not in page


class TestBeforeVerification:
    def test_the_card_of_one_customer_identifies_nobody(self, desk: Client, agent: User, pim: Profile) -> None:
        post(desk, "call", number=PHONE)
        page = text_of(desk)
        assert "พ•••• ส••••" in page
        assert "Not verified" in page
        assert "Speaks Thai" in page
        for question in ("Date of birth", "Postcode", "Member number", "E-mail address", "Amount of the last order"):
            assert question in page
        assert "Last four digits of the national ID" not in page  # nobody has told it
        assert [secret for secret in SECRETS if secret in page] == []
        assert AccessLogEntry.objects.filter(profile=pim.public_id, what="call.card").exists()
        assert not AccessLogEntry.objects.filter(profile=pim.public_id, what="profile.view").exists()

    def test_nor_do_those_of_several(self, desk: Client, agent: User, pim: Profile, tim: Profile) -> None:
        post(desk, "call", number=PHONE)
        page = text_of(desk)
        assert "2 customers have this number" in page
        assert {"พ•••• ส••••", "ท•••• ส••••"} <= {part.strip() for part in page.replace("<", ">").split(">")}
        assert [secret for secret in SECRETS if secret in page] == []
        post(desk, "choose_caller", customer=str(tim.public_id))
        assert [secret for secret in SECRETS if secret in text_of(desk)] == []
        post(desk, "choose_caller")
        assert "2 customers have this number" in text_of(desk)

    def test_who_does_not_have_the_number_cannot_be_chosen(
        self, desk: Client, tell: Tell, pos: Source, pim: Profile
    ) -> None:
        tell(pos, identify("P20", firstName="คนอื่น", phone="0891234569"))
        post(desk, "call", number=PHONE)
        other = str(profile_of(pos, "P20").public_id)
        assert post(desk, "choose_caller", customer=other).status_code == 404
        assert post(desk, "choose_caller", customer="x").status_code == 404

    def test_an_office_is_asked_for_the_name(self, desk: Client, tell: Tell, pos: Source) -> None:
        tell(pos, *(identify(f"O{n}", firstName=f"คน{n}", lastName=f"ที่{n}", phone=PHONE) for n in range(12)))
        post(desk, "call", number=PHONE)
        page = text_of(desk)
        assert "More people have this number" in page
        assert page.count("Is calling</button>") == 10

    def test_what_costs_how_many_queries(self, desk: Client, pim: Profile, django_assert_max_num_queries: Any) -> None:
        post(desk, "call", number=PHONE)
        text_of(desk)
        with django_assert_max_num_queries(24):
            text_of(desk)


class TestVerification:
    def test_two_facts_lead_to_the_customer(self, desk: Client, agent: User, pim: Profile) -> None:
        post(desk, "call", number=PHONE)
        one = post(desk, "check_caller", birth_date="14/2/2534", postcode="")
        page = one.content.decode()
        assert one.status_code == 200
        assert "Date of birth: right" in page
        assert 'name="birth_date"' not in page
        assert [secret for secret in SECRETS if secret in page] == []
        two = post(desk, "check_caller", postcode="10260")
        assert two["Location"] == reverse("profiles:customer", args=[pim.public_id])
        assert "Open the customer" in text_of(desk)

    def test_what_is_wrong_is_said_and_nothing_else(self, desk: Client, pim: Profile) -> None:
        post(desk, "call", number=PHONE)
        answer = post(desk, "check_caller", birth_date="spring", postcode="99999")
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "This is not what we have." in page
        assert "This cannot be read; it counts as no try." in page
        assert "2 wrong answers are still allowed." in page
        assert [secret for secret in SECRETS if secret in page] == []

    def test_an_empty_form_asks_for_an_answer(self, desk: Client, pim: Profile) -> None:
        post(desk, "call", number=PHONE)
        answer = post(desk, "check_caller")
        assert answer.status_code == 422
        assert "Write down what the caller answers." in answer.content.decode()

    def test_after_three_wrong_answers_there_is_nothing_to_fill_in(self, desk: Client, pim: Profile) -> None:
        post(desk, "call", number=PHONE)
        for postcode in ("99999", "99998", "99997"):
            post(desk, "check_caller", postcode=postcode)
        page = text_of(desk)
        assert "Too many wrong answers" in page
        assert 'name="postcode"' not in page
        assert post(desk, "check_caller", postcode="10260").status_code == 429

    def test_who_is_known_too_little_is_said(self, desk: Client, pim: Profile, tim: Profile) -> None:
        post(desk, "call", number=PHONE)
        post(desk, "choose_caller", customer=str(tim.public_id))
        assert "Too little is known to verify the caller" in text_of(desk)

    def test_who_comes_back_to_the_form_is_led_to_the_call(self, desk: Client) -> None:
        for name in ("check_caller", "create_customer"):
            assert desk.get(reverse(f"profiles:{name}"))["Location"] == CALL

    def test_checking_outside_of_a_call_leads_to_the_number(self, desk: Client) -> None:
        assert post(desk, "check_caller", postcode="10260")["Location"] == CALL

    def test_the_end_masks_again(self, desk: Client, agent: User, pim: Profile) -> None:
        post(desk, "call", number=PHONE)
        post(desk, "check_caller", birth_date="14/2/2534", postcode="10260")
        assert post(desk, "end_call")["Location"] == CALL
        assert calling.current(agent) is None
        assert 'name="number"' in text_of(desk)


class TestNewcomers:
    def test_nobody_leads_to_a_new_customer(self, desk: Client, agent: User) -> None:
        post(desk, "call", number="0874561231")
        assert "Nobody you may see has this number" in text_of(desk)
        answer = post(desk, "create_customer", first_name="มะลิ", last_name="หอมดี", email="mali@baansabai.co.th")
        profile = Profile.objects.get(kind=Profile.Kind.IDENTIFIED)
        assert answer["Location"] == reverse("profiles:customer", args=[profile.public_id])
        assert "มะลิ" in desk.get(answer["Location"]).content.decode()

    def test_what_cannot_be_used_comes_back(self, desk: Client) -> None:
        post(desk, "call", number="0874561231")
        answer = post(desk, "create_customer", first_name="มะลิ", email="mali at home")
        assert answer.status_code == 422
        assert "This is not an e-mail address that anybody could have." in answer.content.decode()
        assert post(desk, "create_customer", first_name="").status_code == 422

    def test_outside_of_a_call_nobody_is_created(self, desk: Client) -> None:
        assert post(desk, "create_customer", first_name="มะลิ").status_code == 409
        assert not Profile.objects.exists()


class TestStrip:
    def test_it_shows_the_call_and_who_was_opened_last(self, desk: Client, pim: Profile, somchai: Profile) -> None:
        assert "Customers that you open are listed here." in desk.get("/customers/strip/").content.decode()
        for profile in (pim, somchai):
            desk.get(reverse("profiles:customer", args=[profile.public_id]))
        strip = desk.get("/customers/strip/").content.decode()
        assert strip.index("สมชาย") < strip.index("พิมพ์ชนก")
        assert strip.count("data-recent=") == 2
        assert 'aria-keyshortcuts="Alt+1"' in strip

    def test_who_may_be_calling_is_not_named_before_verification(
        self, desk: Client, pim: Profile, tim: Profile, somchai: Profile
    ) -> None:
        for profile in (pim, tim, somchai):
            desk.get(reverse("profiles:customer", args=[profile.public_id]))
        post(desk, "call", number=PHONE)
        strip = desk.get("/customers/strip/").content.decode()
        assert "•••• 5678" in strip
        assert "สมชาย" in strip
        assert [secret for secret in SECRETS if secret in strip] == []
        post(desk, "choose_caller", customer=str(pim.public_id))
        post(desk, "check_caller", birth_date="14/2/2534", postcode="10260")
        assert "พิมพ์ชนก" in desk.get("/customers/strip/").content.decode()

    def test_it_costs_little(
        self, desk: Client, pim: Profile, somchai: Profile, django_assert_max_num_queries: Any
    ) -> None:
        for profile in (pim, somchai):
            desk.get(reverse("profiles:customer", args=[profile.public_id]))
        with django_assert_max_num_queries(11):  # session, user, scope of three, and six of its own
            desk.get("/customers/strip/")


class TestWhoMay:
    @pytest.mark.parametrize("name", ["call", "choose_caller", "check_caller", "create_customer", "end_call", "strip"])
    def test_outsiders_marketers_and_administrators_find_nothing(
        self, login: Login, outsider: User, marketer: User, admin: User, name: str
    ) -> None:
        for user in (outsider, marketer, admin):
            address = reverse(f"profiles:{name}")
            assert {login(user).get(address).status_code, login(user).post(address).status_code} == {404}

    def test_a_token_is_not_used_up_by_who_may_not_take_calls(
        self, login: Login, marketer: User, agent: User, call_centre: Source
    ) -> None:
        _call, token = lines.announce(number=PHONE, source_id=call_centre.pk)
        assert login(marketer).get(f"/pop/{token}").status_code == 404
        assert lines.take(token, by=agent).agent == agent

    def test_a_colleagues_call_is_not_mine(self, login: Login, agent: User, steward: User, pim: Profile) -> None:
        lines.begin(number=PHONE, by=agent)
        assert "•••• 5678" not in text_of(login(steward))
        with pytest.raises(Exception, match=r"nobody to verify|no call"):
            verifying.check({}, by=steward)
