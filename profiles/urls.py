"""Addresses of the profiles app."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
