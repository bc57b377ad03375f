// The app starts: the first screen, what waits to be sent, and the line about the network.

import { start as startCore, updateReady } from "./core.js";
import { announce, button } from "./dom.js";
import { unread, watch as watchCases } from "./my_cases.js";
import { unsentOf, watch as watchOutbox } from "./outbox.js";
import { start as startRouter } from "./router.js";
import { t, tn } from "./texts.js";

const ROUTES = [
  [/^\/$/, () => import("./screens/home.js")],
  [/^\/nuevo\/foto$/, () => import("./screens/photo.js")],
  [/^\/nuevo\/lugar$/, () => import("./screens/place.js")],
  [/^\/nuevo\/que$/, () => import("./screens/what.js")],
  [/^\/nuevo\/detalle$/, () => import("./screens/details.js")],
  [/^\/nuevo\/enviar$/, () => import("./screens/send.js")],
  [/^\/enviado\/([\w-]+)$/, () => import("./screens/sent.js")],
  [/^\/casos$/, () => import("./screens/cases.js")],
  [/^\/casos\/([\d-]+)$/, () => import("./screens/case.js")],
  [/^\/ajustes$/, () => import("./screens/settings.js")],
];

const QUIET_MS = 1500;

const line = document.getElementById("net");
const badge = document.getElementById("unread");
let unsent = { reports: 0, photosOnly: 0 };

function showLine() {
  const offline = !navigator.onLine;
  line.hidden = !offline && unsent.reports + unsent.photosOnly === 0;
  line.classList.toggle("is-offline", offline);
  const words = lineWords(offline);
  if (!line.hidden && line.textContent !== words) line.textContent = words;
}

function lineWords(offline) {
  const { reports, photosOnly } = unsent;
  if (reports) return tn(offline ? "net_offline_waiting" : "net_sending", reports);
  if (photosOnly) return tn(offline ? "net_offline_photos" : "net_photos", photosOnly);
  return t("net_offline");
}

async function showUnread() {
  const n = await unread();
  badge.hidden = n === 0;
  badge.textContent = n > 9 ? "9+" : String(n);
  document.getElementById("to-cases").setAttribute("aria-label", n ? tn("cases_unread", n) : t("cases_title"));
}

/** What becomes of the reports is said wherever one is in the app. */
function tellFiled(before, items) {
  for (const item of items) {
    const was = before.get(item.id);
    if (was && was !== item.state && (item.state === "filed" || item.state === "refused")) {
      announce(item.state === "filed" ? t("said_filed", { number: item.receipt.number }) : t("said_refused"));
    }
    before.set(item.id, item.state);
  }
}

/** What is being written is kept: the page may be loaded again at any time. */
function offerUpdate() {
  const offer = document.getElementById("update");
  offer.replaceChildren(t("update_ready"), button(t("update_now"), { kind: "quiet", onclick: () => location.reload() }));
  offer.hidden = false;
}

/** On a line that may be gone in a minute, the other screens come while this one is read. */
async function fetchOthers() {
  for (const [, module] of ROUTES) {
    try {
      await module();
    } catch (problem) {
      console.info(`not yet on this phone: ${problem.name}`);
      return;
    }
  }
}

addEventListener("online", showLine);
addEventListener("offline", showLine);
startRouter(ROUTES).then(() => {
  // Nothing of this is needed to see the first screen.
  startCore();
  updateReady(offerUpdate);
  const states = new Map();
  watchOutbox((items) => {
    unsent = unsentOf(items);
    tellFiled(states, items);
    showLine();
  });
  watchCases(showUnread);
  showUnread();
  showLine();
  setTimeout(fetchOthers, QUIET_MS);
});
