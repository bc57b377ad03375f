"""What becomes of the phone's own cases, and what one does with them from there."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.line import Fault, Line
from tests.browser.phone_app import items, states, write_and_send
from tests.servers import Server, wait_until

pytestmark = pytest.mark.django_db

ACT = """async ([number, action, note]) => {
  const { act } = await window.module("my_cases");
  return act(number, action, note).catch((problem) => problem.type || problem.name);
}"""
ROW = """async (number) => (await window.module("store")).cases.get(number)"""


def filed(app: Page) -> str:
    write_and_send(app)
    wait_until(lambda: set(states(app)) == {"done"}, "it is filed")
    return str(items(app)[-1]["receipt"]["number"])


def row(app: Page, number: str) -> Any:
    return app.evaluate(ROW, number)


def lines(site: Server, number: str) -> list[str]:
    found = site.rows(
        "SELECT h.status FROM cases_statuschange h JOIN cases_case c ON c.id = h.case_id"
        " WHERE c.number = %s ORDER BY h.id",
        number,
    )
    return [status for (status,) in found]


def test_a_case_is_withdrawn_once_though_the_answer_is_lost(
    app: Page, line: Line, site: Server
) -> None:
    number = filed(app)
    app.evaluate("async (n) => (await window.module('my_cases')).refresh(n)", number)
    line.faults.append(Fault("POST", "/cancel/$"))

    first = app.evaluate(ACT, [number, "cancel", "Ya lo taparon"])
    again = app.evaluate(ACT, [number, "cancel", "Ya lo taparon"])

    assert first == "Offline"
    assert again["number"] == number
    assert lines(site, number) == ["received", again["status"]]
    assert row(app, number)["view"]["status"] == again["status"]


def test_a_case_that_changed_meanwhile_is_shown_before_one_acts_on_it(
    app: Page, site: Server
) -> None:
    number = filed(app)
    app.evaluate("async (n) => (await window.module('my_cases')).refresh(n)", number)
    site.manage(
        "shell",
        "-c",
        "from backend.cases.handling import Transition, change_status;"
        "from backend.cases.models import Case;"
        "from backend.cases.workflow import Status;"
        f"case = Case.objects.get(number='{number}');"
        "change_status(case, Transition(Status.ASSIGNED), by=None)",
    )

    refusal = app.evaluate(ACT, [number, "cancel", "Ya no"])

    assert refusal == "changed-meanwhile"
    assert row(app, number)["view"]["status"] == "assigned"
    assert lines(site, number) == ["received", "assigned"]
    assert app.evaluate("async () => (await window.module('my_cases')).unread()") == 1


def test_somebody_else_s_case_is_supported_once_and_followed(
    app: Page, site: Server
) -> None:
    # Phones of other tests may have supported it before.
    ((number, before),) = site.rows(
        "SELECT number, (SELECT count(*) FROM cases_support WHERE case_id = c.id)"
        " FROM cases_case c WHERE demo AND is_public ORDER BY id LIMIT 1"
    )

    said = app.evaluate(
        """async (number) => {
          const { support } = await window.module("my_cases");
          await support(number);
          return support(number);
        }""",
        number,
    )

    assert said == {"supports": before + 1, "following": True}
    assert row(app, number)["following"] is True
    assert row(app, number)["own"] is False


def test_a_push_says_what_it_has_to_say_and_leads_to_the_case(
    app: Page, handset: BrowserContext, line: Line
) -> None:
    handset.grant_permissions(["notifications"])
    browser = handset.new_cdp_session(app)
    told: list[dict[str, Any]] = []
    browser.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda news: told.extend(news["registrations"]),
    )
    browser.send("ServiceWorker.enable")
    while not told:
        app.wait_for_timeout(50)
    browser.send(
        "ServiceWorker.deliverPushMessage",
        {
            "origin": line.url,
            "registrationId": told[0]["registrationId"],
            "data": '{"title": "Su caso cambió", "body": "Resuelto", "tag": "t",'
            ' "number": "26-0000123-2"}',
        },
    )

    shown: list[dict[str, Any]] = []
    while not shown:
        app.wait_for_timeout(50)
        shown = app.evaluate(
            """async () => (await (await navigator.serviceWorker.ready).getNotifications())
                 .map(({ title, body, data }) => ({ title, body, ...data }))"""
        )
    assert shown == [
        {
            "title": "Su caso cambió",
            "body": "Resuelto",
            "address": "/reportar#/casos/26-0000123-2",
        }
    ]


def test_a_browser_whose_push_service_does_not_answer_is_told_so(
    app: Page, handset: BrowserContext
) -> None:
    handset.grant_permissions(["notifications"])
    app.evaluate(
        """() => {
          PushManager.prototype.subscribe = () =>
            Promise.reject(new DOMException("push service error", "AbortError"));
        }"""
    )
    app.goto("/reportar#/ajustes")
    app.get_by_role("button", name="Encender los avisos").click()

    told = app.get_by_text("El servicio de avisos de su navegador no respondió.")
    expect(told).to_be_visible()
    expect(app.get_by_text("Los avisos están apagados.")).to_be_visible()
