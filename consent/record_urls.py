"""Addresses of what compliance keeps about the platform itself: retention, legal holds, breaches, the data map."""

from django.urls import path

from consent.views import breaches, data_map, holds, retention

urlpatterns = [
    path("breaches/", breaches.browse, name="breaches"),
    path("breaches/new/", breaches.record, name="breach_new"),
    path("breaches/<uuid:breach_id>/", breaches.show, name="breach"),
    path("breaches/<uuid:breach_id>/judge/", breaches.judge, name="breach_judge"),
    path("breaches/<uuid:breach_id>/done/", breaches.done, name="breach_done"),
    path("breaches/<uuid:breach_id>/people/", breaches.people, name="breach_people"),
    path("breaches/<uuid:breach_id>/report.pdf", breaches.papers, {"form": "pdf"}, name="breach_pdf"),
    path("breaches/<uuid:breach_id>/report.json", breaches.papers, {"form": "json"}, name="breach_json"),
    path("data-map/", data_map.show, name="data_map"),
    path("data-map/file/", data_map.download, name="data_map_file"),
    path("customers/<uuid:public_id>/holds/", holds.of_customer, name="customer_holds"),
    path("holds/", holds.browse, name="holds"),
    path("holds/<uuid:hold_id>/release/", holds.release, name="release_hold"),
    path("holds/<uuid:hold_id>/copy/", holds.copy, name="hold_copy"),
    path("retention/", retention.browse, name="retention"),
    path("retention/save/", retention.save, name="retention_save"),
    path("retention/try/", retention.try_out, name="retention_try"),
    path("retention/<int:rule_id>/remove/", retention.remove, name="retention_remove"),
]
