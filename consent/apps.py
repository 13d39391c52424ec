from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsentConfig(AppConfig):
    name = "consent"
    verbose_name = _("Consent")

    def ready(self) -> None:
        from consent import api, exactness, impact, personal_data, receivers, reverting, screens, vocabulary
        from consent.breach import leaks
        from consent.breach import personal_data as breaches
        from consent.package import making
        from consent.package import personal_data as packaged
        from consent.requests import personal_data as requests_personal_data
        from profiles import state

        screens.register()
        api.register()
        receivers.connect()
        personal_data.register()
        leaks.register_own()
        breaches.register()
        packaged.register()
        making.register()
        requests_personal_data.register()
        impact.register()
        reverting.register()
        state.register("consents", exactness.statements)
        vocabulary.lend()
