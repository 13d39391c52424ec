"""Addresses of the segments app."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
