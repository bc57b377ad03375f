"""Another system reports for its people: a real server, and two clients from outside."""

from __future__ import annotations

import itertools
import warnings
from io import BytesIO
from typing import Any

import pytest
import requests
from georeport import GeoReport

from tests.factories import make_photo
from tests.servers import Server

pytestmark = pytest.mark.django_db

# A street in the town of David, Chiriquí; no other case is there.
LONGITUDE, LATITUDE = -82.4334, 8.4271
BOX = f"{LONGITUDE - 0.01},{LATITUDE - 0.01},{LONGITUDE + 0.01},{LATITUDE + 0.01}"
TREE = "MUN-06"
PATIENCE = 30  # seconds


@pytest.fixture
def three(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of Python 2's time: what it misses is put where it looks for it."""
    monkeypatch.setattr(itertools, "ifilter", filter, raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what its time wrote in texts
        from three import Three

    return Three(f"{server.url}/open311/v2", api_key=key_of(server, "Una app"))


def key_of(server: Server, name: str, entity: str = "") -> str:
    told = server.manage(
        "shell",
        "--no-imports",
        "-c",
        "from backend.accounts.api_keys import issue_key\n"
        "from provinces.models import Entity\n"
        f"entity = Entity.objects.filter(pk={entity!r}).first()\n"
        f"print(issue_key({name!r}, entity=entity).secret)",
    )
    return told.split()[-1]


def photo() -> BytesIO:
    file = make_photo((1200, 900))
    file.name = "arbol.jpg"
    return file


def heat(server: Server, state: str) -> Any:
    found = server.get_json(f"/api/v1/heat/?bbox={BOX}&zoom=14&state={state}")
    return found["total"]


def test_what_another_system_reports_is_on_the_map_and_resolved_by_a_third(
    server: Server, three: Any
) -> None:
    reader = GeoReport(f"{server.url}/open311/v2")
    by_xml = GeoReport(f"{server.url}/open311/v2", output_format="xml")

    # An app finds the endpoint, and what can be reported on that street.
    (endpoint,) = three.discovery()["endpoints"]
    assert endpoint["url"] == three.endpoint.rstrip("/")
    here = {"lat": LATITUDE, "long": LONGITUDE}
    assert TREE in {one["service_code"] for one in three.services(**here)}
    (service,) = [x for x in reader.get_service_list() if x["service_code"] == TREE]
    assert service["metadata"] is False
    (same,) = [x for x in by_xml.get_service_list() if x["service_code"] == TREE]
    assert same["service_name"] == service["service_name"]
    assert reader.get_service_definition(TREE)["attributes"] == []

    # Somebody reports with it, with a photo.
    said = {"description": "Un árbol está por caer", "report_id": "app-1", **here}
    (receipt,) = three.post(TREE, media=photo(), **said)
    number = receipt["service_request_id"]
    (again,) = three.post(TREE, media=photo(), **said)
    assert again["service_request_id"] == number
    server.do_jobs()

    # It is a case like any other: with its answerer, its page and its heat.
    case = server.get_json(f"/api/v1/cases/{number}/")
    assert case["description"] == said["description"]
    assert case["entity"]["name"] == "Municipio de David"
    assert [one["of"] for one in case["photos"]] == ["received"]
    assert (heat(server, "open"), heat(server, "resolved")) == (1, 0)
    assert server.send(f"/casos/{number}").status == 200

    # Both clients read it, in both formats.
    (row,) = three.request(number)
    assert (row["lat"], row["long"]) == (LATITUDE, LONGITUDE)
    assert reader.get_service_request(number) == row
    assert by_xml.get_service_request(number)["status"] == "open"
    found = reader.get_service_requests(service_code=TREE, status="open")
    assert found == [row]
    assert (
        by_xml.get_service_requests(service_code=TREE)["media_url"] == row["media_url"]
    )
    assert three.requests(TREE, start="01-01-2026", count=5) == [
        {"code": 400, "description": "end_date: el período no pasa de 90 días."}
    ]
    image = requests.get(row["media_url"], timeout=PATIENCE)
    assert image.headers["Content-Type"] == "image/jpeg"

    # The municipality's own system has done the work.
    done = requests.post(
        f"{server.url}/open311/v2/servicerequestupdates.xml",
        {
            "api_key": key_of(server, "Sistema de David", case["entity"]["code"]),
            "service_request_id": number,
            "status": "FIXED",
            "description": "Se taló y se retiró",
        },
        timeout=PATIENCE,
    )
    assert done.status_code == 200, done.text
    assert (heat(server, "open"), heat(server, "resolved")) == (0, 1)
    closed = reader.get_service_request(number)
    assert closed["status"] == "closed"
    assert closed["status_notes"] == "Resuelto: Se taló y se retiró"
    updates = server.get_json("/open311/v2/servicerequestupdates.json")
    assert [line["status"] for line in updates] == ["FIXED"]


def test_without_a_key_both_sides_are_told_why(server: Server, three: Any) -> None:
    three.api_key = "no"
    (error,) = three.post(TREE, lat=LATITUDE, long=LONGITUDE)
    assert error["code"] == 403
    assert three.post_response.status_code == 403
    assert "api_key" not in server.log.read_text()
