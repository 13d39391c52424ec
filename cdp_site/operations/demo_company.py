"""The people who work at the sample company: two departments and one login per role."""

from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.crypto import salted_hmac

from cdp_site.core import audit
from cdp_site.core.models import Department, Role, User

ACTOR = "system:demo"

# slug → name, name in Thai
DEPARTMENTS = {"marketing": ("Marketing", "การตลาด"), "care": ("Customer care", "บริการลูกค้า")}


@dataclass(frozen=True)
class Login:
    """Somebody who works there; the user name is the role."""

    role: Role
    department: str
    first_name: str
    last_name: str
    language: str


LOGINS = (
    Login(Role.AGENT, "care", "กานดา", "ใจดี", "th"),
    Login(Role.MARKETER, "marketing", "ธนพล", "ศรีสุข", "th"),
    Login(Role.STEWARD, "care", "Nattaya", "Wong", "en"),
    Login(Role.COMPLIANCE, "care", "Peter", "Lindqvist", "en"),
    Login(Role.ANALYST, "marketing", "พิมพ์ชนก", "แก้วมณี", "th"),
    Login(Role.ADMIN, "marketing", "Somsak", "Rattana", "en"),
)


def departments() -> dict[str, Department]:
    """The departments by slug; made when they are missing."""
    return {
        slug: Department.objects.get_or_create(slug=slug, defaults={"name": name, "name_th": name_th})[0]
        for slug, (name, name_th) in DEPARTMENTS.items()
    }


def password() -> str:
    """The one password of all demo logins: another one in every installation, the same at every start of it."""
    return "sabai-" + salted_hmac("cdp_site.operations.demo_company", "password").hexdigest()[:8]


@transaction.atomic
def create_users() -> None:
    """Make the logins that are missing; existing ones are left as they are."""
    missing = [login for login in LOGINS if not User.objects.filter(username=login.role.value).exists()]
    if not missing:
        return
    hashed = make_password(password())  # once: a password hash costs a third of a second by design
    department = departments()
    for login in missing:
        user = User(
            username=login.role.value,
            password=hashed,
            first_name=login.first_name,
            last_name=login.last_name,
            role=login.role,
            department=department[login.department],
            language=login.language,
        )
        user.save()
        audit.record(action="user.create", target=user, by=ACTOR, fields=["role", "department"])
