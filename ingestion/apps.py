from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IngestionConfig(AppConfig):
    name = "ingestion"
    verbose_name = _("Sources")

    def ready(self) -> None:
        from ingestion import personal_data, screens  # models are there only now

        personal_data.register()
        screens.register()
