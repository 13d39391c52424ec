from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "cdp_site.core"
    label = "core"
    verbose_name = _("Administration")

    def ready(self) -> None:
        from cdp_site.core import checks, personal_data  # noqa: F401  registers system checks
        from cdp_site.core.login import notes, sessions  # noqa: F401  receive what happens to logins

        personal_data.register_core_holders()
