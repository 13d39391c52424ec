"""Addresses of the profiles app."""

from django.urls import path

from profiles.views import catalogue, customer, explanation, found, merging, notes, pins, review, search

app_name = "profiles"
urlpatterns = [
    path("customers/", search.list_customers, name="customers"),
    path("customers/search/", search.search, name="search"),
    path("customers/suggest/", search.suggest, name="suggest"),
    path("customers/recent/", customer.show_recent, name="recent"),
    path("customers/<uuid:public_id>/", customer.show, name="customer"),
    path("customers/<uuid:public_id>/timeline/", customer.show_timeline, name="timeline"),
    path("customers/<uuid:public_id>/records/", customer.show_records, name="records"),
    path("customers/<uuid:public_id>/notes/", notes.show, name="notes"),
    path("customers/<uuid:public_id>/notes/add/", notes.add, name="add_note"),
    path("customers/<uuid:public_id>/pin/", pins.pin, name="pin"),
    path("customers/<uuid:public_id>/unpin/", pins.unpin, name="unpin"),
    path("customers/<uuid:public_id>/explanation/", explanation.show, name="explanation"),
    path("customers/<uuid:public_id>/household/", explanation.show_household, name="household"),
    path("customers/<uuid:public_id>/verify/", explanation.verify, name="verify"),
    path("customers/<uuid:public_id>/unverify/", explanation.take_back, name="unverify"),
    path("customers/<uuid:public_id>/merge/", merging.choose, name="merge_choose"),
    path("customers/<uuid:public_id>/merge/<uuid:other_id>/", merging.merge, name="merge"),
    path("customers/<uuid:public_id>/unmerge/", merging.unmerge, name="unmerge"),
    path("found/", found.show, name="found"),
    path("found/<uuid:operation_id>/", found.show_import, name="found_by_import"),
    path("products/", catalogue.list_products, name="products"),
    path("products/words/", catalogue.list_words, name="words"),
    path("products/words/new/", catalogue.new_word, name="new_word"),
    path("products/words/<int:term_id>/", catalogue.edit_word, name="edit_word"),
    path("products/words/<int:term_id>/remove/", catalogue.remove_word, name="remove_word"),
    path("customers/revert/<uuid:operation_id>/", merging.revert, name="revert"),
    path("matching/", review.enter, name="matching"),
    path("matching/review/", review.show, name="review"),
    path("matching/review/count/", review.count, name="review_count"),
]
