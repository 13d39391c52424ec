from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsentConfig(AppConfig):
    name = "consent"
    verbose_name = _("Consent")

    def ready(self) -> None:
        from consent import impact, personal_data, receivers, screens, vocabulary

        screens.register()
        receivers.connect()
        personal_data.register()
        impact.register()
        vocabulary.lend()
