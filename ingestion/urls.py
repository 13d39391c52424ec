"""Addresses of the ingestion app."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
