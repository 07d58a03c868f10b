// Toasts: short words about what was done. They go by themselves unless something went wrong or the pointer or
// the focus rests on them.
const SHOWN_MS = 6000;

const toast = (message, tone = "info") => {
  const place = document.getElementById("toasts");
  const made = document.querySelector(`template[data-toast-of="${tone}"]`) ?? document.querySelector("template[data-toast-of]");
  if (!place || !made || !message) return;
  const shown = made.content.firstElementChild.cloneNode(true);
  shown.querySelector("[data-toast-text]").textContent = message;
  shown.querySelector("[data-toast-close]").addEventListener("click", () => shown.remove());
  place.append(shown);
  if (tone === "error") return;
  let timer = 0;
  const go = () => {
    timer = window.setTimeout(() => shown.remove(), SHOWN_MS);
  };
  const stay = () => window.clearTimeout(timer);
  for (const name of ["pointerenter", "focusin"]) shown.addEventListener(name, stay);
  for (const name of ["pointerleave", "focusout"]) shown.addEventListener(name, go);
  go();
};

// From the header HX-Trigger of an answer, and from other scripts: an event "linli:toast".
document.addEventListener("linli:toast", (event) => toast(event.detail.message, event.detail.tone));
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-toast]");
  if (button) toast(button.dataset.toast, button.dataset.tone);
});
