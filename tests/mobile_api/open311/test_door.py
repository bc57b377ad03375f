"""What every address of Open311 does."""

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from mobile_api.open311.door import Door
from tests.factories import make_case
from tests.mobile_api.open311.schemas import DISCOVERY, ERRORS, SERVICES
from tests.mobile_api.open311.speaking import (
    BASE,
    NOBODY,
    ask,
    refused,
    request_form,
    send,
    the_same,
    valid,
)

pytestmark = pytest.mark.usefixtures("squares")


def test_discovery_says_where_the_endpoint_is_and_in_which_formats(settings):
    settings.OPEN311_CONTACT = "open311@example.org"
    told = ask("/open311/discovery", DISCOVERY)
    (endpoint,) = told["endpoints"]
    assert endpoint["url"] == "http://localhost/open311/v2"
    assert endpoint["formats"] == ["text/xml", "application/json"]
    assert "open311@example.org" in told["key_service"]
    assert ask("/open311/v2/discovery", DISCOVERY) == told


def test_without_an_extension_the_answer_is_json():
    assert valid(NOBODY.get(f"{BASE}services"), SERVICES)
    assert valid(NOBODY.get(f"{BASE}requests/x"), ERRORS)


@pytest.mark.parametrize("path", ["services.yaml", "", "nada", "requests.json/", "v2"])
def test_where_there_is_nothing_it_says_so_in_open311_s_words(path):
    for method in ("get", "post", "put"):
        answer = getattr(NOBODY, method)(BASE + path)
        assert answer.status_code == 404
        assert valid(answer, ERRORS)[0]["code"] == 404


def test_where_there_is_nothing_in_xml_it_says_so_in_xml():
    refused("nada", 404)


def test_no_token_is_ever_there():
    assert refused("tokens/123", 404)[0]["code"] == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused_in_both_formats(method):
    call = getattr(NOBODY, method)
    as_xml, as_json = call(f"{BASE}requests.xml"), call(f"{BASE}requests.json")
    assert (as_xml.status_code, as_json.status_code) == (405, 405)
    assert as_xml["Allow"] == "GET, POST, HEAD, OPTIONS"
    the_same(as_xml, as_json, ERRORS)
    assert NOBODY.post(f"{BASE}services.json").status_code == 405


def test_no_cookie_is_asked_for_and_none_is_needed(key):
    """A form from another system has no token of Django's."""
    strict = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    answer = strict.post(f"{BASE}requests.json", request_form(key))
    assert answer.status_code == 200
    assert strict.post(f"{BASE}nada.json").status_code == 404


def test_a_page_of_another_site_may_read_and_is_told_so():
    answer = NOBODY.options(f"{BASE}services.json")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert "Access-Control-Allow-Headers" not in answer
    errors = NOBODY.get(f"{BASE}requests.json?page=x")
    assert errors["Access-Control-Allow-Origin"] == "*"
    assert errors["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["requests", "servicerequestupdates"])
def test_a_page_of_another_site_with_a_key_may_send_and_is_told_so(key, path):
    answer = NOBODY.options(f"{BASE}{path}.json")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Access-Control-Allow-Methods"] == "GET, POST, HEAD"
    assert answer["Access-Control-Allow-Headers"] == "Content-Type"
    assert answer["Allow"] == "GET, POST, HEAD, OPTIONS"
    case = make_case(filed_at=timezone.now())
    form = request_form(key, service_request_id=case.number, description="Hueco")
    for status, sent in ((200, form), (403, {**form, "api_key": ""})):
        told = send(sent, path)
        assert told.status_code == status
        assert told["Access-Control-Allow-Origin"] == "*"


def test_an_answer_has_one_tag_zipped_or_not_and_still_known():
    """A weak one: its bytes are the same only once they are unzipped."""
    address = f"{BASE}services.json"
    plain = NOBODY.get(address)
    zipped = NOBODY.get(address, headers={"Accept-Encoding": "gzip"})
    assert (plain.get("Content-Encoding"), zipped["Content-Encoding"]) == (None, "gzip")
    tag = zipped["ETag"]
    known = NOBODY.get(address, headers={"If-None-Match": tag})
    assert known.status_code == 304
    assert {plain["ETag"], tag, known["ETag"]} == {tag}
    assert tag.startswith('W/"')


def test_an_error_of_ours_stays_an_error():
    class Broken(Door):
        root = "services"

        def read(self, request, **path):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Broken.as_view()(RequestFactory().get("/"))
