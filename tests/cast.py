"""The cast: one user per role over two departments, and an outsider who has a login but no role."""

from collections.abc import Callable

import pytest
from django.test import Client

from cdp_site.core.models import Department, Role, User
from ingestion.models import Source


@pytest.fixture
def marketing(db: None) -> Department:
    return Department.objects.create(slug="marketing", name="Marketing", name_th="การตลาด")


@pytest.fixture
def care(db: None) -> Department:
    return Department.objects.create(slug="care", name="Customer care", name_th="บริการลูกค้า")


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    def make(role: str, department: Department | None = None, name: str = "") -> User:
        user = User(username=name or role or "outsider", role=role, department=department)
        user.set_unusable_password()
        user.save()
        return user

    return make


@pytest.fixture
def agent(make_user: Callable[..., User], care: Department) -> User:
    return make_user(Role.AGENT, care)


@pytest.fixture
def marketer(make_user: Callable[..., User], marketing: Department) -> User:
    return make_user(Role.MARKETER, marketing)


@pytest.fixture
def steward(make_user: Callable[..., User], care: Department) -> User:
    return make_user(Role.STEWARD, care)


@pytest.fixture
def compliance(make_user: Callable[..., User], care: Department) -> User:
    return make_user(Role.COMPLIANCE, care)


@pytest.fixture
def analyst(make_user: Callable[..., User], marketing: Department) -> User:
    return make_user(Role.ANALYST, marketing)


@pytest.fixture
def admin(make_user: Callable[..., User], marketing: Department) -> User:
    return make_user(Role.ADMIN, marketing)


@pytest.fixture
def outsider(make_user: Callable[..., User]) -> User:
    return make_user("")


@pytest.fixture
def login(db: None) -> Callable[[User], Client]:
    """A browser in which the user is logged in."""

    def log_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def web_shop(marketing: Department) -> Source:
    return Source.objects.create(
        slug="web", name="Web shop", kind=Source.Kind.SHOP, department=marketing, trust_rank=30
    )


@pytest.fixture
def pos(db: None) -> Source:
    """Common to all departments."""
    return Source.objects.create(slug="pos", name="Point of sale", kind=Source.Kind.POS, trust_rank=20)


@pytest.fixture
def call_centre(care: Department) -> Source:
    return Source.objects.create(
        slug="calls", name="Call centre", kind=Source.Kind.CALL_CENTRE, department=care, trust_rank=40
    )
