from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsentConfig(AppConfig):
    name = "consent"
    verbose_name = _("Consent")

    def ready(self) -> None:
        from consent import api, exactness, impact, personal_data, receivers, reverting, screens, vocabulary
        from profiles import state

        screens.register()
        api.register()
        receivers.connect()
        personal_data.register()
        impact.register()
        reverting.register()
        state.register("consents", exactness.statements)
        vocabulary.lend()
