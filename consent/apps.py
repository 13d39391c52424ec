from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsentConfig(AppConfig):
    name = "consent"
    verbose_name = _("Consent")

    def ready(self) -> None:
        from consent import personal_data, receivers  # noqa: F401  receivers connects to the digest's signals

        personal_data.register()
