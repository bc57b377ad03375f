"""A robot that asks first is told what is for it and what is not."""

from __future__ import annotations

from urllib.robotparser import RobotFileParser

import pytest
from django.test import Client
from django.urls import resolve

from map_views.robots import FOR_PROGRAMS

pytestmark = pytest.mark.django_db
DOORS = [
    "/tiles/heat/7/36/61.mvt",
    "/ogc/collections/cases/items",
    "/data/cases.csv",
    "/data/cases.geojson",
    "/api/v1/heat/",
    "/open311/v2/requests.json",
    "/mapa-analista/mapa.html",
    "/admin/",
]


@pytest.fixture
def robot(phone: Client) -> RobotFileParser:
    answer = phone.get("/robots.txt")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    parser = RobotFileParser()
    parser.parse(answer.content.decode().splitlines())
    return parser


@pytest.mark.parametrize(
    "page", ["/", "/?desde=2026-01", "/casos/26-0000123-2", "/data/", "/reportar"]
)
def test_pages_for_people_may_be_read(robot, page):
    assert robot.can_fetch("any", page)
    resolve(page.partition("?")[0])


@pytest.mark.parametrize("door", DOORS)
def test_doors_that_lead_through_all_cases_may_not(robot, door):
    assert not robot.can_fetch("any", door)
    resolve(door)


def test_every_line_is_of_a_door_that_is_tried_above(robot):
    assert len(robot.default_entry.rulelines) == len(FOR_PROGRAMS)
    for line in FOR_PROGRAMS:
        assert any(door.startswith(line) for door in DOORS), line
