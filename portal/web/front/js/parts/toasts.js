// Toasts: short words about what was done. They go by themselves unless something went wrong or the pointer or
// the focus rests on them.
const SHOWN_MS = 6000;

const fade = (shown) => {
  let timer = 0;
  const go = () => {
    timer = window.setTimeout(() => shown.remove(), SHOWN_MS);
  };
  const stay = () => window.clearTimeout(timer);
  for (const name of ["pointerenter", "focusin"]) shown.addEventListener(name, stay);
  for (const name of ["pointerleave", "focusout"]) shown.addEventListener(name, go);
  go();
};

const toast = (message, tone = "info") => {
  const place = document.getElementById("toasts");
  const made = document.querySelector(`template[data-toast-of="${tone}"]`) ?? document.querySelector("template[data-toast-of]");
  if (!place || !made || !message) return;
  const shown = made.content.firstElementChild.cloneNode(true);
  shown.querySelector("[data-toast-text]").textContent = message;
  shown.querySelector("[data-toast-close]").addEventListener("click", () => shown.remove());
  place.append(shown);
  if (tone !== "error") fade(shown);
};

// From the header HX-Trigger of an answer, and from other scripts: an event "linli:toast".
document.addEventListener("linli:toast", (event) => toast(event.detail.message, event.detail.tone));
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-toast]");
  if (button) toast(button.dataset.toast, button.dataset.tone);
});

// Toasts that came with the page take their place among the others and go like them.
for (const shown of document.querySelectorAll("[data-toast-here]")) {
  const place = document.getElementById("toasts");
  const holder = shown.parentElement;
  place.append(shown);
  holder.remove();
  fade(shown);
}
