"""Addresses of the ingestion app."""

from django.urls import URLPattern, path, re_path

from ingestion import messages, tracking_api
from ingestion.views import alerts, corrections, health, imports, keys, mapping, quarantine, snippet, sources
from ingestion.webhooks import link_api, receiving

app_name = "ingestion"
urlpatterns: list[URLPattern] = [
    path("cdp.js", snippet.show, name="snippet"),
    path("v1/batch", tracking_api.batch, name="tracking_batch"),
    path("v1/b", tracking_api.batch, name="tracking_batch"),
    path("v1/import", tracking_api.batch, {"is_history": True}, name="tracking_import"),
    re_path(rf"^v1/(?P<kind>{'|'.join(messages.TYPES)})$", tracking_api.call, name="tracking_call"),
    re_path(rf"^v1/(?P<kind>[{''.join(tracking_api.SHORT_NAMES)}])$", tracking_api.call, name="tracking_call"),
    path("v1/line/link-nonce", link_api.make_nonce, name="line_link_nonce"),
    path("webhooks/<str:token>", receiving.receive, name="receive_webhook"),
    path("sources/", sources.list_sources, name="sources"),
    path("sources/new/", sources.create, name="new_source"),
    path("sources/<int:source_id>/", sources.show, name="source"),
    path("sources/alerts/", alerts.list_alerts, name="alerts"),
    path("sources/alerts/home/", alerts.show_on_home, name="alerts_on_home"),
    path("sources/alerts/count/", alerts.count_open, name="alert_count"),
    path("sources/alerts/<int:alert_id>/acknowledge/", alerts.acknowledge, name="acknowledge_alert"),
    path("sources/alerts/recipients/", alerts.list_recipients, name="alert_recipients"),
    path("sources/alerts/recipients/<int:recipient_id>/test/", alerts.send_test, name="test_alert_recipient"),
    path("sources/alerts/recipients/<int:recipient_id>/remove/", alerts.remove_recipient, name="remove_alert_recipient"),
    path("sources/retention/", health.keep_of_company, name="retention"),
    path("sources/retention/try/", health.try_out, name="try_retention"),
    path("sources/<int:source_id>/watch/", health.watch, name="source_watch"),
    path("sources/<int:source_id>/retention/", health.keep, name="source_retention"),
    path("sources/<int:source_id>/retention/try/", health.try_out, name="try_source_retention"),
    path("sources/<int:source_id>/rates/", sources.show_rates, name="source_rates"),
    path("sources/<int:source_id>/edit/", sources.edit, name="edit_source"),
    path("sources/<int:source_id>/keys/", keys.list_keys, name="keys"),
    path("sources/<int:source_id>/keys/<int:key_id>/revoke/", keys.revoke, name="revoke_key"),
    path("imports/", imports.list_imports, name="imports"),
    path("imports/new/", imports.upload, name="new_import"),
    path("imports/<uuid:import_id>/", imports.show, name="import"),
    path("imports/<uuid:import_id>/mapping/", mapping.remap, name="import_mapping"),
    path("imports/<uuid:import_id>/format/", mapping.correct, name="import_format"),
    path("imports/<uuid:import_id>/start/", mapping.start, name="import_start"),
    path("imports/<uuid:import_id>/progress/", imports.progress, name="import_progress"),
    path("imports/<uuid:import_id>/cancel/", imports.cancel, name="import_cancel"),
    path("quarantine/", quarantine.list_groups, name="quarantine"),
    path("quarantine/messages/<int:item_id>/", quarantine.look_into, name="look_into"),
    path("quarantine/messages/<int:item_id>/discard/", quarantine.discard, name="discard"),
    path("quarantine/rules/", corrections.list_rules, name="rules"),
    path("quarantine/rules/<uuid:key>/", corrections.edit_rule, name="rule"),
    path("quarantine/rules/<uuid:key>/switch/", corrections.switch_rule, name="switch_rule"),
    path("quarantine/rules/<uuid:key>/move/", corrections.move_rule, name="move_rule"),
    path("quarantine/replays/", corrections.list_replays, name="replays"),
    path("quarantine/replays/<uuid:replay_id>/undo/", corrections.undo_replay, name="undo_replay"),
    path("quarantine/<int:source_id>/<slug:reason>/", quarantine.show_group, name="quarantine_group"),
    path("quarantine/<int:source_id>/<slug:reason>/rule/", corrections.new_rule, name="new_rule"),
    path("quarantine/<int:source_id>/<slug:reason>/replay/", corrections.replay, name="replay"),
    path("quarantine/<int:source_id>/<slug:reason>/discard/", quarantine.discard_group, name="discard_group"),
]
