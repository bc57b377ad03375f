// What went wrong, in words for a person.

import { Offline, Problem } from "./api.js";
import { StorageFull } from "./store.js";
import { t } from "./texts.js";

/** Raises what is no circumstance but a fault of ours. */
export function inWords(problem) {
  if (problem instanceof Offline) return t("offline");
  if (problem instanceof StorageFull) return t("full_short");
  if (problem instanceof Problem) return problem.detail || problem.title || t("server_trouble");
  throw problem;
}
