// The small proof of work that the server asks for when it has too much to do (ALTCHA).

const BATCH = 200;
const encoder = new TextEncoder();

/** The payload for `X-Proof`; throws RangeError when no number up to the most fits. */
export async function solve(challenge) {
  const { algorithm, salt, signature, maxnumber } = challenge;
  const wanted = challenge.challenge;
  for (let first = 0; first <= maxnumber; first += BATCH) {
    const numbers = batch(first, Math.min(first + BATCH - 1, maxnumber));
    // The hashing is not done by this thread: the page stays alive between batches.
    const hashes = await Promise.all(numbers.map((number) => hash(algorithm, salt + number)));
    const at = hashes.indexOf(wanted);
    if (at >= 0) {
      const number = numbers[at];
      return btoa(JSON.stringify({ algorithm, challenge: wanted, number, salt, signature }));
    }
  }
  throw new RangeError("a proof of work without a solution");
}

const batch = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

async function hash(algorithm, text) {
  return hex(await crypto.subtle.digest(algorithm, encoder.encode(text)));
}

export const hex = (buffer) =>
  Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
