// Step 1: what does one see?

import { announce, button, h, icon, note } from "../dom.js";
import { MOST_PHOTOS, bar, begin, load, next, save, stepHead, written } from "../flow.js";
import { NotAPhoto, PhotoTooLarge, prepare } from "../photo_prep.js";
import { StorageFull, newId, photos } from "../store.js";
import { t, tn } from "../texts.js";

// One picture after the other, also when more are chosen meanwhile or the screen is left.
let taking = Promise.resolve();

export async function show() {
  const draft = (await load()) ?? (await begin());
  const list = h("ul", { class: "shots", "aria-label": t("photos_taken") });
  const trouble = h("div", { role: "alert" });
  const go = button("", { icon: "next", kind: "wide", onclick: () => next(0) });
  const pickers = [
    picker("camera", t("photo_camera"), { capture: "environment" }),
    picker("gallery", t("photo_gallery"), { multiple: true }),
  ];
  const shown = new Map();

  function picker(name, label, how) {
    const input = h("input", {
      type: "file",
      accept: "image/*",
      id: `pick-${name}`,
      class: "visually-hidden",
      ...how,
      onchange: () => {
        const files = [...input.files];
        input.value = "";
        trouble.replaceChildren();
        taking = taking.finally(() => take(files));
      },
    });
    return h("label", { class: `pick pick-${name}` }, input, icon(name), h("span", {}, label));
  }

  async function take(files) {
    const room = MOST_PHOTOS - draft.photos.length;
    if (files.length > room) complain(tn("photos_most", MOST_PHOTOS));
    for (const file of files.slice(0, room)) await add(file);
  }

  /** Of this report, and not full: it may have been sent or filled meanwhile. */
  const hasRoom = () => written()?.id === draft.id && written().photos.length < MOST_PHOTOS;

  async function add(file) {
    const waiting = h("li", { class: "shot is-waiting" }, h("span", {}, t("photo_preparing")));
    list.append(waiting);
    try {
      const prepared = await prepare(file);
      if (!hasRoom()) return waiting.remove();
      const id = newId();
      await photos.put({ id, reportId: draft.id, name: file.name, ...prepared });
      await save({ photos: [...written().photos, id] });
      waiting.replaceWith(shot(id, prepared.blob));
      announce(tn("photos_have", draft.photos.length));
    } catch (problem) {
      waiting.remove();
      complain(t(whyNot(problem)));
    }
    return refresh();
  }

  function shot(id, blob) {
    const url = URL.createObjectURL(blob);
    shown.set(id, url);
    const position = draft.photos.indexOf(id) + 1;
    const image = h("img", { src: url, alt: t("photo_alt", { n: position }), decoding: "async" });
    image.addEventListener("error", () => image.replaceWith(h("span", {}, t("photo_no_preview"))));
    return h(
      "li",
      { class: "shot" },
      image,
      h(
        "button",
        { type: "button", class: "shot-remove", "aria-label": t("photo_remove", { n: position }), onclick: () => remove(id) },
        icon("close"),
      ),
    );
  }

  async function remove(id) {
    await save({ photos: draft.photos.filter((other) => other !== id) });
    await photos.remove(id);
    await fill();
    announce(tn("photos_have", draft.photos.length));
    (list.querySelector("button") ?? pickers[0].querySelector("input")).focus();
  }

  async function fill() {
    drop();
    const found = await Promise.all(draft.photos.map((id) => photos.get(id)));
    list.replaceChildren(...found.filter(Boolean).map(({ id, blob }) => shot(id, blob)));
    refresh();
  }

  function refresh() {
    const n = draft.photos.length;
    go.querySelector("span").textContent = t(n ? "next" : "photo_skip");
    for (const pick of pickers) {
      pick.classList.toggle("is-off", n >= MOST_PHOTOS);
      pick.querySelector("input").disabled = n >= MOST_PHOTOS;
    }
  }

  function complain(words) {
    trouble.append(note("problem", "warning", h("p", {}, words)));
  }

  function drop() {
    for (const url of shown.values()) URL.revokeObjectURL(url);
    shown.clear();
  }

  await fill();
  return {
    title: t("photo_title"),
    kind: "step",
    content: [
      stepHead(0, t("photo_title"), t("photo_lead")),
      h("div", { class: "picks" }, ...pickers),
      trouble,
      list,
      note("info", "lock", h("p", {}, t("photo_privacy"))),
      bar(go),
    ],
    leave: drop,
  };
}

function whyNot(problem) {
  if (problem instanceof StorageFull) return "photo_full";
  if (problem instanceof PhotoTooLarge) return "photo_too_large";
  if (problem instanceof NotAPhoto) return "photo_unreadable";
  throw problem;
}
