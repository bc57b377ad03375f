// The strip below the map: cases by month, and the window of months that is shown.
//
// A window is dragged by its middle or by its ends, drawn anew over the bars, moved by a
// press on a bar, or by the arrow keys; the two selects of the panel do the same.

import { coloursOf } from "./legend.js";
import { inWords, monthAt, monthInWords, ordinal, shortMonth, thisMonth } from "./periods.js";
import { onScheme } from "./scheme.js";
import { create, number, text } from "./texts.js";

const $ = (selector) => document.querySelector(selector);
const STEP_MS = 1100;
// A whole play takes some so many steps: with many years, the window is wider.
const STEPS_OF_A_PLAY = 40;
const DRAG = 4;
const YEAR = 12;
// Pixels: the years' names below the bars.
const AXIS = 13;
const ROOM_OF_A_NAME = 34;

export class Timeline {
  /** `onPeriod(period)` and `onVersus(period)` resolve when it is shown. */
  constructor({ onPeriod, onVersus, onPlaying, prepare }) {
    Object.assign(this, { onPeriod, onVersus, onPlaying, prepare });
    this.bars = $("#histogram");
    this.canvas = this.bars.querySelector("canvas");
    this.windows = { a: this.bars.querySelector(".window-a"), b: this.bars.querySelector(".window-b") };
    this.spans = { a: null, b: null };
    this.counts = new Map();
    this.isPlaying = false;
    this.listen();
    onScheme(() => this.paint());
    new ResizeObserver(() => this.paint()).observe(this.bars);
  }

  get length() {
    return this.first === undefined ? 0 : this.last - this.first + 1;
  }

  // ── What it shows ──────────────────────────────────────────────────────────

  /** The months of the view; the axis never shrinks, or it would jump as one moves. */
  show(months, state) {
    this.state = state;
    this.counts = new Map(months.map((row) => [ordinal(row.month), row]));
    const now = thisMonth();
    const asked = [this.spans.a, this.spans.b].filter(Boolean).flat();
    this.first = Math.min(this.first ?? now, now, ...this.counts.keys(), ...asked);
    this.last = Math.max(this.last ?? now, now, ...asked);
    $("#play").disabled = $("#compare").disabled = this.length < 2;
    this.paint();
    this.tabulate();
  }

  /** Takes up what is shown: a period of months, or another (then all of it is lit). */
  set(period, versus) {
    this.spans.a = period.since ? [ordinal(period.since), ordinal(period.until)] : null;
    this.spans.b = versus ? [ordinal(versus.since), ordinal(versus.until)] : null;
    const named = versus ? [`A: ${inWords(period)} · `, `B: ${inWords(versus)}`] : [inWords(period)];
    $("#period-words").replaceChildren(...named.map((words) => create("span", "", words)));
    $("#whole").hidden = !(period.since || period.days);
    $("#compare").setAttribute("aria-pressed", String(Boolean(versus)));
    if (this.length) this.paint();
  }

  paint() {
    const { width, height } = this.bars.getBoundingClientRect();
    if (!width || !this.length) return;
    const density = window.devicePixelRatio || 1;
    this.canvas.width = width * density;
    this.canvas.height = height * density;
    const pen = this.canvas.getContext("2d");
    pen.scale(density, density);
    this.paintBars(pen, width, height - AXIS);
    this.paintYears(pen, width, height);
    for (const name of ["a", "b"]) this.place(name);
  }

  paintBars(pen, width, height) {
    const states = this.state === "both" ? ["resolved", "open"] : [this.state];
    const most = Math.max(1, ...[...this.counts.values()].map((row) => sum(row, states)));
    const step = width / this.length;
    const gap = step > 5 ? 1.5 : step > 2.5 ? 0.75 : 0;
    const colours = Object.fromEntries(states.map((state) => [state, coloursOf(state)[2]]));
    for (const [at, row] of this.counts) {
      let top = height;
      pen.globalAlpha = this.isLit(at) ? 1 : 0.32;
      for (const state of states) {
        const tall = row[state] ? Math.max(1.5, (row[state] / most) * (height - 2)) : 0;
        top -= tall;
        pen.fillStyle = colours[state];
        pen.fillRect((at - this.first) * step + gap / 2, top, step - gap, tall);
      }
    }
    pen.globalAlpha = 1;
  }

  isLit(at) {
    const spans = [this.spans.a, this.spans.b].filter(Boolean);
    return !spans.length || spans.some(([since, until]) => since <= at && at <= until);
  }

  paintYears(pen, width, height) {
    const style = getComputedStyle(this.bars);
    const step = width / this.length;
    pen.font = `11px ${style.fontFamily}`;
    pen.textBaseline = "bottom";
    pen.fillStyle = pen.strokeStyle = style.color;
    pen.globalAlpha = 0.5;
    pen.fillRect(0, height - AXIS, width, 1);
    pen.globalAlpha = 1;
    let taken = -Infinity;
    for (let at = this.first; at <= this.last; at++) {
      const isFirst = at === this.first;
      const x = (at - this.first) * step;
      const room = Math.min(width, (YEAR - (at % YEAR)) * step + x) - x;
      if ((at % YEAR && !isFirst) || x < taken || room < ROOM_OF_A_NAME - 4) continue;
      pen.fillRect(x, height - AXIS, 1, 4);
      pen.fillText(String(Math.floor(at / YEAR)), x + 3, height);
      taken = x + ROOM_OF_A_NAME;
    }
  }

  /** Puts a window over its months, and says them to who cannot see it. */
  place(name) {
    const element = this.windows[name];
    const span = this.spans[name] ?? (name === "a" ? [this.first, this.last] : null);
    element.hidden = span === null;
    if (!span) return;
    element.classList.toggle("is-whole", this.spans[name] === null);
    element.style.left = `${(100 * (span[0] - this.first)) / this.length}%`;
    element.style.width = `${(100 * (span[1] - span[0] + 1)) / this.length}%`;
    [...element.querySelectorAll(".edge")].forEach((edge, i) => {
      edge.setAttribute("aria-valuemin", i ? span[0] : this.first);
      edge.setAttribute("aria-valuemax", i ? this.last : span[1]);
      edge.setAttribute("aria-valuenow", span[i]);
      edge.setAttribute("aria-valuetext", this.said(span[i]));
    });
  }

  said(at) {
    const month = monthInWords(monthAt(at));
    const row = this.counts.get(at) ?? { open: 0, resolved: 0 };
    const [open, resolved] = [number(row.open), number(row.resolved)];
    return text(`month_${this.state}`, { month, open, resolved, n: this.state === "open" ? open : resolved });
  }

  /** The same in a table, newest first. */
  tabulate() {
    const rows = [...this.counts.values()].reverse().map(({ month, open, resolved }) => {
      const row = create("tr");
      const head = create("th", "", shortMonth(month));
      head.scope = "row";
      row.append(head, create("td", "", number(open)), create("td", "", number(resolved)));
      return row;
    });
    $("#by-month tbody").replaceChildren(...rows);
  }

  // ── What one does with it ──────────────────────────────────────────────────

  listen() {
    $("#play").addEventListener("click", () => (this.isPlaying ? this.pause() : this.play()));
    $("#whole").addEventListener("click", () => {
      this.pause();
      $("#play").focus();
      this.onPeriod({ days: "" });
    });
    $("#compare").addEventListener("click", () => this.compare());
    this.bars.addEventListener("pointerdown", (event) => this.drag(event));
    this.bars.addEventListener("keydown", (event) => this.press(event));
    document.addEventListener("visibilitychange", () => document.hidden && this.pause());
  }

  monthUnder({ clientX }) {
    const box = this.bars.getBoundingClientRect();
    const share = (clientX - box.left) / box.width;
    return this.first + Math.min(this.length - 1, Math.max(0, Math.floor(share * this.length)));
  }

  /** An end, the middle of a window, or the bars: each is dragged in its own way. */
  drag(event) {
    if (!this.length || event.button) return;
    this.pause();
    const element = event.target.closest(".window");
    const edge = event.target.closest(".edge");
    const name = element?.dataset.window ?? "a";
    const start = this.monthUnder(event);
    const before = this.spans[name] ?? [this.first, this.last];
    const move = (to) => {
      if (edge) return withEnd(before, Number(edge.dataset.edge), to);
      if (element && this.spans[name]) return this.shifted(before, to - start);
      return [Math.min(start, to), Math.max(start, to)];
    };
    let span = null;
    const onMove = (moved) => {
      if (!span && Math.abs(moved.clientX - event.clientX) < DRAG) return;
      span = move(this.monthUnder(moved));
      this.spans[name] = span;
      this.paint();
      $("#period-words").textContent = inWords(periodOf(span));
    };
    const onEnd = (ended) => {
      this.bars.removeEventListener("pointermove", onMove);
      if (ended.type === "pointercancel") {
        this.spans[name] = before;
        this.paint();
      } else if (span) this.choose(name, span);
      else if (!edge) this.choose("a", this.around(start));
    };
    event.preventDefault();
    (edge ?? this.bars).focus?.();
    this.bars.setPointerCapture(event.pointerId);
    this.bars.addEventListener("pointermove", onMove);
    this.bars.addEventListener("pointerup", onEnd, { once: true });
    this.bars.addEventListener("pointercancel", onEnd, { once: true });
  }

  /** A window as wide as the one there is, about a month; one month where there is none. */
  around(month) {
    if (!this.spans.a) return [month, month];
    const wide = this.spans.a[1] - this.spans.a[0];
    return this.shifted([month - Math.floor(wide / 2), month - Math.floor(wide / 2) + wide], 0);
  }

  shifted([since, until], by) {
    const kept = Math.min(this.last - until, Math.max(this.first - since, by));
    return [since + kept, until + kept];
  }

  press(event) {
    const edge = event.target.closest(".edge");
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -YEAR, PageUp: YEAR, Home: -Infinity, End: Infinity };
    if (!edge || !(event.key in steps)) return;
    event.preventDefault();
    this.pause();
    const { window: name } = edge.closest(".window").dataset;
    const end = Number(edge.dataset.edge);
    const span = this.spans[name] ?? [this.first, this.last];
    const to = Math.min(this.last, Math.max(this.first, span[end] + steps[event.key]));
    const stopped = end ? Math.max(span[0], to) : Math.min(span[1], to);
    this.choose(name, withEnd(span, end, stopped));
  }

  choose(name, span) {
    const isWhole = name === "a" && !this.spans.b && span[0] === this.first && span[1] === this.last;
    this.spans[name] = isWhole ? null : span;
    this.paint();
    return name === "a" ? this.onPeriod(isWhole ? { days: "" } : periodOf(span)) : this.onVersus(periodOf(span));
  }

  /** A second period: a year earlier where there is one, or just before. */
  compare() {
    this.pause();
    if (this.spans.b) {
      this.onVersus(null);
      return;
    }
    const half = Math.max(1, Math.floor(this.length / 2));
    const a = this.spans.a ?? [this.last - Math.min(YEAR, half) + 1, this.last];
    const wide = a[1] - a[0] + 1;
    const back = a[0] - YEAR >= this.first && wide <= YEAR ? YEAR : wide;
    const b = a[0] - back >= this.first ? [a[0] - back, a[1] - back] : this.shifted([a[1] + 1, a[1] + wide], 0);
    this.spans = { a, b };
    this.onVersus(periodOf(b), periodOf(a));
  }

  // ── Play ───────────────────────────────────────────────────────────────────

  async play() {
    this.isPlaying = true;
    this.say();
    const run = (this.run = {});
    const wide = Math.max(1, Math.round(this.length / STEPS_OF_A_PLAY));
    let span = this.spans.a ?? [this.first, this.first + wide - 1];
    if (this.spans.a) span = span[1] >= this.last ? this.shifted(span, -Infinity) : this.shifted(span, 1);
    while (this.run === run) {
      const next = span[1] < this.last ? this.shifted(span, 1) : null;
      await Promise.all([this.choose("a", span), pause(STEP_MS), next && this.prepare(periodOf(next))]);
      if (!next && this.run === run) this.pause();
      span = next;
    }
  }

  pause() {
    if (!this.isPlaying) return;
    this.isPlaying = false;
    this.run = null;
    this.say();
  }

  say() {
    const button = $("#play");
    button.querySelector("use").setAttribute("href", this.isPlaying ? "#icon-pause" : "#icon-play");
    button.setAttribute("aria-label", this.isPlaying ? button.dataset.pause : button.dataset.play);
    this.onPlaying(this.isPlaying);
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const sum = (row, states) => states.reduce((total, state) => total + row[state], 0);
const periodOf = ([since, until]) => ({ since: monthAt(since), until: monthAt(until) });

/** One end moved; past the other end, the two change places. */
function withEnd([since, until], end, to) {
  const [one, other] = end ? [since, to] : [to, until];
  return [Math.min(one, other), Math.max(one, other)];
}
