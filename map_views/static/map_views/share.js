// A link to what is shown, and the code that puts it in another site's page.

import { config, text } from "./texts.js";

const $ = (selector) => document.querySelector(selector);
const HEIGHT = 520;

export function openShare() {
  const dialog = $("#share-dialog");
  const link = new URL(config.page + location.hash, location.href).href;
  $("#share-link").value = link;
  $("#share-embed").value = embedCode();
  $("#share-note").textContent = "";
  $("#share-native").hidden = !navigator.share;
  $("#share-native").onclick = () => send(link);
  for (const button of dialog.querySelectorAll("[data-copy]")) {
    button.onclick = () => copy(document.getElementById(button.dataset.copy));
  }
  // A browser that knows no dialogs (Safari before 15.4) has the telephone's own.
  if (dialog.showModal) dialog.showModal();
  else send(link);
}

function embedCode() {
  const language = config.language.slice(0, 2);
  const address = new URL(`${config.embed}?idioma=${language}${location.hash}`, location.href).href;
  const frame = document.createElement("iframe");
  frame.setAttribute("src", address);
  frame.setAttribute("title", text("embed_title"));
  frame.setAttribute("width", "100%");
  frame.setAttribute("height", String(HEIGHT));
  frame.setAttribute("loading", "lazy");
  frame.setAttribute("allow", "geolocation; clipboard-write");
  return frame.outerHTML;
}

async function copy(field) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    $("#share-note").textContent = text("copied");
  } catch (problem) {
    $("#share-note").textContent = text("not_copied");
    console.warn(problem);
  }
}

async function send(url) {
  try {
    await navigator.share({ title: document.title, url });
  } catch (problem) {
    // Closing the telephone's own dialog is no trouble.
    if (problem.name !== "AbortError") throw problem;
  }
}
