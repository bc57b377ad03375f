// One box: a place to go to, or a case's number.

import { fetched } from "./asking.js";
import { config, create, icon, number, text } from "./texts.js";

const PAUSE_MS = 160;
// A number of a case, whole or with its signs left out: 26-0000123-2.
const NUMBER = /^\d{2}[\s-]?\d{7}[\s-]?\d$/;

export class Search {
  /** `onGo(place)` when one is chosen. */
  constructor(form, onGo) {
    Object.assign(this, { form, onGo });
    this.input = form.querySelector("input");
    this.panel = form.querySelector(".found");
    this.listbox = form.querySelector("[role=listbox]");
    this.note = form.querySelector("[role=status]");
    this.found = [];
    this.at = -1;
    this.underWay = new AbortController();
    this.input.addEventListener("input", () => this.soon());
    this.input.addEventListener("focus", () => this.found.length && this.open(true));
    this.input.addEventListener("keydown", (event) => this.press(event));
    form.addEventListener("focusout", ({ relatedTarget }) => {
      if (!form.contains(relatedTarget)) this.open(false);
    });
    // The box keeps the focus while something in the list is pressed.
    this.panel.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), PAUSE_MS);
  }

  async look() {
    clearTimeout(this.timer);
    this.underWay.abort();
    this.underWay = new AbortController();
    const { signal } = this.underWay;
    const words = this.input.value.trim();
    this.answered = null;
    if (!words) {
      this.show([], "");
      this.open(false);
      return;
    }
    if (NUMBER.test(words)) {
      this.answered = words;
      const digits = words.replace(/\D/g, "");
      this.show([{ number: `${digits.slice(0, 2)}-${digits.slice(2, 9)}-${digits.slice(9)}` }], "");
      return;
    }
    try {
      const { places } = await fetched(`${config.search}?q=${encodeURIComponent(words)}`, signal);
      this.answered = words;
      const said = places.length === 1 ? text("found_1") : text("found_n", { n: number(places.length) });
      this.show(places, places.length ? said : text("nothing_found"));
    } catch (problem) {
      if (signal.aborted) return;
      this.show([], text("trouble_search"));
      console.warn(problem);
    }
  }

  show(found, said) {
    this.found = found;
    this.at = -1;
    this.listbox.replaceChildren(...found.map((one, i) => this.option(one, i)));
    this.note.textContent = said;
    this.note.classList.toggle("visually-hidden", found.length > 0);
    this.point(-1);
    this.open(true);
  }

  option(one, i) {
    const option = create("li", "option");
    option.id = `search-option-${i}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    if (one.number) {
      option.append(icon("search"), create("span", "", text("see_case", { number: one.number })));
    } else {
      const level = text(one.kind === "comarca" ? "level_comarca" : `level_${one.level}`);
      const words = create("span", "option-words");
      const around = [level, one.within, one.bbox ? "" : text("no_outline")].filter(Boolean).join(" · ");
      words.append(create("b", "", one.name), create("span", "", around));
      option.append(icon("pin"), words);
      if (!one.bbox) option.setAttribute("aria-disabled", "true");
    }
    option.addEventListener("click", () => this.choose(i));
    return option;
  }

  open(isOpen) {
    const isShown = isOpen && Boolean(this.found.length || this.note.textContent);
    this.panel.hidden = !isShown;
    this.input.setAttribute("aria-expanded", String(isShown));
    if (!isShown) this.point(-1);
  }

  point(at) {
    this.at = at;
    [...this.listbox.children].forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
    if (at < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `search-option-${at}`);
    this.listbox.children[at]?.scrollIntoView({ block: "nearest" });
  }

  press(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" && !this.panel.hidden) {
      event.stopPropagation();
      this.open(false);
    }
    if (!step || !this.found.length) return;
    event.preventDefault();
    if (this.panel.hidden) this.open(true);
    const many = this.found.length;
    this.point(this.at < 0 && step < 0 ? many - 1 : (this.at + step + many) % many);
  }

  /** Enter takes the first, what was pointed at, or waits for what was just typed. */
  async submit() {
    if (this.answered !== this.input.value.trim()) await this.look();
    if (this.found.length) this.choose(Math.max(0, this.at));
  }

  choose(i) {
    const one = this.found[i];
    if (one.number) {
      const link = create("a");
      link.href = `${config.case}?numero=${encodeURIComponent(one.number)}`;
      link.click();
      return;
    }
    if (!one.bbox) return;
    this.input.value = this.answered = one.name;
    this.open(false);
    this.input.blur();
    this.onGo(one);
  }
}
