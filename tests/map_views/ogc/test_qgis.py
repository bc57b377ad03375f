"""/ogc/311-movil.qgz: a project that QGIS opens on this service."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest

from map_views.ogc.collections import COLLECTIONS

PROJECT = "/ogc/311-movil.qgz"


@pytest.fixture
def project(phone, db):
    answer = phone.get(PROJECT)
    assert answer.status_code == 200
    assert "311-movil.qgz" in answer["Content-Disposition"]
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        (name,) = archive.namelist()
        assert name.endswith(".qgs")
        text = archive.read(name).decode()
    assert text.startswith("<!DOCTYPE qgis PUBLIC")
    return ET.fromstring(text)  # noqa: S314


def test_its_layers_are_the_collections_of_this_service(phone, project):
    layers = project.findall("projectlayers/maplayer")
    read = {}
    for layer in layers:
        assert layer.findtext("provider") == "OAPIF"
        source = dict(re.findall(r"(\w+)='([^']*)'", layer.findtext("datasource")))
        assert source["url"] == "http://localhost/ogc/"
        assert source["restrictToRequestBBOX"] == "1"
        read[source["typename"]] = layer
        assert phone.get(f"/ogc/collections/{source['typename']}").status_code == 200
    assert read.keys() == COLLECTIONS.keys()
    assert phone.get("/ogc/").status_code == 200


def test_its_tree_its_order_and_its_layers_name_the_same(project):
    layers = [layer.findtext("id") for layer in project.iter("maplayer")]
    assert [node.get("id") for node in project.iter("layer-tree-layer")] == layers
    assert [node.get("id") for node in project.findall("layerorder/layer")] == layers
    # QGIS gives a shorter one another name, which the tree does not know.
    assert all(len(layer) > 10 for layer in layers)


def test_open_and_resolved_are_told_apart_and_each_rule_has_its_symbol(project):
    (renderer,) = (
        found
        for found in project.iter("renderer-v2")
        if found.get("type") == "RuleRenderer"
    )
    rules = renderer.findall("rules/rule")
    symbols = {symbol.get("name"): symbol for symbol in renderer.iter("symbol")}
    assert [rule.get("label") for rule in rules] == ["Abiertos", "Resueltos", "Otros"]
    colours = {
        symbols[rule.get("symbol")].find("layer/prop[@k='color']").get("v")
        for rule in rules
    }
    assert len(colours) == 3


def test_each_site_hands_out_its_own_and_the_same_file_each_time(phone, db, settings):
    settings.ALLOWED_HOSTS = ["localhost", "311.example"]
    ours = phone.get(PROJECT)
    assert phone.get(PROJECT).content == ours.content
    theirs = phone.get(PROJECT, headers={"Host": "311.example"}, secure=True)
    with zipfile.ZipFile(BytesIO(theirs.content)) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    assert "url='https://311.example/ogc/'" in text
    assert "localhost" not in text
