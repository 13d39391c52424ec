"""The top layer: what runs, fills, checks and measures the platform as a whole."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "cdp_site.operations"
    label = "operations"

    def ready(self) -> None:
        from cdp_site.operations import database_fitness  # noqa: F401  registers its check
