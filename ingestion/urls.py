"""Addresses of the ingestion app."""

from django.urls import URLPattern, path, re_path

from ingestion import messages, tracking_api

urlpatterns: list[URLPattern] = [
    path("v1/batch", tracking_api.batch, name="tracking_batch"),
    path("v1/import", tracking_api.batch, name="tracking_import"),
    re_path(rf"^v1/(?P<kind>{'|'.join(messages.TYPES)})$", tracking_api.call, name="tracking_call"),
]
