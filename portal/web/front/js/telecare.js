/* Alarms that ring: every [data-ring="alarm:step"] that has not been here before sounds and is said to
   screen readers, and sounds again while it stays. [data-since] counts up like a stopwatch. The button
   [data-sound] switches the sound; browsers allow it only after somebody has touched the page. */
import { play, silent } from "./parts/sound.js";

const SILENT = "linli.telecare.silent";
const AGAIN_MS = 8000;
const known = new Set();
let last = 0;

// Two tones, twice: unlike any other sound of the portal.
const TONES = [0, 0.7].flatMap((after) => [
  [880, after, 0.3],
  [660, after + 0.3, 0.35],
]);
const ring = () => {
  last = Date.now();
  if (!silent(SILENT) && play(TONES)) navigator.vibrate?.([300, 150, 300]);
};

const listen = () => {
  const ringing = [...document.querySelectorAll("[data-ring]")];
  const fresh = ringing.filter((element) => !known.has(element.dataset.ring));
  for (const element of fresh) known.add(element.dataset.ring);
  const says = document.querySelector("[data-ring-says]");
  if (fresh.length && says) says.textContent = fresh.map((element) => element.dataset.ringText).join(". ");
  if (fresh.length || (ringing.length && Date.now() - last >= AGAIN_MS)) ring();
};

const stopwatch = (seconds) => {
  const two = (value) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const left = two(seconds % 60);
  return hours ? `${hours}:${two(minutes)}:${left}` : `${minutes}:${left}`;
};

const count = () => {
  for (const element of document.querySelectorAll("[data-since]")) {
    // From what the server has shown, so that a phone with a wrong clock counts right.
    element.began ??= Date.now() - element.textContent.trim().split(":").reduce((sum, part) => sum * 60 + Number(part), 0) * 1000;
    element.textContent = stopwatch(Math.max(0, Math.floor((Date.now() - element.began) / 1000)));
  }
};

const button = document.querySelector("[data-sound]");
if (button) {
  button.hidden = false;
  button.setAttribute("aria-pressed", String(!silent(SILENT)));
  button.addEventListener("click", () => {
    try {
      localStorage.setItem(SILENT, silent(SILENT) ? "0" : "1");
    } catch {
      // a browser that keeps nothing goes on sounding
    }
    button.setAttribute("aria-pressed", String(!silent(SILENT)));
    if (!silent(SILENT)) ring();
  });
}

listen();
document.addEventListener("htmx:afterSettle", listen);
window.setInterval(() => {
  count();
  listen();
}, 1000);
