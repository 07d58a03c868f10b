/* Copy or send the text of an invitation. Without this script the text can be marked and copied by hand. */
(() => {
  "use strict";

  const status = (text) => {
    const line = document.querySelector("[data-copy-status]");
    if (line) line.textContent = text;
  };

  const copy = async (field) => {
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      field.focus();
      field.select();
      document.execCommand("copy");
    }
  };

  document.addEventListener("click", async (event) => {
    const copies = event.target.closest?.("[data-copy]");
    if (copies) {
      await copy(document.getElementById(copies.dataset.copy));
      status(copies.dataset.done);
    }
    const sends = event.target.closest?.("[data-share]");
    if (sends) {
      try {
        await navigator.share({ text: document.getElementById(sends.dataset.share).value });
      } catch {
        status("");
      }
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-share]")) button.hidden = !navigator.share;
  });
})();
