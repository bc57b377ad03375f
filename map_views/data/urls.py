"""The addresses under /data/."""

from django.urls import path

from map_views.data import answers, build_pages, pages, streams

urlpatterns = [
    path("", pages.index, name="data-index"),
    path("cases", pages.choose, name="data-choose"),
    path(
        "cases.geojson",
        streams.cases,
        {"extension": "geojson"},
        name="cases-geojson",
    ),
    path("cases.<slug:extension>", streams.cases, name="data-cases"),
    path("withdrawals.csv", streams.withdrawals, name="data-withdrawals"),
    path("builds/<uuid:key>", build_pages.build_page, name="data-build"),
    path("builds/<uuid:key>.json", build_pages.build_state, name="data-build-state"),
    path("files/<uuid:key>/<str:name>", build_pages.data_file, name="data-file"),
    path("dictionary", pages.dictionary_page, name="data-dictionary"),
    path("dictionary.csv", pages.dictionary_csv, name="data-dictionary-csv"),
    path("dictionary.json", pages.dictionary_json, name="data-dictionary-json"),
    path("catalog.jsonld", pages.catalog_jsonld, name="data-catalog"),
    path("<path:rest>", answers.nothing, name="data-nothing"),
]
