// The portal as an app. For a resident: the service worker, and a code kept for when there is no network. It goes
// as soon as they sign out, somebody else signs in, or the portal says that there is no pass any more.
import { read, wipe, write } from "./kept.js";

const EVERY_MS = 60_000;
const LOOK_MS = 5000;
const FRESH = 2 / 3; // a code with less of its life left is replaced

const told = (name) => document.querySelector(`meta[name="linli-${name}"]`)?.content;
const holder = told("holder");
const code = told("code");

const renew = async () => {
  if (!code || document.hidden || !navigator.onLine) return;
  const kept = await read();
  if (kept.state === "valid" && kept.until - Date.now() > kept.seconds * 1000 * FRESH) return;
  const from = Date.now();
  const answer = await fetch(code, { redirect: "error", cache: "no-store" }).catch(() => null);
  if (answer?.status === 204) await wipe();
  if (answer?.status !== 200) return;
  const { svg, seconds } = await answer.json();
  await write({ holder, svg, seconds, from, until: from + seconds * 1000 });
};

const begin = async () => {
  const kept = await read();
  if (kept.state !== "none" && kept.holder !== holder) await wipe();
  if (!holder || !window.isSecureContext) return;
  renew();
  window.setInterval(renew, EVERY_MS);
  document.addEventListener("visibilitychange", renew);
  if (!navigator.serviceWorker) return;
  await navigator.serviceWorker.register("/service-worker.js", { scope: "/", updateViaCache: "none" });
  const { active } = await navigator.serviceWorker.ready;
  active.postMessage({ look: told("look") });
};

// A page that stands in place of one that could not be fetched knows nobody, and goes once the portal answers.
const look = async () => {
  if (document.hidden) return;
  const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
  if (answer?.ok) window.location.reload();
};
if (told("bare")) {
  window.addEventListener("online", look);
  window.setInterval(look, LOOK_MS);
} else if ("indexedDB" in window) begin().catch(() => {});

document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-sign-out]")) wipe();
});

// Put on the home screen: by the browser's own question where it has one, else by the words on the page.
let question = null;
const offer = (shown) => {
  for (const part of document.querySelectorAll("[data-install]")) part.hidden = !shown;
  for (const part of document.querySelectorAll("[data-install-by-hand]")) part.hidden = shown;
};
window.addEventListener("beforeinstallprompt", (event) => {
  if (!document.querySelector("[data-install]")) return;
  event.preventDefault();
  question = event;
  offer(true);
});
document.addEventListener("click", async (event) => {
  if (!question || !event.target.closest?.("[data-install]")) return;
  question.prompt();
  const { outcome } = await question.userChoice;
  question = null;
  offer(false);
  if (outcome === "accepted") for (const part of document.querySelectorAll("[data-install-hint]")) part.hidden = true;
});
