from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProfilesConfig(AppConfig):
    name = "profiles"
    verbose_name = _("Profiles")

    def ready(self) -> None:
        from profiles import lent, personal_data, receivers, screens  # noqa: F401  models are there only now

        lent.register()
        personal_data.register()
        screens.register()
