// The list of the workbench brought up to date line by line: focus, ticks and the place on the screen stay.
const linesOf = (box) => [...box.querySelectorAll("li[data-key]")];

const follow = (list, node, place) => {
  if (list.children[place] !== node) list.insertBefore(node, list.children[place] ?? null);
};

const redraw = (own, fresh) => {
  const box = own.querySelector("input[type=checkbox]");
  const ticked = box?.checked;
  own.replaceChildren(...fresh.childNodes);
  own.dataset.mark = fresh.dataset.mark;
  const again = own.querySelector("input[type=checkbox]");
  if (again && ticked) again.checked = true;
};

// Make `box` (the element #queue) show what `fresh` shows. Answers what has happened: how many lines are new,
// gone, and taken by somebody else than `me`.
export const bring = (box, fresh, me) => {
  const had = new Map(linesOf(box).map((line) => [line.dataset.key, line]));
  const want = linesOf(fresh);
  const keys = new Set(want.map((line) => line.dataset.key));
  const news = { arrived: 0, gone: [...had.keys()].filter((key) => !keys.has(key)).length, taken: 0 };
  for (const line of want) {
    const own = had.get(line.dataset.key);
    const holder = parseInt(line.dataset.mark, 10);
    if (!own) news.arrived += 1;
    else if (own.dataset.mark !== line.dataset.mark && holder && holder !== me) news.taken += 1;
  }
  Object.assign(box.dataset, fresh.dataset);
  const focused = box.contains(document.activeElement) ? document.activeElement.closest("li[data-key]") : null;
  const inBox = focused && document.activeElement.matches("input");
  if (!want.length || !had.size) {
    box.replaceChildren(...fresh.childNodes);
    if (focused) document.getElementById("main").focus({ preventScroll: true });
    return news;
  }
  // Whoever stood on a line that is gone stands on the one that takes its place.
  let stay = focused;
  while (stay && !keys.has(stay.dataset.key)) stay = stay.nextElementSibling ?? null;
  const list = box.querySelector("ul");
  for (const [key, line] of had) if (!keys.has(key)) line.remove();
  want.forEach((line, place) => {
    const own = had.get(line.dataset.key);
    if (own && own.dataset.mark !== line.dataset.mark) redraw(own, line);
    else if (own) own.querySelector("[data-ago]").textContent = line.querySelector("[data-ago]").textContent;
    follow(list, own ?? line, place);
  });
  if (focused) {
    const line = stay ?? list.lastElementChild;
    const target = (inBox && line.querySelector("input")) || line.querySelector("a");
    if (document.activeElement !== target) target.focus({ preventScroll: true });
  }
  return news;
};

// Show only the lines in which every word of `text` stands. Answers how many are left, of how many.
export const narrow = (box, text) => {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const lines = linesOf(box);
  for (const line of lines) {
    const said = line.textContent.toLowerCase();
    line.hidden = !words.every((word) => said.includes(word));
  }
  return { left: lines.filter((line) => !line.hidden).length, of: lines.length };
};
