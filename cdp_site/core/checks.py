"""System checks that hold the house's own rules at start."""

from typing import Any

from django.conf import settings
from django.core.checks import Error, register

from cdp_site.core import personal_data
from cdp_site.core.models import Role


@register()
def every_field_is_classified(app_configs: Any, **kwargs: Any) -> list[Error]:
    """A table whose fields are not classified as personal or not would slip past erasure and access."""
    problems = []
    for model in personal_data.own_models():
        try:
            personal_data.classification_of(model)
        except LookupError as error:
            problems.append(Error(str(error), hint="Declare PERSONAL_DATA on the model.", id="core.E001"))
    return problems


@register()
def roles_of_settings_exist(app_configs: Any, **kwargs: Any) -> list[Error]:
    """A role that is written wrongly in SECOND_FACTOR_ROLES would need no second factor."""
    unknown = sorted(set(settings.SECOND_FACTOR_ROLES) - set(Role.values))
    known = f"Roles are {', '.join(Role.values)}."
    return [Error(f"SECOND_FACTOR_ROLES names no role {name!r}", hint=known, id="core.E002") for name in unknown]
