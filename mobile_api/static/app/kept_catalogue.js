// The catalogue without waiting: what this phone has is shown, what is newer comes later.

import { Offline } from "./api.js";
import { byGroup, keptCatalogue, loadCatalogue } from "./catalogue.js";

/** Null only where there never was one and none can be had now. */
export async function catalogueNow() {
  const kept = await keptCatalogue();
  const newest = loadCatalogue();
  if (kept) {
    newest.catch((problem) => console.info(`catalogue: ${problem.name}`));
    return kept;
  }
  try {
    return await newest;
  } catch (problem) {
    if (!(problem instanceof Offline) && !problem.status) throw problem;
    return null;
  }
}

/** All categories by their code, each with its group. */
export function byCode(catalogue) {
  const all = byGroup(catalogue).flatMap(({ code: group, categories }) =>
    categories.map((category) => [category.code, { ...category, group }]),
  );
  return new Map(all);
}

/** A category of the phone's catalogue; null where that has none of this code. */
export async function categoryOf(code) {
  const catalogue = await catalogueNow();
  return (catalogue && byCode(catalogue).get(code)) ?? null;
}
