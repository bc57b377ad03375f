// What can be reported: kept on the phone, and found by everyday words.

import * as api from "./api.js";
import { keep, onlyIfFull } from "./store.js";

const KEY = "catalogue";
// Words that every phrase has.
const EMPTY_WORDS = new Set(
  "a al con de del el en es esta hay la las lo los mi no para por que se su un una y the of in my is".split(" "),
);
const KEYWORD = 4;
const NAME = 3;
const GROUP = 1;
const WHOLE_PHRASE = 4;
const WORTH_SHOWING = 0.35;

/** `{version, groups, stale}`: the server's, else what was kept; Offline when neither is. */
export async function loadCatalogue() {
  const kept = await keep.get(KEY);
  try {
    const answer = await api.get("categories/", { etag: kept && kept.etag });
    if (answer.status === 304) return { ...kept.catalogue, stale: false };
    await keep.set(KEY, { etag: answer.etag, catalogue: answer.body }).catch(onlyIfFull);
    return { ...answer.body, stale: false };
  } catch (problem) {
    if (!kept) throw problem;
    return { ...kept.catalogue, stale: true };
  }
}

/** What is kept, at once and without asking; null when nothing is. */
export async function keptCatalogue() {
  const kept = await keep.get(KEY);
  return kept ? { ...kept.catalogue, stale: true } : null;
}

/** The groups in their order, each with its categories. */
export const byGroup = (catalogue) =>
  [...catalogue.groups]
    .filter((group) => group.categories.length)
    .sort((one, other) => one.position - other.position);

/** The categories that the words may mean, likeliest first, each with its `group`. */
export function search(text, catalogue) {
  const phrase = plain(text);
  const asked = meaningful(phrase.split(" ").filter(Boolean));
  if (!asked.length) return [];
  const found = catalogue.groups
    .flatMap((group) => group.categories.map((category) => scored(category, group, phrase, asked)))
    .filter(({ score }) => score > 0)
    .sort((one, other) => other.score - one.score);
  const best = found.length ? found[0].score : 0;
  return found.filter(({ score }) => score >= best * WORTH_SHOWING).map(({ category }) => category);
}

function scored(category, group, phrase, asked) {
  const said = fieldsOf(category, group);
  const hits = asked.map((word) => Math.max(...said.map((field) => hit(word, field))));
  const known = hits.filter((value) => value > 0).length / asked.length;
  const whole = said.some((field) => field.text === phrase) ? WHOLE_PHRASE : 0;
  const score = (hits.reduce((sum, value) => sum + value, 0) + whole) * known * known;
  return { category: { ...category, group: group.code }, score };
}

const fields = new WeakMap();

function fieldsOf(category, group) {
  if (!fields.has(category)) {
    const weighed = [
      ...category.keywords.map((words) => [words, KEYWORD]),
      ...[category.name_es, category.name_en].map((words) => [words, NAME]),
      ...[group.name_es, group.name_en].map((words) => [words, GROUP]),
    ];
    fields.set(
      category,
      weighed.map(([words, weight]) => {
        const phrase = plain(words);
        return { text: phrase, words: phrase.split(" "), weight };
      }),
    );
  }
  return fields.get(category);
}

function hit(word, { words, weight }) {
  const best = Math.max(...words.map((other) => likeness(word, other)));
  // Of two phrases with the word, the shorter is more about it.
  return best * weight * (1 + 0.2 / words.length);
}

/** From 0 to 1: the same word, its plural, its beginning, a slip of the finger. */
function likeness(asked, word) {
  if (asked === word) return 1;
  if (singular(asked) === singular(word)) return 0.95;
  if (asked.length >= 3 && word.startsWith(asked)) return 0.8;
  const slips = asked.length >= 8 ? 2 : asked.length >= 4 ? 1 : 0;
  const distance = slips ? slipsBetween(singular(asked), singular(word), slips) : 1;
  return distance <= slips ? 0.7 - 0.15 * distance : 0;
}

const singular = (word) =>
  word.length > 4 ? word.replace(/([lnrdjz])es$/, "$1").replace(/s$/, "") : word;

/** Letters changed, missing, added or swapped; more than `most` need not be exact. */
function slipsBetween(one, other, most) {
  if (Math.abs(one.length - other.length) > most) return most + 1;
  let before = [];
  let last = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const same = one[i - 1] === other[j - 1];
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (swapped) row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    [before, last] = [last, row];
  }
  return last[other.length];
}

/** Without accents, capitals or punctuation. */
export const plain = (text) =>
  text
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, " ")
    .trim();

function meaningful(words) {
  const left = words.filter((word) => !EMPTY_WORDS.has(word));
  return left.length ? left : words;
}
