/* The page of whoever scans: a code from the camera goes into the form, the answer is sounded and shown,
   and the camera rests until the next one is wanted. */
import { mountScanners } from "./parts/scanner.js";
import { play, silent } from "./parts/sound.js";

const form = document.querySelector("#scan-form");
const result = document.querySelector("#scan-result");
const camera = document.querySelector("[data-scanner]");
const typed = document.querySelector("#scan-typed");
const SILENT = "linli.scan.silent";

// A name for this visit, so that a card tapped twice is recorded once. Not randomUUID: that is for
// secure pages only, and codes may be typed on others.
const visit = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");

// One high tone and a short buzz for good; two low ones and a long buzz for bad.
const GOOD = [[1320, 0, 0.18]];
const BAD = [
  [220, 0, 0.25],
  [180, 0.3, 0.35],
];
const signal = (good) => {
  navigator.vibrate?.(good ? 80 : [250, 100, 250]);
  if (!silent(SILENT)) play(good ? GOOD : BAD, 0.25);
};

const trouble = (name) => {
  for (const note of document.querySelectorAll("[data-scan-trouble]")) {
    note.hidden = note.dataset.scanTrouble !== name;
  }
  if (name) camera?.scanner?.resume();
};

const next = () => {
  result.replaceChildren();
  document.body.classList.remove("verdict-shown");
  form.elements.code.value = "";
  camera?.scanner?.resume();
  camera?.querySelector("[data-do]:not([hidden])")?.focus();
};

const shown = () => {
  const card = result.querySelector("[data-verdict]");
  if (!card) return;
  signal(card.dataset.verdict === "good");
  form.elements.code.value = "";
  if ("recorded" in card.dataset || "again" in card.dataset) {
    document.body.classList.remove("verdict-shown");
    camera?.scanner?.resume();
  } else {
    document.body.classList.add("verdict-shown");
  }
  result.querySelector("#verdict-title")?.focus();
};

if (form) {
  camera.addEventListener("linli:code", (event) => {
    camera.scanner.pause();
    form.elements.code.value = event.detail.text;
    form.requestSubmit();
  });
  // Whoever cannot use the camera finds the field open.
  camera.addEventListener("linli:scanner", (event) => {
    if (["refused", "missing", "busy", "insecure", "failed"].includes(event.detail.state)) {
      typed.open = true;
    }
  });
  form.addEventListener("htmx:configRequest", (event) => {
    event.detail.parameters.set("visit", visit());
  });

  const mute = camera.querySelector('[data-do="sound"]');
  mute.setAttribute("aria-pressed", String(!silent(SILENT)));
  mute.addEventListener("click", () => {
    try {
      localStorage.setItem(SILENT, silent(SILENT) ? "0" : "1");
    } catch {
      // a browser that keeps nothing goes on sounding
    }
    mute.setAttribute("aria-pressed", String(!silent(SILENT)));
  });

  result.addEventListener("click", (event) => {
    if (!event.target.closest("[data-scan-next]")) return;
    event.preventDefault();
    next();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target !== result) return;
    if (event.detail.xhr.status < 500 && !event.detail.xhr.responseText.includes("data-verdict")) {
      event.detail.shouldSwap = false; // the sign-in page, or one that says what is not allowed
      if (event.detail.xhr.status !== 429) window.location.reload();
    }
  });
  // Only now do the new buttons do what they say: whoever is quick may press one at once.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target !== result) return;
    trouble(null);
    shown();
  });
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(name, (event) => {
      if (event.detail.target !== result) return;
      trouble(event.detail.xhr.status === 429 ? "often" : "network");
    });
  }
  mountScanners();
}
