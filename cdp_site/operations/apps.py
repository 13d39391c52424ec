"""The top layer: what runs, fills, checks and measures the platform as a whole."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "cdp_site.operations"
    label = "operations"

    def ready(self) -> None:
        from cdp_site.operations import backup_checks, database_fitness, screens  # noqa: F401  they register checks

        screens.register()
