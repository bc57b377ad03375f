"""Nothing that a person sent is lost or doubled, whatever the line does."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.line import Fault, Line, Said, said
from tests.browser.phone_app import (
    SEND,
    flush,
    items,
    open_app,
    states,
    write,
    write_and_send,
)
from tests.browser.steps import Held, soon
from tests.servers import Server, wait_until

pytestmark = pytest.mark.django_db

REPORTS = r"/reports/$"
PHOTOS = r"/photos/[\w-]+/$"
PIECE = 512 * 1024
# Of a phone that is nearly full, in bytes: the app fits, and a report.
ROOM = 8_000_000
# As in the browsers that have no locks between tabs; nor does their worker send.
WITHOUT_LOCKS = """
Object.defineProperty(Navigator.prototype, "locks", { value: undefined });
Object.defineProperty(ServiceWorkerRegistration.prototype, "sync", { value: undefined });
"""


def reopened(page: Page) -> Page:
    """The app closed, and opened again on the same phone."""
    handset = page.context
    page.close()
    again = handset.new_page()
    again.goto("/reportar")
    return again


def back_on_the_line(handset: BrowserContext) -> None:
    handset.set_offline(True)
    handset.set_offline(False)


def cases_of(site: Server, written: list[dict[str, Any]]) -> list[str]:
    ids = [one["id"] for one in written]
    rows = site.rows(
        "SELECT number FROM cases_case WHERE report_id = ANY(%s::uuid[])", ids
    )
    return sorted(number for (number,) in rows)


def photo_status(line: Line, one: dict[str, Any]) -> dict[str, Any]:
    path = f"/api/v1/reports/{one['id']}/photos/{one['photo']}/"
    status: dict[str, Any] = line_get(line, path)
    return status


def line_get(line: Line, path: str) -> Any:
    with urllib.request.urlopen(line.url + path) as answer:  # noqa: S310
        return json.load(answer)


def test_five_reports_made_without_a_signal_arrive_once_whatever_happens(
    app: Page, handset: BrowserContext, line: Line, site: Server
) -> None:
    handset.set_offline(True)
    app.reload()
    written = [
        write_and_send(app, pieces=1.5, description=f"n.º {n}") for n in range(5)
    ]
    # A page loaded without a signal may try for a moment, before it knows.
    wait_until(lambda: states(app) == ["waiting"] * 5, "all wait")

    app = reopened(app)
    wait_until(lambda: states(app) == ["waiting"] * 5, "all wait still")

    line.down()
    handset.set_offline(False)
    wait_until(lambda: any(item["tries"] for item in items(app)), "it has tried")
    wait_until(lambda: states(app) == ["waiting"] * 5, "all of them wait again")

    line.up()
    line.faults += [
        Fault("POST", REPORTS),
        Fault("PUT", PHOTOS),
        Fault("PUT", PHOTOS, cut_after_bytes=100_000),
    ]
    for _ in range(4):
        back_on_the_line(handset)
        app.wait_for_timeout(1_500)
        if states(app) == ["done"] * 5:
            break
    wait_until(lambda: states(app) == ["done"] * 5, "all are sent")

    assert [fault.times for fault in line.faults] == [0, 0, 0]
    numbers = sorted(item["receipt"]["number"] for item in items(app))
    assert cases_of(site, written) == numbers
    assert len(set(numbers)) == 5
    for one in written:
        status = photo_status(line, one)
        assert status["state"] != "uploading"
        assert status["sha256"] == one["sha256"]


@pytest.mark.parametrize("locks", ["with locks", "without locks"])
def test_two_tabs_that_send_at_once_make_no_second_case(
    handset: BrowserContext, line: Line, site: Server, locks: str
) -> None:
    if locks == "without locks":
        handset.add_init_script(WITHOUT_LOCKS)
    one, other = handset.new_page(), handset.new_page()
    open_app(one)
    open_app(other)
    handset.set_offline(True)
    written = [write_and_send(one, pieces=0.3) for _ in range(5)]
    line.forget()

    handset.set_offline(False)
    wait_until(lambda: states(other) == ["done"] * 5, "all are sent")

    assert len(cases_of(site, written)) == 5
    assert line.count("POST", REPORTS) == 5
    assert line.count("PUT", PHOTOS) == 5


def test_what_one_tab_has_sent_another_does_not_send_again(
    handset: BrowserContext, line: Line
) -> None:
    one, other, third = (handset.new_page() for _ in range(3))
    open_app(one)
    write(one, pieces=0.3)
    for tab, step in ((other, "detalle"), (third, "enviar")):
        tab.goto(f"/reportar#/nuevo/{step}")
        tab.get_by_role("heading", level=1).wait_for()
    one.evaluate(SEND)
    wait_until(lambda: states(one) == ["done"], "it is sent, with its photo")

    other.get_by_label("Describa lo que pasa").fill("Otras palabras")
    other.get_by_role("button", name="Siguiente").click()
    expect(other.get_by_text("Recibido:")).to_be_visible()
    third.locator("#send").click()
    expect(third.get_by_role("heading", level=1)).to_have_text("Reporte recibido")

    [item] = items(one)
    assert item["state"] == "done"
    assert item["photoProblems"] == {}
    assert line.count("POST", REPORTS) == 1
    assert one.evaluate("async () => (await module('store')).draft.get()") is None


def test_a_clock_set_right_meanwhile_costs_no_report(app: Page, site: Server) -> None:
    # The battery was out: it was 1970 when the report was begun.
    written = write_and_send(app, startedAt=1_000)
    wait_until(lambda: states(app) != ["waiting"], "it has been tried")
    wait_until(lambda: states(app) != ["sending"], "it has an answer")

    assert states(app) == ["done"]
    assert len(cases_of(site, [written])) == 1


def test_what_does_not_fit_on_the_phone_is_told_and_nothing_is_lost(
    handset: BrowserContext, line: Line
) -> None:
    app = handset.new_page()
    # Before the app opens its database: Chromium remembers for a while that there is room.
    quota = {"origin": line.url, "quotaSize": ROOM}
    handset.new_cdp_session(app).send("Storage.overrideQuotaForOrigin", quota)
    open_app(app)
    handset.set_offline(True)
    before = write_and_send(app, pieces=0.3)

    told = app.evaluate(
        """async (size) => {
          const { StorageFull, draft, photos } = await window.module("store");
          await draft.save({ id: "d1", photos: [], description: "Se cayó el puente" });
          const blob = new Blob([new Uint8Array(size)]);
          return photos.put({ id: "p1", reportId: "d1", blob, size }).then(
            () => "kept", (problem) => problem instanceof StorageFull);
        }""",
        ROOM,
    )
    kept = app.evaluate(
        """async () => {
          const { draft, photos } = await window.module("store");
          return [(await draft.get()).description, (await photos.of("d1")).length];
        }"""
    )

    assert told is True
    assert kept == ["Se cayó el puente", 0]
    handset.set_offline(False)
    wait_until(lambda: states(app) == ["done"], "what was there before is sent")
    assert photo_status(line, before)["sha256"] == before["sha256"]


def test_a_cut_connection_costs_one_piece(app: Page, line: Line) -> None:
    written = write(app, pieces=3)
    line.faults.append(Fault("PUT", PHOTOS, after=2, cut_after_bytes=50_000))
    app.evaluate(SEND)
    wait_until(lambda: items(app)[0]["tries"] > 0, "it breaks off")
    app = reopened(app)
    wait_until(lambda: states(app) == ["done"], "the rest is sent")

    path = f"/api/v1/reports/{written['id']}/photos/{written['photo']}/"
    assert written["size"] > 2 * PIECE
    assert written["size"] < line.bytes_of[path] < written["size"] + PIECE
    assert photo_status(line, written)["sha256"] == written["sha256"]
    assert line.count("POST", REPORTS) == 1


def test_a_refused_report_keeps_its_words_and_photo_and_can_be_mended(
    app: Page, line: Line, site: Server
) -> None:
    refused = write_and_send(
        app, pieces=0.3, location={"lon": -70.0, "lat": 20.0}, description="Aquí"
    )
    wait_until(lambda: states(app) == ["refused"], "the server refuses")
    (item,) = items(app)
    assert item["problem"]["type"] == "outside-panama"
    assert item["problem"]["title"] == "El punto está fuera de Panamá."

    again = app.evaluate(
        """async (id) => {
          const { reopenAsDraft, send } = await window.module("outbox");
          const written = await reopenAsDraft(id);
          const mended = { ...written, location: { lon: -79.524, lat: 8.986 } };
          await send(mended);
          return mended;
        }""",
        refused["id"],
    )
    wait_until(lambda: states(app) == ["done"], "mended, it is filed")

    assert again["id"] != refused["id"]
    assert again["description"] == "Aquí"
    assert len(cases_of(site, [refused, again])) == 1
    mended = {"id": again["id"], "photo": refused["photo"]}
    assert photo_status(line, mended)["sha256"] == refused["sha256"]


def test_who_sent_what_is_not_valid_is_told_what_it_is(app: Page) -> None:
    # Taken by the phone's own check, which only looks for slips of the finger.
    contact = {"name": "José", "phone": "", "email": "josé@correo.com"}
    write_and_send(app, contact=contact, consent="1")

    expect(
        app.get_by_text("El envío tiene datos que no valen. Introduzca una dirección")
    ).to_be_visible()


@pytest.mark.parametrize("locks", ["with locks", "without locks"])
def test_a_refused_report_is_mended_while_the_photos_of_another_travel(
    handset: BrowserContext, locks: str
) -> None:
    if locks == "without locks":
        handset.add_init_script(WITHOUT_LOCKS)
    app = handset.new_page()
    open_app(app)
    write_and_send(app, location={"lon": -70.0, "lat": 20.0}, description="Aquí")
    wait_until(lambda: states(app) == ["refused"], "the server refuses")
    held = Held(app, re.compile("/photos/"))
    write_and_send(app, pieces=0.3)
    soon(app, lambda: bool(held.routes), "the other's photo travels")
    app.get_by_role("button", name="Corregir").click()

    expect(app.get_by_role("heading", level=1)).to_have_text("Revise y envíe")
    expect(app.locator(".summary")).to_contain_text("Aquí")
    held.let_go()
    soon(app, lambda: states(app) == ["done"], "the photo has arrived")


@pytest.mark.parametrize(
    ("reports", "other"), [(1, "NotEditable"), (2, "DraftInTheWay")]
)
def test_of_two_tabs_that_mend_at_once_one_does_and_the_others_report_stays(
    app: Page, reports: int, other: str
) -> None:
    at_sea = {"lon": -70.0, "lat": 20.0}
    refused = [
        write_and_send(app, pieces=0.3, location=at_sea, description="Aquí")["id"]
        for _ in range(reports)
    ]
    wait_until(lambda: states(app) == ["refused"] * reports, "the server refuses")

    told = app.evaluate(
        """async ([one, other]) => {
          const { reopenAsDraft } = await window.module("outbox");
          const { draft, photos } = await window.module("store");
          const both = await Promise.allSettled([reopenAsDraft(one), reopenAsDraft(other)]);
          const written = await draft.get();
          return {
            ends: both.map(({ status, reason }) => reason?.name ?? status),
            words: written?.description,
            photos: (await photos.of(written?.id ?? "")).length,
          };
        }""",
        [refused[0], refused[-1]],
    )

    assert told == {"ends": ["fulfilled", other], "words": "Aquí", "photos": 1}
    assert states(app) == ["refused"] * (reports - 1)


def test_what_the_server_may_have_filed_cannot_be_written_again(
    app: Page, line: Line
) -> None:
    line.faults.append(Fault("POST", REPORTS, times=9))
    written = write_and_send(app)
    wait_until(lambda: items(app)[0]["tries"] > 0, "the answer was lost")

    refusal = app.evaluate(
        """async (id) => (await window.module("outbox")).reopenAsDraft(id)
            .then(() => "written again", (problem) => problem.name)""",
        written["id"],
    )

    assert refusal == "NotEditable"


def test_the_server_s_wish_to_wait_outlives_the_app(app: Page, line: Line) -> None:
    busy = said(
        503, {"type": "/problems/unavailable", "title": "Ya"}, Retry_After="600"
    )
    line.faults.append(Fault("POST", REPORTS, answer=busy))
    write_and_send(app)
    wait_until(lambda: items(app)[0]["tries"] == 1, "it was told to wait")

    app = reopened(app)
    flush(app)
    back_on_the_line(app.context)
    app.wait_for_timeout(1_300)

    assert line.count("POST", REPORTS) == 1
    assert states(app) == ["waiting"]
    # Who asks again is told when it will be, and not that it is a matter of seconds.
    app.get_by_role("button", name="Enviar ahora").click()
    soon(app, lambda: items(app)[0]["problem"] is None, "it was asked for again")
    expect(app.get_by_text(re.compile("Se intenta otra vez dentro de"))).to_be_visible()
    assert line.count("POST", REPORTS) == 1


def test_each_failure_makes_it_wait_longer(app: Page) -> None:
    waits = app.evaluate(
        """async () => {
          const { backOff } = await window.module("outbox");
          return [1, 2, 3, 20].map((tries) => [backOff(tries, 0), backOff(tries, 1)]);
        }"""
    )

    assert waits == [
        [2_500, 5_000],
        [5_000, 10_000],
        [10_000, 20_000],
        [450_000, 900_000],
    ]


def test_somebody_else_s_page_is_no_answer(app: Page, line: Line) -> None:
    login = Said(404, {"Content-Type": "text/html"}, b"<h1>Hotel Wi-Fi</h1>")
    line.faults.append(Fault("POST", REPORTS, answer=login))
    write_and_send(app)

    wait_until(lambda: items(app)[0]["tries"] == 1, "it has tried")
    assert states(app) == ["waiting"]


def test_a_proof_of_work_is_done_when_asked_for(app: Page, line: Line) -> None:
    number, salt = 1234, "abc?expires=1"
    challenge = {
        "algorithm": "SHA-256",
        "challenge": hashlib.sha256(f"{salt}{number}".encode()).hexdigest(),
        "salt": salt,
        "signature": "sig",
        "maxnumber": 5000,
    }
    hot = said(403, {"type": "/problems/proof-required", "challenge": challenge})
    proofs: list[dict[str, Any]] = []
    forwarded = line.forwarded

    def watched(asked: Any) -> Any:
        if "X-Proof" in asked.headers:
            proofs.append(json.loads(base64.b64decode(asked.headers["X-Proof"])))
        return forwarded(asked)

    line.forwarded = watched  # type: ignore[method-assign]
    line.faults.append(Fault("POST", REPORTS, answer=hot))
    try:
        write_and_send(app)
        wait_until(lambda: states(app) == ["done"], "proven, it is filed")
    finally:
        del line.forwarded

    shown = {key: challenge[key] for key in ("algorithm", "challenge", "salt")}
    assert proofs[0] == {**shown, "number": number, "signature": "sig"}
    # The server did not ask for that one, refused it, and was given one of its own.
    assert [proof["challenge"] for proof in proofs[1:]] != [challenge["challenge"]]


def test_a_revoked_device_gets_a_new_token_and_the_report_goes_on(
    app: Page, line: Line, site: Server
) -> None:
    first = write_and_send(app)
    wait_until(lambda: states(app) == ["done"], "it is filed by a device")
    app.evaluate(
        """async () => {
          const { keep } = await window.module("store");
          const { token } = await keep.get("device");
          await fetch("/api/v1/devices/me/", {
            method: "DELETE", headers: { Authorization: `Device ${token}` } });
        }"""
    )

    again = write_and_send(app)
    wait_until(lambda: states(app) == ["done"] * 2, "it is filed by another")

    assert line.count("POST", "/devices/$") == 2
    assert len(cases_of(site, [first, again])) == 2


def test_the_browser_wakes_the_worker_that_sends_with_no_page_open(
    app: Page, handset: BrowserContext, line: Line, site: Server
) -> None:
    handset.set_offline(True)
    written = write_and_send(app, pieces=0.3)
    app.goto("about:blank")
    elsewhere = handset.new_page()
    handset.set_offline(False)
    elsewhere.goto("/")
    browser = handset.new_cdp_session(elsewhere)
    versions: list[dict[str, Any]] = []
    browser.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: versions.extend(told["registrations"]),
    )
    browser.send("ServiceWorker.enable")
    soon(elsewhere, lambda: bool(versions), "the registration")
    browser.send(
        "ServiceWorker.dispatchSyncEvent",
        {
            "origin": line.url,
            "registrationId": versions[0]["registrationId"],
            "tag": "outbox",
            "lastChance": False,
        },
    )

    soon(elsewhere, lambda: line.count("PUT", PHOTOS) == 1, "it was sent")
    assert len(cases_of(site, [written])) == 1
    assert photo_status(line, written)["sha256"] == written["sha256"]


def test_no_answer_of_the_api_is_in_the_browser_s_caches(app: Page) -> None:
    write_and_send(app, description="Secreto")
    wait_until(lambda: states(app) == ["done"], "it is filed")

    kept = app.evaluate(
        """async () => {
          const found = [];
          for (const name of await caches.keys()) {
            for (const { url } of await (await caches.open(name)).keys()) found.push(new URL(url).pathname);
          }
          return found;
        }"""
    )

    assert any(path.endswith(".js") for path in kept)
    assert not [path for path in kept if path.startswith(("/api/", "/casos/"))]
