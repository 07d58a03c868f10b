// Shows the kept code in [data-kept], for as long as it is valid and not a second longer. Parts with data-when are
// for one state each: valid, over, none.
import { read } from "./kept.js";

const clock = (moment) =>
  new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(
    moment,
  );

const left = (ms) => {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

const draw = (place, svg) => {
  const drawn = new DOMParser().parseFromString(svg, "text/html").querySelector("svg");
  place.replaceChildren(...(drawn ? [document.adoptNode(drawn)] : []));
};

export const showKept = async (section) => {
  const kept = await read();
  const say = (state) => {
    for (const part of section.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== state;
    section.dataset.state = state;
  };
  for (const part of section.querySelectorAll("[data-kept-until]")) part.textContent = clock(kept.until ?? 0);
  draw(section.querySelector("[data-kept-qr]"), kept.svg ?? "");
  say(kept.state);
  section.hidden = false;
  window.clearInterval(section.counting);
  if (kept.state !== "valid") return;
  const bar = section.querySelector("[data-kept-bar]");
  bar.max = kept.seconds;
  const tick = () => {
    const rest = kept.until - Date.now();
    if (rest <= 0) {
      showKept(section);
      return;
    }
    bar.value = rest / 1000;
    section.querySelector("[data-kept-left]").textContent = left(rest);
  };
  tick();
  section.counting = window.setInterval(tick, 250);
};

export const hideKept = (section) => {
  window.clearInterval(section.counting);
  section.hidden = true;
  draw(section.querySelector("[data-kept-qr]"), "");
};
