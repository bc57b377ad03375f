// Being told of changes when the app is closed (web push), switched on and off.

import * as api from "./api.js";
import { keep } from "./store.js";

const SCOPE = "/reportar";

const isSupported = () =>
  "serviceWorker" in navigator && "PushManager" in self && "Notification" in self;

/** The browser's own push service cannot be reached, or does not want this page. */
export class NoPushService extends Error {
  name = "NoPushService";
}

/** "unsupported", "denied", "off" or "on". */
export async function pushState() {
  if (!isSupported()) return "unsupported";
  if (Notification.permission === "denied") return "denied";
  const registration = await navigator.serviceWorker.getRegistration(SCOPE);
  if (!registration || !registration.pushManager) return "unsupported";
  const subscription = await registration.pushManager.getSubscription();
  // Subscribed here and known there: a lost answer would leave them apart.
  return subscription && (await keep.get("push")) === subscription.endpoint ? "on" : "off";
}

/** Asks the person, then the browser, then tells the server; the state after it. */
export async function turnOn() {
  if (!isSupported()) return "unsupported";
  if ((await Notification.requestPermission()) !== "granted") return pushState();
  await subscribeAndTell();
  return pushState();
}

/** Where it was on, it stays on: browsers give out new addresses without a word. */
export async function keepUp() {
  const known = await keep.get("push");
  if (known && (await pushState()) === "off" && Notification.permission === "granted") {
    await subscribeAndTell();
  }
}

async function subscribeAndTell() {
  const key = bytes(await publicKey());
  const registration = await navigator.serviceWorker.ready;
  const subscription = await subscribed(registration.pushManager, key);
  const { endpoint, keys } = subscription.toJSON();
  await api.patch("devices/me/", { push: { endpoint, keys } });
  await keep.set("push", endpoint);
}

export async function turnOff() {
  const registration = await navigator.serviceWorker.getRegistration(SCOPE);
  const subscription = registration && (await registration.pushManager.getSubscription());
  // First the browser: from then on nothing arrives, whatever the server hears of it.
  if (subscription) await subscription.unsubscribe();
  await keep.set("push", null);
  await api.patch("devices/me/", { push: null });
  return pushState();
}

async function publicKey() {
  const { body } = await api.get("config/");
  return body.push.public_key;
}

async function subscribed(manager, applicationServerKey) {
  const asked = { userVisibleOnly: true, applicationServerKey };
  try {
    return await manager.subscribe(asked);
  } catch (problem) {
    // Subscribed before under another key, which the server has changed since.
    const old = await manager.getSubscription();
    if (problem.name !== "InvalidStateError" || !old) throw new NoPushService();
    await old.unsubscribe();
    return manager.subscribe(asked);
  }
}

/** From base64url. */
function bytes(text) {
  const base64 = text.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}
