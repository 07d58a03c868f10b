/* The workbench: the list follows what others do, items open beside it, keys do what buttons do. Without this
   script every link and form works by itself. */
import { listen } from "./parts/live.js";
import { bring, narrow } from "./parts/queue.js";

(() => {
  "use strict";

  const root = document.querySelector("[data-workbench]");
  if (!root) return;
  const KEYS_OFF = "linli-keys-off";
  const say = (text) => {
    root.querySelector("[data-said]").textContent = text;
  };
  const beside = window.matchMedia("(min-width: 60rem)");
  const detail = () => document.getElementById("detail");
  const links = () => [...document.querySelectorAll("#queue li[data-key]:not([hidden]) > a")];
  const current = () => detail().querySelector("[data-item]")?.dataset.item;

  // What the page asks by itself must not keep a session alive at which nobody sits any more.
  const page = async (address, byItself = false) => {
    const headers = { Accept: "text/html", ...(byItself ? { "Linli-Poll": "1" } : {}) };
    const answer = await fetch(address, { headers });
    if (!answer.ok || answer.redirected) throw new Error("elsewhere");
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };

  // --- one item beside the list ------------------------------------------------------------

  const mark = () => {
    for (const link of links()) {
      if (link.parentElement.dataset.key === current()) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  const show = (found) => {
    const fresh = found.getElementById("detail");
    if (!fresh) throw new Error("no detail");
    detail().replaceChildren(...fresh.childNodes);
    document.querySelector(".panes").dataset.showing = found.querySelector(".panes").dataset.showing;
    document.title = found.title;
    mark();
  };
  const visit = async (address, push) => {
    try {
      show(await page(address));
      if (push) window.history.pushState({}, "", address);
      const title = detail().querySelector("[data-item] h2")?.textContent;
      if (title) say(root.dataset.opened.replace("{title}", title));
    } catch {
      window.location.assign(address);
    }
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("#queue li[data-key] > a");
    if (!link || !beside.matches || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    visit(link.href, true);
  });
  window.addEventListener("popstate", () => visit(window.location.href, false));
  document.querySelector("#queue [aria-current]")?.scrollIntoView({ block: "nearest" });

  // What is open may have been decided or taken elsewhere: show it, unless somebody is writing about it.
  const refreshDetail = async () => {
    const open = detail().querySelector("[data-item][data-open]");
    if (!open || open.dataset.stale) return;
    const note = open.querySelector("textarea");
    if (note && (note.value || note === document.activeElement)) {
      open.dataset.stale = "1";
      const said = document.createElement("p");
      said.className = "note warning";
      said.append(document.createElement("span"), document.createElement("span"));
      const again = Object.assign(document.createElement("a"), { href: window.location.href });
      again.textContent = root.dataset.show;
      said.lastChild.append(`${root.dataset.elsewhere} `, again);
      open.prepend(said);
      say(root.dataset.elsewhere);
      return;
    }
    const focused = detail().contains(document.activeElement);
    const before = open.dataset.item;
    const found = await page(window.location.href, true);
    if (current() !== before) return;
    show(found);
    say(root.dataset.elsewhere);
    if (focused) (detail().querySelector("button, a") ?? detail()).focus({ preventScroll: true });
  };

  // --- the list, narrowed to what is typed -------------------------------------------------

  const typed = root.querySelector("[data-narrow] input");
  const narrowed = () => {
    const { left, of } = narrow(document.getElementById("queue"), typed.value);
    document.querySelector("[data-none-found]").hidden = left > 0 || !of;
  };
  typed.addEventListener("input", (event) => event.isComposing || narrowed());
  typed.addEventListener("compositionend", narrowed);
  typed.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    links()[0]?.focus();
  });

  // --- the list follows --------------------------------------------------------------------

  const figures = (box) => {
    const counts = JSON.parse(box.dataset.counts);
    const text = (number) => new Intl.NumberFormat(root.dataset.locale).format(number);
    for (const tab of root.querySelectorAll(".tabs a")) {
      const kind = new URL(tab.href).searchParams.get("only");
      tab.querySelector(".number").textContent = text(kind ? counts[kind] : box.dataset.total);
      tab.parentElement.hidden = Boolean(kind) && !counts[kind] && !tab.hasAttribute("aria-current");
    }
    const badge = document.querySelector(".nav [aria-current] .count");
    if (!badge) return;
    badge.hidden = box.dataset.total === "0";
    badge.querySelector("[data-number]").textContent = text(box.dataset.total);
  };
  const ticks = () => {
    const ticked = [...document.querySelectorAll("#queue input[name=item]:checked")];
    document.getElementById("batch").toggleAttribute("data-ticked", ticked.length > 0);
    const kind = ticked[0]?.value.split(":")[0];
    for (const box of document.querySelectorAll("#queue input[name=item]")) {
      box.disabled = Boolean(kind) && !box.value.startsWith(`${kind}:`);
    }
  };
  let busy = false;
  let again = false;
  const refresh = async () => {
    again = busy;
    if (busy) return;
    busy = true;
    try {
      const box = document.getElementById("queue");
      const open = current();
      const before = open && document.querySelector(`#queue li[data-key="${CSS.escape(open)}"]`)?.dataset.mark;
      const address = new URL(root.dataset.list, window.location.href);
      if (open) address.searchParams.set("at", open);
      const found = await page(address, true);
      const fresh = found.getElementById("queue");
      const news = bring(box, fresh, Number(root.dataset.me));
      narrowed();
      figures(box);
      ticks();
      mark();
      const words = Object.entries(news).filter(([, count]) => count);
      if (words.length) say(words.map(([name, count]) => root.dataset[name].replace("{count}", count)).join(" "));
      const after = open && document.querySelector(`#queue li[data-key="${CSS.escape(open)}"]`)?.dataset.mark;
      if (before !== undefined && before !== after) await refreshDetail();
    } catch (error) {
      // A session that has ended: let the server say so in its own words.
      if (error.message === "elsewhere") window.location.reload();
    } finally {
      busy = false;
      if (again) refresh();
    }
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("#queue input[name=item]")) ticks();
  });
  ticks();
  let wasLost = false;
  listen(root.dataset.events, {
    last: document.getElementById("queue").dataset.mark,
    changed: refresh,
    poll: refresh,
    sign: (live) => {
      document.querySelector("[data-live-sign]").hidden = live;
      if (live === !wasLost) return;
      wasLost = !live;
      say(live ? root.dataset.back : root.dataset.lost);
    },
  });

  // --- keys --------------------------------------------------------------------------------

  const press = (selector) => document.querySelector(selector)?.click();
  const move = (step) => {
    const all = links();
    const at = all.findIndex((link) => link.parentElement.contains(document.activeElement));
    const from = at >= 0 ? at : all.findIndex((link) => link.hasAttribute("aria-current"));
    const next = from < 0 ? 0 : Math.min(Math.max(from + step, 0), all.length - 1);
    all[next]?.focus();
  };
  const refuse = () => {
    const button = detail().querySelector('[data-shortcut="r"]');
    const note = button?.form.querySelector("textarea");
    if (note && button.hasAttribute("data-needs-note") && !note.value.trim()) note.focus();
    else button?.click();
  };
  const KEYS = {
    j: () => move(1),
    k: () => move(-1),
    c: () => press('#detail [data-shortcut="c"]'),
    a: () => press('#detail [data-shortcut="a"]'),
    r: refuse,
    u: () => press("[data-undo]"),
    f: () => typed.focus(),
    "?": () => document.getElementById("keys").showModal(),
  };
  const inList = { ArrowDown: KEYS.j, ArrowUp: KEYS.k };
  const switched = document.querySelector("[data-keys-on]");
  switched.checked = !window.localStorage.getItem(KEYS_OFF);
  switched.addEventListener("change", () => {
    if (switched.checked) window.localStorage.removeItem(KEYS_OFF);
    else window.localStorage.setItem(KEYS_OFF, "1");
  });
  const typing = "textarea, select, input:not([type=checkbox]):not([type=radio]), [contenteditable]";
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.target.matches(typing)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const act = KEYS[event.key] ?? (event.target.closest("#queue") && inList[event.key]);
    if (!act || !switched.checked) return;
    event.preventDefault();
    act();
  });
})();
