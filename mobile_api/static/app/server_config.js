// What the server says once for everybody: consent text, limits, numbers to call.

import * as api from "./api.js";
import { keep, onlyIfFull } from "./store.js";
import { language } from "./texts.js";

const KEPT = "config";
const PATIENCE_MS = 3000;
const ALWAYS = [{ number: "911", name_es: "Emergencias", name_en: "Emergencies" }];

let asked = null;

/** The kept one when the network takes long; null when there never was one. */
export async function serverConfig() {
  asked ??= fresh().finally(() => {
    asked = null;
  });
  const answer = asked; // which is over, perhaps, by when the kept one is read
  const kept = await keep.get(KEPT);
  if (!kept) return answer;
  return Promise.race([answer, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, kept))]);
}

async function fresh() {
  const kept = (await keep.get(KEPT)) ?? null;
  try {
    const { body, etag } = await api.get("config/", { etag: kept?.etag });
    if (!body) return kept;
    await keep.set(KEPT, { ...body, etag }).catch(onlyIfFull);
    return body;
  } catch (problem) {
    if (!(problem instanceof api.Offline) && !(problem instanceof api.Problem)) throw problem;
    return kept;
  }
}

export const consentText = (config) => config?.consent?.[`text_${language}`] || config?.consent?.text_es || "";

/** There is always somebody to call. */
export const emergencyNumbers = (config) => config?.emergency_numbers ?? ALWAYS;
