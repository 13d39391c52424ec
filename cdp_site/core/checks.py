"""System checks that hold the house's own rules at start."""

from typing import Any

from django.core.checks import Error, register

from cdp_site.core import personal_data


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
