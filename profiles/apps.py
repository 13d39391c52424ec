from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProfilesConfig(AppConfig):
    name = "profiles"
    verbose_name = _("Profiles")

    def ready(self) -> None:
        from profiles import lent, personal_data, receivers, screens  # noqa: F401  models are there only now
        from profiles.calling import personal_data as calls
        from profiles.cases import personal_data as cases
        from profiles.editing import personal_data as editing

        lent.register()
        personal_data.register()
        calls.register()
        cases.register()
        editing.register()
        screens.register()
