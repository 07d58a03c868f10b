/* Reads a text aloud with the browser's own voice: a button with data-speak="ID", shown only where there is
   one. A second press stops; so does leaving the page. */
(() => {
  "use strict";

  const speech = window.speechSynthesis;
  if (!speech || !("SpeechSynthesisUtterance" in window)) return;

  const LONGEST = 180; // some engines fall silent within longer pieces
  const HAN = /[\u3400-\u9fff]/;

  // Sentences, put together up to that length; a longer one is cut where it has to be.
  const pieces = (text) => {
    const found = [];
    let piece = "";
    for (const sentence of text.match(/[^。！？!?;；\n.]+[。！？!?;；\n.]*/g) ?? []) {
      if ((piece + sentence).length > LONGEST && piece) {
        found.push(piece);
        piece = "";
      }
      piece += sentence;
      while (piece.length > LONGEST) {
        found.push(piece.slice(0, LONGEST));
        piece = piece.slice(LONGEST);
      }
    }
    if (piece.trim()) found.push(piece);
    return found;
  };

  for (const button of document.querySelectorAll("[data-speak]")) {
    const label = button.querySelector("span");
    const start = label.textContent;
    let waiting = 0;
    const show = (speaking) => {
      button.setAttribute("aria-pressed", String(speaking));
      label.textContent = speaking ? button.dataset.stop : start;
    };
    const done = () => {
      waiting -= 1;
      if (waiting <= 0) show(false);
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      const speaking = button.getAttribute("aria-pressed") === "true";
      speech.cancel();
      waiting = 0;
      show(!speaking);
      if (speaking) return;
      const said = pieces(document.getElementById(button.dataset.speak).innerText);
      waiting = said.length;
      if (!waiting) show(false);
      for (const piece of said) {
        const utterance = new SpeechSynthesisUtterance(piece);
        utterance.lang = HAN.test(piece) ? "zh-CN" : document.documentElement.lang;
        utterance.rate = 0.9;
        utterance.addEventListener("end", done);
        utterance.addEventListener("error", done);
        speech.speak(utterance);
      }
    });
  }
  window.addEventListener("pagehide", () => speech.cancel());
})();
