// Theme and text size change at once (and hints go), without losing what was typed; the server remembers them. Without this
// script the same forms are sent and the page comes back.
const root = document.documentElement;

// The bar above an app takes the colour of the page's own.
const paint = (theme) => {
  for (const meta of document.querySelectorAll('meta[name="theme-color"]')) {
    const own = meta.dataset.theme;
    if (theme === "auto") meta.media = `(prefers-color-scheme: ${own})`;
    else meta.media = own === theme ? "all" : "not all";
  }
};

const show = (name, value) => {
  if (name === "hint") {
    for (const hint of document.querySelectorAll("[data-install-hint]")) hint.hidden = value === "hidden";
    return;
  }
  const usual = { theme: "auto", text: "normal" }[name];
  if (value === usual) delete root.dataset[name];
  else root.dataset[name] = value;
  if (name === "theme") {
    paint(value);
    document.querySelector('meta[name="color-scheme"]').content = value === usual ? "light dark" : value;
  }
  for (const button of document.querySelectorAll(`[data-display] button[name="${name}"]`)) {
    if (name === "text" && button.matches(".tool")) {
      button.value = value === "large" ? "normal" : "large";
      button.setAttribute("aria-pressed", String(value === "large"));
    } else {
      button.setAttribute("aria-pressed", String(button.value === value));
    }
  }
  document.dispatchEvent(new CustomEvent("linli:display", { detail: { name, value } }));
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  const button = event.submitter;
  if (!form.matches("[data-display]") || !button) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const { name, value } = button;
  const data = new FormData(form);
  data.set(name, value);
  show(name, value);
  fetch(form.action, { method: "POST", body: data, headers: { "X-Requested-With": "fetch" }, keepalive: true }).then((answer) => {
    // A session that has ended: let the server say so in its own words.
    if (!answer.ok) window.location.reload();
  }, () => {});
});
