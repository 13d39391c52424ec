"""The top layer: what runs, fills, checks and measures the platform as a whole."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "cdp_site.operations"
    label = "operations"
