// A photo as it will travel: upright, no larger than needed, without what the camera noted.

import { hex } from "./proof.js";

const LONGEST_SIDE = 1600;
const QUALITY = 0.82;
const MOST_BYTES = 12 * 1024 * 1024;
const JPEG = "image/jpeg";
// How the formats begin that the server reads: JPEG, PNG, WebP and HEIC.
const READ_BY_THE_SERVER =
  /^(\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP|....ftyp(hei[cxms]|hev[cx]|mif1))/s;
const TELLING = 16;
// Two squares beside each other, black and white, said to be lying on their side: a
// browser that turns photos upright shows them one above the other.
const ON_ITS_SIDE =
  "/9j/4AAQSkZJRgABAQAAAQABAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wBDABsSFBcU" +
  "ERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/wAALCAAI" +
  "ABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAABgf/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oACAEBAAA/ADKmP//Z";

/** The file is no picture, or cannot be read any more. */
export class NotAPhoto extends Error {
  name = "NotAPhoto";
}

/** Larger than the server takes, on a phone that cannot make it smaller. */
export class PhotoTooLarge extends Error {
  name = "PhotoTooLarge";
}

/** `{blob, sha256 (hex), size, type, width, height, scaled}`; as taken, its sides are 0. */
export async function prepare(file) {
  const decode = await decoder();
  // What an old phone has no room to draw travels as it was taken.
  const photo = (decode && (await redrawn(file, decode).catch(() => null))) || (await asTaken(file));
  if (photo.blob.size > MOST_BYTES) throw new PhotoTooLarge();
  const bytes = await bytesOf(photo.blob);
  const sha256 = hex(await crypto.subtle.digest("SHA-256", bytes));
  // A copy of our own: the camera's file may be gone when its turn comes.
  const blob = new Blob([bytes], { type: photo.blob.type });
  return { ...photo, blob, sha256, size: blob.size, type: blob.type };
}

async function asTaken(file) {
  const start = new Uint8Array(await bytesOf(file.slice(0, TELLING)));
  if (!READ_BY_THE_SERVER.test(String.fromCharCode(...start))) throw new NotAPhoto();
  return { blob: file, width: 0, height: 0, scaled: false };
}

/** Null where this browser makes no JPEG; throws where it cannot read this picture. */
async function redrawn(file, decode) {
  const picture = await decode(file);
  const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const canvas = canvasOf(width, height);
  const pen = canvas.getContext("2d", { alpha: false });
  // A transparent picture on paper, not on soot.
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, width, height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, width, height);
  if (picture.close) picture.close();
  const blob = await jpegOf(canvas);
  canvas.width = canvas.height = 0; // An old phone has no room for two of these.
  return blob && blob.type === JPEG ? { blob, width, height, scaled: true } : null;
}

function canvasOf(width, height) {
  if (self.OffscreenCanvas && OffscreenCanvas.prototype.convertToBlob) {
    return new OffscreenCanvas(width, height);
  }
  return Object.assign(document.createElement("canvas"), { width, height });
}

function jpegOf(canvas) {
  if (canvas.convertToBlob) return canvas.convertToBlob({ type: JPEG, quality: QUALITY });
  return new Promise((resolve) => canvas.toBlob(resolve, JPEG, QUALITY));
}

// By age of the browser: the option's name is newer than what it asks for.
const DECODERS = [
  (file) => createImageBitmap(file, { imageOrientation: "from-image" }),
  (file) => createImageBitmap(file),
  byElement,
];
let choosing = null;

/** The first way of reading a picture that turns it upright and tells its true colours;
 * null where none does: some browsers hand out noise, against being followed. */
function decoder() {
  if (!choosing) choosing = chosen();
  return choosing;
}

async function chosen() {
  for (const decode of DECODERS) {
    if (await drawsUpright(decode).catch(() => false)) return decode;
  }
  return null;
}

async function drawsUpright(decode) {
  const bytes = Uint8Array.from(atob(ON_ITS_SIDE), (letter) => letter.charCodeAt(0));
  const picture = await decode(new Blob([bytes], { type: JPEG }));
  const { width, height } = picture;
  const pen = canvasOf(width, height).getContext("2d");
  pen.drawImage(picture, 0, 0);
  const pixels = pen.getImageData(0, 0, 1, height).data;
  return width < height && Math.abs(pixels[0] - pixels[pixels.length - 4]) > 128;
}

async function byElement(file) {
  const url = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    return image;
  } finally {
    URL.revokeObjectURL(url);
  }
}

const bytesOf = async (blob) => {
  try {
    return await new Response(blob).arrayBuffer();
  } catch (unreadable) {
    throw new NotAPhoto();
  }
};
