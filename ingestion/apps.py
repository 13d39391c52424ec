from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IngestionConfig(AppConfig):
    name = "ingestion"
    verbose_name = _("Sources")

    def ready(self) -> None:
        from ingestion import screens  # navigation's models are there only now

        screens.register()
