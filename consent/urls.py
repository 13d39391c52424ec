"""Addresses of the consent app."""

from django.urls import include, path

from consent.views import audit, certificates, customer, packages, public, purposes, requests

app_name = "consent"
urlpatterns = [
    path("customers/<uuid:public_id>/consent/", customer.panel, name="panel"),
    path("customers/<uuid:public_id>/consent/chips/", customer.chips, name="chips"),
    path("customers/<uuid:public_id>/consent/<slug:purpose>/<slug:channel>/", customer.cell, name="cell"),
    path("customers/<uuid:public_id>/consent/<slug:purpose>/<slug:channel>/answer/", customer.answer, name="answer"),
    path("customers/<uuid:public_id>/access-log/", customer.access_log, name="access_log"),
    path("customers/<uuid:public_id>/preference-link/", customer.preference_link, name="preference_link"),
    path("privacy/preferences/", public.ask_link, name="ask_preference_link"),
    path("privacy/preferences/<str:token>/", public.preferences, name="preferences"),
    path("privacy/preferences/<str:token>/choose/", public.choose, name="choose_preference"),
    path("privacy/request/", public.write_request, name="privacy_request"),
    path("privacy/copy/<str:token>/", packages.copy, name="copy"),
    path("purposes/", purposes.list_purposes, name="purposes"),
    path("purposes/<slug:purpose>/", purposes.show, name="purpose"),
    path("purposes/<slug:purpose>/terms/", purposes.set_terms, name="purpose_terms"),
    path("purposes/<slug:purpose>/notices/", purposes.publish, name="publish_notice"),
    path("requests/", requests.queue, name="requests"),
    path("requests/due/", requests.due, name="due"),
    path("requests/new/", requests.intake, name="intake"),
    path("requests/new/find/", requests.find, name="find"),
    path("requests/forwarded/<uuid:forwarded_id>/done/", requests.close_forwarded, name="close_forwarded"),
    path("requests/<uuid:request_id>/", requests.show, name="request"),
    path("requests/<uuid:request_id>/approve/", requests.approve, name="approve"),
    path("requests/<uuid:request_id>/refuse/", requests.refuse, name="refuse"),
    path("requests/<uuid:request_id>/retry/", requests.retry, name="retry"),
    path("requests/<uuid:request_id>/package/", packages.show, name="package"),
    path("requests/<uuid:request_id>/package/link/", packages.link, name="package_link"),
    path("requests/<uuid:request_id>/package/remove/", packages.remove, name="package_remove"),
    path("requests/certificate-key/", certificates.key, name="certificate_key"),
    path("requests/<uuid:request_id>/certificate/", certificates.download, name="certificate"),
    path("requests/<uuid:request_id>/certificate/show/", certificates.show, name="certificate_page"),
    path("requests/<uuid:request_id>/certificate/<slug:language>.pdf", certificates.paper, name="certificate_paper"),
    path("", include("consent.record_urls")),
    path("audit/", audit.browse, name="audit"),
    path("audit/alarms/", audit.show_alarms, name="alarms"),
    path("audit/alarms/count/", audit.count_alarms, name="alarm_count"),
    path("audit/export/", audit.export, name="audit_export"),
    path("audit/anchors/", audit.show_anchors, name="audit_anchors"),
    path("audit/check/", audit.check, name="check_audit"),
]
