// The search box of staff: suggestions while typing, arrows to move through them, "/" to come here. Without this
// script the form is sent and the page of results comes.
const WAIT_MS = 250;
const LEAST = 2;

const shown = (element) => element.getClientRects().length > 0;
const boxOf = (element) => element?.closest?.("[data-search]");
const input = (form) => form.querySelector('input[type="search"]');
const list = (form) => form.querySelector(".suggestions");
const links = (form) => [...list(form).querySelectorAll("a")];
const timers = new WeakMap();

const close = (form) => {
  list(form).hidden = true;
};

// Tells the reader why there is nothing; text only, the words come from the page.
const say = (form, words) => {
  const note = document.createElement("p");
  note.className = "suggestion-note";
  note.setAttribute("role", "status");
  note.textContent = words;
  list(form).replaceChildren(note);
  list(form).hidden = false;
};

// One request when typing pauses; none while an input method is still composing Chinese.
document.addEventListener("input", (event) => {
  const form = boxOf(event.target);
  if (!form || event.isComposing) return;
  window.clearTimeout(timers.get(form));
  const text = input(form).value.trim();
  if (text.length < LEAST) {
    close(form);
    return;
  }
  timers.set(form, window.setTimeout(() => window.htmx.trigger(input(form), "linli:search"), WAIT_MS));
});
document.addEventListener("compositionend", (event) => {
  if (boxOf(event.target)) event.target.dispatchEvent(new Event("input", { bubbles: true }));
});

// An answer that comes after the text has gone, or after the form was sent, is not shown.
document.addEventListener("htmx:afterSwap", (event) => {
  const form = boxOf(event.target);
  if (form && event.target === list(form)) list(form).hidden = input(form).value.trim().length < LEAST;
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const form = boxOf(event.target);
  if (!form || event.detail.xhr.status !== 429) return;
  event.detail.isError = false;
  event.detail.shouldSwap = false;
  say(form, list(form).dataset.often);
});
for (const name of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(name, (event) => {
    const form = boxOf(event.target);
    if (form) say(form, list(form).dataset.trouble);
  });
}

document.addEventListener("keydown", (event) => {
  const form = boxOf(event.target);
  if (form) {
    if (event.isComposing) return;
    const all = list(form).hidden ? [] : links(form);
    const at = all.indexOf(document.activeElement);
    if (event.key === "Escape" && !list(form).hidden) {
      event.preventDefault();
      close(form);
      input(form).focus();
    } else if (event.key === "ArrowDown" && all.length) {
      event.preventDefault();
      all[Math.min(at + 1, all.length - 1)].focus();
    } else if (event.key === "ArrowUp" && at >= 0) {
      event.preventDefault();
      (at ? all[at - 1] : input(form)).focus();
    }
    return;
  }
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return;
  const box = [...document.querySelectorAll("[data-search]")].map(input).filter(shown).at(-1);
  const link = document.querySelector(".top-search-link");
  if (!box && !(link && shown(link))) return;
  event.preventDefault();
  if (box) {
    box.focus();
    box.select();
  } else {
    link.click();
  }
});

// Away with the list when the focus or the pointer goes elsewhere.
document.addEventListener("focusin", (event) => {
  for (const form of document.querySelectorAll("[data-search]")) if (form !== boxOf(event.target)) close(form);
});
document.addEventListener("pointerdown", (event) => {
  for (const form of document.querySelectorAll("[data-search]")) if (form !== boxOf(event.target)) close(form);
});
document.addEventListener("submit", (event) => {
  const form = boxOf(event.target);
  if (form) {
    window.clearTimeout(timers.get(form));
    close(form);
  }
});
