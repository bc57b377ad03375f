"""The OpenAPI document says what the API does, and is the one that is committed."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.http import QueryDict
from django.test import Client
from openapi_spec_validator import validate

from backend.cases.handling import Transition, change_status
from backend.cases.workflow import CREW_MAY, Status
from map_views.heat_map import DEFAULT_ZOOM
from map_views.parameters import ZOOMS, Parameters
from mobile_api.citizens import (
    FlagSerializer,
    FollowSerializer,
    StepSerializer,
    SupportSerializer,
)
from mobile_api.crews import TransitionSerializer
from mobile_api.errors import ANSWERS
from mobile_api.reports import ContactSerializer, ReportSerializer
from mobile_api.schema_answers import REFUSALS
from mobile_api.schema_of_map import PATHS
from mobile_api.schemas import (
    ContactSchema,
    FlagSchema,
    FollowSchema,
    ReportFormSchema,
    ReportSchema,
    StepSchema,
    SupportSchema,
    TransitionFormSchema,
    TransitionSchema,
)
from mobile_api.urls import urlpatterns
from tests.factories import make_case, make_category, make_crew, make_photo
from tests.jobs import run_jobs
from tests.mobile_api.calls import (
    CATEGORIES,
    CONFIG,
    DEVICES,
    EXPLAIN,
    JSON,
    NEARBY,
    OWN_DEVICE,
    PLACE,
    PROOF,
    REPORTS,
    SIMILAR,
    TOKEN,
    citizens_phone,
    full_body,
    new_phone,
    phone_of,
    send,
    send_form,
    step_body,
    transition_body,
    transitions_of,
)

COMMITTED = Path(settings.BASE_DIR) / "mobile_api" / "openapi.yaml"


@pytest.fixture(scope="module")
def document():
    return yaml.safe_load(COMMITTED.read_text())


def test_the_committed_document_is_what_the_code_says(tmp_path):
    """Otherwise: ./run manage spectacular --file mobile_api/openapi.yaml"""
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", file=str(made), validate=True, fail_on_warn=True)
    assert made.read_text() == COMMITTED.read_text()


def test_anyone_may_read_the_document(phone, document):
    answer = phone.get("/api/v1/schema/")
    assert answer.status_code == 200
    assert yaml.safe_load(answer.content) == document
    as_json = phone.get("/api/v1/schema/", {"format": "json"})
    assert as_json.json() == document


def test_the_document_is_openapi(document):
    validate(document)
    assert document["openapi"].startswith("3.1.")


def test_every_address_of_the_api_is_described(document):
    described = {path.removeprefix("/api/v1/") for path in document["paths"]}
    routes = {
        re.sub(r"<str:(\w+)>", r"{\1}", str(url.pattern))
        for url in urlpatterns
        if url.name and url.name not in {"schema", "docs"}
    }
    # These are the map's, under the same roof.
    assert described == routes | {
        *("heat/", "heat/months/", "heat/places/", "places/search/"),
    }


def test_every_operation_says_what_it_refuses(document):
    operations = {
        (path, method)
        for path, methods in document["paths"].items()
        for method in methods
    }
    of_the_map = set(PATHS)
    assert operations == REFUSALS.keys() | {(path, "get") for path in of_the_map}
    for path, method in operations:
        refusals = [
            answer
            for status, answer in document["paths"][path][method]["responses"].items()
            if status >= "400"
        ]
        assert refusals
        for answer in refusals:
            assert answer["description"]
            assert answer["content"].keys() == {"application/problem+json"}


def test_what_is_asked_for_and_what_is_answered_is_put_in_words(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            said = [operation, *operation["responses"].values()]
            said += operation.get("parameters", [])
            for one in said:
                assert one.get("description"), (path, method, one)
            needs_a_phone = "`device-required`" in str(operation["responses"])
            assert ({} in operation["security"]) <= (not needs_a_phone)


def test_every_refusal_of_the_contract_is_described(document):
    responses = document["paths"][REPORTS]["post"]["responses"]
    for status, kind in [
        ("400", "invalid-body"),
        ("400", "malformed-body"),
        ("401", "device-revoked"),
        ("403", "proof-required"),
        ("409", "report-id-reused"),
        ("413", "body-too-large"),
        ("413", "image-too-large"),
        ("415", "unsupported-media-type"),
        ("422", "contact-required"),
        ("422", "not-an-image"),
        ("422", "outside-panama"),
        ("422", "unknown-category"),
        ("429", "too-many-requests"),
    ]:
        assert f"`{kind}`" in responses[status]["description"]
    assert all(error in ANSWERS for errors in REFUSALS.values() for error in errors)


@pytest.mark.parametrize("path", [REPORTS, transitions_of("{number}")])
def test_both_kinds_of_body_are_described(document, path):
    body = document["paths"][path]["post"]["requestBody"]["content"]
    assert body.keys() == {"application/json", "multipart/form-data"}
    plain, form = (resolved(kind["schema"], document) for kind in body.values())
    photos = form["properties"]["photo"]
    assert "photo" not in plain["properties"]
    assert photos["maxItems"] == 4
    assert photos["items"] == {"type": "string", "format": "binary"}
    assert plain["properties"].keys() | {"photo"} == form["properties"].keys()
    assert plain["required"] == form["required"]


@pytest.mark.parametrize(
    ("schema", "serializer"),
    [
        (ReportFormSchema, ReportSerializer),
        (TransitionFormSchema, TransitionSerializer),
        (ContactSchema, ContactSerializer),
        (SupportSchema, SupportSerializer),
        (FollowSchema, FollowSerializer),
        (FlagSchema, FlagSerializer),
        (StepSchema, StepSerializer),
    ],
)
def test_what_is_described_is_what_is_read(schema, serializer):
    described, read = schema().fields, serializer().fields
    assert described.keys() == read.keys()
    for name, field in read.items():
        assert described[name].required == field.required, name
        for bound in ("max_length", "min_value", "max_value", "allow_null"):
            if (name, bound) == ("contact", "allow_null"):
                continue  # In a form it is a text.
            ours = getattr(described[name], bound, None)
            assert ours == getattr(field, bound, None), (name, bound)
        choices = getattr(field, "choices", None)
        assert choices is None or described[name].choices == choices


@pytest.mark.parametrize(
    ("form", "plain"),
    [(ReportFormSchema, ReportSchema), (TransitionFormSchema, TransitionSchema)],
)
def test_a_form_holds_what_the_body_holds_and_photos(form, plain):
    assert form().fields.keys() == plain().fields.keys() | {"photo"}


def test_where_a_proof_may_be_asked_for_it_says_how_to_send_it(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            told = "`proof-required`" in str(operation["responses"].get("403"))
            names = [one["name"] for one in operation.get("parameters", [])]
            assert ("X-Proof" in names) == told, (path, method)


def test_a_crew_is_offered_what_it_may_do(document):
    to = resolved({"$ref": "#/components/schemas/TransitionSchema"}, document)
    offered = resolved(to["properties"]["to"], document)
    assert set(offered["enum"]) == CREW_MAY


def test_the_heat_is_asked_for_as_it_is_described(document):
    asked = set()

    class Recorded(QueryDict):
        def get(self, key, default=None):
            asked.add(key)
            return super().get(key, default)

        def getlist(self, key, default=None):
            asked.add(key)
            return super().getlist(key, default)

    parameters = Parameters(Recorded(""))
    parameters.filters()
    parameters.integer("zoom", DEFAULT_ZOOM, ZOOMS)
    described = {
        parameter["name"]: parameter["schema"]
        for parameter in document["paths"]["/api/v1/heat/"]["get"]["parameters"]
    }
    assert described.keys() == asked
    assert described["zoom"] == {
        "type": "integer",
        "minimum": ZOOMS.start,
        "maximum": ZOOMS.stop - 1,
        "default": DEFAULT_ZOOM,
    }


def test_what_is_answered_is_what_is_described(squares, document):
    phone = Client(HTTP_HOST="localhost")
    user = make_crew()
    user.is_staff = True
    user.save()
    crew = phone_of(user)
    private = make_category("P-1", private=True, precision="none")
    hidden = make_case(category=private, photos=[make_photo()])
    near_border = {"type": "Point", "coordinates": [-79.9001, 8.55]}
    filed = send_form(phone, full_body(location=near_border, accuracy=50), make_photo())
    run_jobs()
    number, pin = filed.json()["number"], filed.json()["pin"]
    case, own_case = f"/api/v1/cases/{number}/", f"/api/v1/cases/{hidden.number}/"
    here: dict[str, Any] = {"lat": 8.55, "lon": -79.9, "limit": 1}
    explain: dict[str, Any] = {"lat": 8.55, "lon": -79.95, "category": "PRU-01"}
    credentials = {"username": "cuadrilla", "password": "clave-de-prueba-311"}

    told: dict[Any, bool] = {}

    def check(answer: Any, path: str, method: str = "get") -> None:
        described = document["paths"][path][method]["responses"][
            str(answer.status_code)
        ]
        for name in described.get("headers", {}):
            key = (path, method, answer.status_code, name)
            told[key] = told.get(key, False) or name in answer
        if answer.status_code == 304:
            return  # nothing but headers
        schema = described["content"][answer["Content-Type"]]["schema"]
        assert list(misfits(answer.json(), schema, document)) == []

    check(filed, REPORTS, "post")
    check(send(phone, {}), REPORTS, "post")
    check(send(phone, full_body(category="NADA")), REPORTS, "post")
    check(phone.get(case), "/api/v1/cases/{number}/")
    check(phone.get(case, {"pin": pin}), "/api/v1/cases/{number}/")
    check(phone.get(own_case, {"pin": hidden.pin}), "/api/v1/cases/{number}/")
    check(phone.get(own_case), "/api/v1/cases/{number}/")
    check(crew.get(NEARBY, here), NEARBY)
    check(crew.get(NEARBY), NEARBY)
    step = transition_body("resolved", note="Listo")
    check(send(crew, step, transitions_of(number)), transitions_of("{number}"), "post")
    change_status(hidden, Transition(Status.RESOLVED), None)
    nearby_one = make_case(photos=[make_photo()])
    check(phone.get(SIMILAR, explain), SIMILAR)
    check(phone.get(SIMILAR), SIMILAR)
    mine, its = citizens_phone(), "/api/v1/cases/{number}/"
    for what, said in (
        ("follow", {"on": True}),
        ("support", {}),
        ("flag", {"reason": "other"}),
    ):
        sent = send(mine, step_body(**said), f"{its}{what}/".format(number=nearby_one))
        assert sent.status_code == 201
        check(sent, f"{its}{what}/", "post")
        check(
            send(phone, step_body(**said), case + f"{what}/"), f"{its}{what}/", "post"
        )
    reporter = citizens_phone(hidden.pin)
    for what in ("reopen", "answer", "cancel", "confirm"):
        stale = {"If-Match": '"1"'} if what == "confirm" else {}
        sent = send(reporter, step_body("Nota."), f"{own_case}{what}/", headers=stale)
        assert sent.status_code == {"answer": 409, "confirm": 412}.get(what, 201)
        check(sent, f"{its}{what}/", "post")
    check(crew.get(EXPLAIN, explain), EXPLAIN)
    check(phone.get(EXPLAIN, explain), EXPLAIN)
    check(send(phone, credentials, TOKEN), TOKEN, "post")
    check(phone.get(CATEGORIES), CATEGORIES)
    check(phone.get(CATEGORIES, here), CATEGORIES)
    check(phone.get(CATEGORIES, {"lat": "x"}), CATEGORIES)
    check(phone.get(PLACE, {**here, "accuracy": 50}), PLACE)
    check(phone.get(PLACE, {"lat": 0, "lon": 0}), PLACE)
    check(phone.get(CONFIG), CONFIG)
    check(phone.get(PROOF), PROOF)
    check(send(phone, {}, DEVICES), DEVICES, "post")
    check(send(phone, full_body(elapsed=0)), REPORTS, "post")
    check(phone.get(OWN_DEVICE), OWN_DEVICE)
    device = new_phone()
    check(device.get(OWN_DEVICE), OWN_DEVICE)
    patched = device.patch(OWN_DEVICE, '{"language": "en"}', content_type=JSON)
    check(patched, OWN_DEVICE, "patch")
    check(phone.get("/api/v1/heat/"), "/api/v1/heat/")
    check(phone.get("/api/v1/heat/", {"zoom": "x"}), "/api/v1/heat/")
    for path in ("/api/v1/heat/months/", "/api/v1/heat/places/"):
        answer = phone.get(path)
        check(answer, path)
        tag = {"If-None-Match": answer["ETag"]}
        check(phone.get(path, headers=tag), path)
    search = "/api/v1/places/search/"
    check(phone.get(search, {"q": "naso"}), search)
    check(phone.get(search, {"q": "x" * 81}), search)
    assert all(told.values()), told


def resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].split("/")[-1]]
    return schema


TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def misfits(value: Any, schema: dict[str, Any], document: dict[str, Any], path=""):
    """Where a value is not as described; unlike in JSON Schema, a name that is not
    described is a misfit too."""
    schema = resolved(schema, document)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            found = [[*misfits(value, one, document, path)] for one in schema[several]]
            yield from min(found, key=len)
            return
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not any(type(value) in TYPES[kind] for kind in kinds):
        yield f"{path}: {value!r} is no {kinds}"
    elif value not in schema.get("enum", [value]):
        yield f"{path}: {value!r} is none of {schema['enum']}"
    elif isinstance(value, dict):
        yield from misfits_of_object(value, schema, document, path)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from misfits(inner, schema["items"], document, f"{path}/{place}")


def misfits_of_object(value, schema, document, path):
    for name in set(schema.get("required", [])) - value.keys():
        yield f"{path}/{name} is missing"
    for name, inner in value.items():
        if name in schema["properties"]:
            described = schema["properties"][name]
            yield from misfits(inner, described, document, f"{path}/{name}")
        else:
            yield f"{path}/{name} is not described"
