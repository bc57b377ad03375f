"""What can be reported through Open311."""

import pytest

from backend.cases.models import Category
from tests.factories import (
    EAST,
    WEST,
    make_category,
    make_duty,
    make_entity,
    make_jurisdiction,
)
from tests.mobile_api.open311.schemas import DEFINITION, LOCATION, SERVICES
from tests.mobile_api.open311.speaking import NOBODY, ask, refused

pytestmark = pytest.mark.usefixtures("squares")


def codes(**query) -> set[str]:
    return {service["service_code"] for service in ask("services", SERVICES, **query)}


def test_a_service_is_told_as_the_standard_wants_it():
    make_category(
        "PRU-02",
        keywords="hueco;bache",
        emergency_es="Si hay peligro, llame al 911.",
        sla_amount=24,
        sla_unit=Category.SlaUnit.HOURS,
    )
    services = {one["service_code"]: one for one in ask("services", SERVICES)}
    assert services["PRU-02"] == {
        "service_code": "PRU-02",
        "service_name": "Categoría PRU-02",
        "description": "Si hay peligro, llame al 911. Plazo: 24 horas.",
        "metadata": False,
        "type": "realtime",
        "keywords": "hueco,bache",
        "group": "Pruebas",
    }


def test_the_shipped_catalogue_is_told_whole_but_for_what_is_private():
    public = Category.objects.filter(active=True, private=False)
    assert codes() == set(public.values_list("pk", flat=True))
    assert Category.objects.filter(private=True, active=True).exists()


def test_whoever_reads_english_gets_english_names():
    answer = NOBODY.get("/open311/v2/services.json", headers={"Accept-Language": "en"})
    names = {one["service_code"]: one["service_name"] for one in answer.json()}
    assert names["PRU-01"] == "Category PRU-01"
    assert "Accept-Language" in answer["Vary"]


def test_at_a_place_there_is_what_somebody_answers_for():
    duty = make_duty("of-the-west")
    make_jurisdiction(duty, make_entity(), "district", "9001")
    make_category("OES-01", duty=duty)
    west = codes(lat=WEST[1], long=WEST[0])
    east = codes(lat=EAST[1], long=EAST[0])
    assert west - east == {"OES-01"}
    assert "PRU-01" in east
    assert codes(lat=0, long=0) == set()


def test_half_a_place_is_none():
    (error,) = refused("services", 400, lat=8.5)
    assert error["code"] == 400
    assert error["description"].startswith("long: ")


def test_a_definition_has_no_attributes_and_is_an_object():
    assert ask("services/PRU-01", DEFINITION) == {
        "service_code": "PRU-01",
        "attributes": [],
    }


def test_an_unknown_a_retired_and_a_private_service_are_not_there():
    make_category("PRU-08", private=True, precision="none")
    make_category("PRU-09", active=False)
    for code in ("PRU-08", "PRU-09", "NADA", "%00"):
        (error,) = refused(f"services/{code}", 404)
        assert error["code"] == 404
        assert error["description"].startswith("service_code: ")


def test_a_client_that_has_the_list_is_not_told_again():
    first = NOBODY.get("/open311/v2/services.xml")
    assert "max-age=300" in first["Cache-Control"]
    again = NOBODY.get(
        "/open311/v2/services.xml", headers={"If-None-Match": first["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_a_point_is_accepted_in_panama_and_nowhere_else():
    told = ask("location", LOCATION, lat=WEST[1], long=WEST[0])
    assert told == {
        "accepted": True,
        "address": "Oeste Uno, Oeste, Cuadrados",
        "address_id": "900101",
    }
    assert not ask("location", LOCATION, lat=0, long=0)["accepted"]
    assert refused("location", 400)[0]["description"].startswith("lat: ")
