"""Addresses of the segments app."""

from django.urls import path

from segments.views import exports, library, scripts, sent, writing

app_name = "segments"
urlpatterns = [
    path("segments/", library.list_segments, name="segments"),
    path("segments/recent/", library.show_recent, name="recent"),
    path("segments/new/", writing.create, name="create"),
    path("segments/draft/", writing.show_draft, name="draft"),
    path("segments/summary/", writing.show_summary, name="summary"),
    path("segments/values/", writing.list_values, name="values"),
    path("segments/scripts/", scripts.list_scripts, name="scripts"),
    path("segments/scripts/<int:script_id>/move/", scripts.move, name="move_script"),
    path("segments/<uuid:segment_id>/script/", scripts.write, name="script"),
    path("segments/<uuid:segment_id>/", library.show, name="segment"),
    path("segments/<uuid:segment_id>/size/", library.show_size, name="size"),
    path("segments/<uuid:segment_id>/members/", library.list_members, name="members"),
    path("segments/<uuid:segment_id>/edit/", writing.change, name="change"),
    path("segments/<uuid:segment_id>/delete/", library.delete, name="delete"),
    path("segments/<uuid:segment_id>/export/", exports.ask, name="export"),
    path("segments/<uuid:segment_id>/export/preview/", exports.preview, name="export_preview"),
    path("segments/<uuid:segment_id>/export/download/", exports.download, name="export_download"),
    path("customers/<uuid:public_id>/segments/", library.show_of_profile, name="of_profile"),
    path("customers/<uuid:public_id>/script/", scripts.show_best, name="script_of_profile"),
    path("customers/<uuid:public_id>/script/<int:script_id>/why/", scripts.show_why, name="script_why"),
    path("customers/<uuid:public_id>/sent/<uuid:touchpoint_id>/", sent.why, name="sent"),
    path(
        "customers/<uuid:public_id>/sent/<uuid:touchpoint_id>/withdraw/<slug:purpose>/", sent.withdraw, name="withdraw"
    ),
]
