"""A program before the rules of access: a user who is nobody, with the permissions of the key and the eyes of its
department. What programs do is written down as the key's (`audit.actor_name`)."""

from typing import Any, NoReturn

from cdp_site.core.errors import InternalError
from cdp_site.core.machines.scopes import permissions_of
from cdp_site.core.models import MachineKey, User


def user_of(key: MachineKey) -> User:
    """Whom the rules ask about when a program knocks with this key; cannot be saved."""
    user = User(username=key.prefix, department=key.department)
    user.machine_key = key  # type: ignore[misc]  # of this one alone
    of_scopes = permissions_of(key.scopes, sees_all_departments=key.department_id is None)
    user.key_permissions = of_scopes  # type: ignore[misc]
    user.save = user.refresh_from_db = _refuse  # type: ignore[method-assign]
    return user


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    raise InternalError("a program is no user: it is not saved")
