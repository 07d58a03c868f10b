/* What every page shares: the CSRF token on htmx requests, and small conveniences. No page needs it to work. */
import "./parts/display.js";
import "./parts/dialogs.js";
import "./parts/toasts.js";

(() => {
  "use strict";

  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  document.addEventListener("htmx:configRequest", (event) => {
    if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token;
  });

  // Forms answered with 422 carry the page with its sentences: show it.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status === 422) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });

  // A button marked data-print prints the page.
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-print]");
    if (button) window.print();
  });

  // Show or hide a password.
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-reveal]");
    if (!button) return;
    const input = document.getElementById(button.dataset.reveal);
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
  });

  // The chosen one of many tabs, or of the navigation, is in sight.
  for (const tab of document.querySelectorAll('.tabs [aria-current="page"], .nav [aria-current="page"]')) {
    const list = tab.closest("ul");
    list.scrollLeft = tab.offsetLeft - list.offsetLeft - (list.clientWidth - tab.clientWidth) / 2;
  }

  // After a refused form, lead to the summary of what is wrong.
  document.querySelector("[data-focus]")?.focus();

  // One submission is enough.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent === "1") {
      event.preventDefault();
      return;
    }
    if (form.method !== "post" || form.hasAttribute("hx-post")) return;
    form.dataset.sent = "1";
    event.submitter?.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
    }
  });
})();
