// The list beside the map: the same cases, in words.

import { age, create, icon, number, refill, text } from "./texts.js";

const list = document.querySelector("#list");
const note = document.querySelector("#list-note");
const more = document.querySelector("#list-more");

/**
 * Shows the cases, newest first; `total` is how many the view has. With two periods,
 * `parts` has both, each under its `title`.
 */
export function show(parts, total, { onPoint, canShowMore }) {
  const rows = parts.flatMap(({ title, features }) => [
    ...(title ? [create("li", "list-part", title)] : []),
    ...features.map((feature) => row(feature.properties, onPoint)),
  ]);
  refill(list, rows, "number");
  const listed = parts.reduce((sum, { features }) => sum + features.length, 0);
  note.hidden = false;
  if (total === 0) note.textContent = text("empty");
  else if (listed < total) note.textContent = text("first_n", { n: number(listed) });
  else note.textContent = text("all_n");
  more.hidden = listed >= total || !canShowMore;
}

/** Nothing, not even that there is none: it is not known. */
export function clear() {
  list.replaceChildren();
  note.hidden = more.hidden = true;
}

function row(properties, onPoint) {
  const item = create("li");
  const link = create("a");
  link.href = properties.url;
  link.dataset.number = properties.number;
  const disc = create("span", `icon-disc is-${properties.open ? "open" : "resolved"}`);
  disc.append(icon(properties.group));
  const places = [properties.corregimiento, properties.district, properties.province];
  link.append(
    disc,
    create("span", "case-title", properties.category_name),
    create("span", "case-place", [...new Set(places.filter(Boolean))].join(", ")),
    line(properties),
  );
  for (const [event, isPointed] of [["pointerenter", true], ["focus", true], ["pointerleave", false], ["blur", false]]) {
    link.addEventListener(event, () => onPoint(properties.number, isPointed));
  }
  item.append(link);
  return item;
}

function line(properties) {
  const element = create("span", "case-line");
  const tone = properties.open ? "open" : "resolved";
  element.append(create("span", `badge badge-${tone}`, text(`status_${properties.status}`)));
  const rests = properties.status === "waiting_for_citizen";
  if (properties.open && !rests && new Date(properties.due_at) < Date.now()) {
    element.append(create("span", "late", text("late")));
  }
  const filed = create("time", "", age(properties.filed_at));
  filed.dateTime = properties.filed_at;
  element.append(filed, create("span", "number", properties.number));
  if (properties.demo) element.append(create("span", "", text("demo")));
  return element;
}
