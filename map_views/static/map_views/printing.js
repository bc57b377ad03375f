// The map on paper: in light colours, as large as the sheet, its filters in words.

import { inWords } from "./periods.js";
import { forPaper } from "./scheme.js";
import { config, text } from "./texts.js";

// CSS pixels of an upright sheet between its margins: Letter, which is the narrower
// in height; A4 has room for it too.
const SHEET = { width: 700, height: 620 };
const whole = new Intl.DateTimeFormat(config.language, { dateStyle: "long", timeStyle: "short" });

/** `panes()` are the maps shown, `shown()` what is asked for. */
export function getReadyToPrint({ panes, shown }) {
  const stage = document.querySelector("#stage");
  const legend = document.querySelector("#legend");
  let wasOpen = true;
  window.addEventListener("beforeprint", () => {
    const { width, height } = stage.getBoundingClientRect();
    const scale = Math.min(SHEET.width / width, SHEET.height / height);
    stage.style.setProperty("--print-width", `${width}px`);
    stage.style.setProperty("--print-height", `${height}px`);
    stage.style.setProperty("--print-scale", scale);
    stage.style.setProperty("--print-room", `${height * scale}px`);
    document.querySelector("#print-words").textContent = describe(shown());
    document.querySelector("#print-when").textContent = text("printed", { when: whole.format(new Date()) });
    document.querySelector("#print-link").textContent = location.href;
    wasOpen = legend.open;
    legend.open = true;
    repaint(panes(), true);
  });
  window.addEventListener("afterprint", () => {
    legend.open = wasOpen;
    repaint(panes(), false);
  });
}

/** Now: what is left for the next frame would come out on no sheet. */
function repaint(panes, isOnPaper) {
  forPaper(isOnPaper);
  for (const { basemap, heat } of panes) {
    basemap.land._redraw();
    basemap.lines._redraw();
    heat.drawNow();
  }
}

/** What is shown, in a sentence: states, topics, period, how many there are. */
export function describe({ state, groups, period, versus, counted }) {
  const names = groups.map((code) => document.querySelector(`[name=group][value="${CSS.escape(code)}"]`)?.closest("label").textContent.trim());
  return [
    text(`states_${state}`),
    names.length ? names.join(", ") : text("all_topics"),
    inWords(period),
    versus ? text("compared_with", { period: inWords(versus) }) : "",
    counted,
  ]
    .filter(Boolean)
    .join(" · ");
}
