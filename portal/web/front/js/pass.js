/* The pass on the screen: counts down, fetches the next code before this one runs out, and says so when
   that does not work. The old code stays until a new one is there. The countdown runs on time passed since
   the code arrived, so a wrong clock on the phone does no harm. Once the code is over and no new one can be had,
   the code kept for that stands in its place; on the page for when there is no network it stands there at once. */
import { hideKept, showKept } from "./parts/kept_view.js";

(() => {
  "use strict";

  const RETRY_MS = 3000;
  let lock = null;

  const code = () => document.querySelector("[data-pass-code]");
  const kept = () => document.querySelector("[data-kept]");

  const begin = (element) => {
    element.arrived = Date.now();
    element.asked = 0;
    tick();
  };

  const ask = (element) => {
    const now = Date.now();
    if (now - element.asked < RETRY_MS) return;
    element.asked = now;
    window.htmx.trigger(element, "linli:renew");
  };

  const tick = () => {
    const element = code();
    if (!element || !element.arrived) return;
    const passed = (Date.now() - element.arrived) / 1000;
    const left = Math.max(0, Math.ceil(Number(element.dataset.seconds) - passed));
    element.querySelector("[data-left]").textContent = String(left);
    element.querySelector("[data-bar]").value = left;
    element.classList.toggle("over", left === 0);
    element.querySelector("[data-over]").hidden = left > 0;
    if (left === 0 && !element.querySelector("[data-trouble]").hidden && !element.hidden) {
      element.hidden = true;
      showKept(kept());
    }
    if (passed >= Number(element.dataset.renew) && !document.hidden) ask(element);
  };

  const trouble = () => {
    const element = code();
    if (element) element.querySelector("[data-trouble]").hidden = false;
  };

  // Keep the screen on while the pass is shown, where the browser can.
  const stayAwake = async () => {
    if (document.hidden || !(code() || kept()) || !navigator.wakeLock) return;
    try {
      lock = await navigator.wakeLock.request("screen");
    } catch {
      lock = null;
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    const element = code();
    if (!element) {
      if (kept()) showKept(kept()).then(stayAwake);
      return;
    }
    begin(element);
    stayAwake();
    window.setInterval(tick, 1000);
  });
  document.addEventListener("visibilitychange", () => {
    tick();
    if (!lock || lock.released) stayAwake();
  });

  // Anything but a new code (an error, the sign-in page) must not take the place of the one shown.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.target.matches("[data-pass-code]")) return;
    if (!event.detail.xhr.responseText.includes("data-pass-code")) {
      event.detail.shouldSwap = false;
      trouble();
    }
  });
  document.addEventListener("htmx:afterSettle", () => {
    const element = code();
    if (element && !element.arrived) {
      hideKept(kept());
      begin(element);
    }
  });
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => {
      if (event.target.matches("[data-pass-code]")) trouble();
    });
  }
})();
