/* Curves over time. Data come as JSON, colours from the tokens of the style sheet. Each chart has its unit at
   the axis, gaps where nothing was reported, a zoom (the slider below it, two fingers, or Ctrl and the wheel),
   a sentence that sums it up and its values as a table. */
(() => {
  "use strict";

  const section = document.querySelector("[data-charts]");
  if (!section) return;
  const grid = section.querySelector("[data-chart-grid]");
  const status = section.querySelector("[data-chart-status]");
  const locale = section.dataset.locale === "en" ? "en-GB" : "zh-CN";
  let charts = [];
  let asked = 0;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const number = (value, digits) => value.toLocaleString(locale, { maximumFractionDigits: digits });
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]);

  const worded = (curve, value) => {
    if (curve.states.length) return curve.states[value >= 0.5 ? 1 : 0];
    if (curve.unit === "s") return `${number(value / 3600, 1)} ${section.dataset.hours}`;
    return `${number(value, 1)} ${curve.unit}`.trim();
  };

  const unitOf = (curve) => (curve.unit === "s" ? section.dataset.hours : curve.unit);
  const clock = (at, range) =>
    range === "7d"
      ? new Date(at).toLocaleDateString(locale, { month: "numeric", day: "numeric" })
      : new Date(at).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", hour12: false });
  const moment = (at) =>
    new Date(at).toLocaleString(locale, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });

  // A gap of more than three steps is a gap in the line too.
  const withGaps = (curve) => {
    const rows = [];
    curve.points.forEach((point, index) => {
      const before = curve.points[index - 1];
      if (before && point[0] - before[0] > 3 * curve.step_ms) rows.push([before[0] + curve.step_ms, null]);
      rows.push([point[0], point[1]]);
    });
    return rows;
  };

  const options = (curve, data) => {
    const states = curve.states.length > 0;
    const top = states ? 1 : curve.unit === "%" ? 100 : undefined;
    const rows = withGaps(curve);
    // Readings that come one by one are dots; a line would only show a few of them.
    const sparse = !states && (rows.length - curve.points.length) * 10 > curve.points.length;
    const quiet = colour("--ink-2");
    const line = colour("--line");
    const size = parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.75;
    const text = { color: quiet, fontSize: size };
    return {
      animation: false,
      grid: { left: 8, right: 16, top: curve.unit ? 2.2 * size : 12, bottom: 44, containLabel: true },
      textStyle: { fontFamily: colour("--font"), fontSize: size },
      // The page scrolls with the wheel and one finger; the chart takes Ctrl with the wheel, and two fingers.
      dataZoom: [
        { type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false, moveOnMouseMove: true, filterMode: "none" },
        {
          type: "slider",
          height: 24,
          bottom: 8,
          filterMode: "none",
          showDetail: false,
          brushSelect: false,
          borderColor: line,
          fillerColor: colour("--accent-soft"),
          backgroundColor: colour("--surface"),
          handleStyle: { color: colour("--surface"), borderColor: colour("--accent") },
          moveHandleStyle: { color: colour("--accent"), opacity: 0.4 },
          dataBackground: { lineStyle: { color: line }, areaStyle: { color: line } },
          selectedDataBackground: { lineStyle: { color: colour("--accent") }, areaStyle: { color: colour("--accent"), opacity: 0.15 } },
        },
      ],
      tooltip: {
        trigger: "axis",
        renderMode: "richText",
        backgroundColor: colour("--surface"),
        borderColor: line,
        textStyle: { color: colour("--ink") },
        formatter: (rows) => {
          const row = rows.find((entry) => entry.value[1] !== null);
          if (!row) return "";
          return `${moment(row.value[0])}\n${worded(curve, row.value[1])}`;
        },
      },
      xAxis: {
        type: "time",
        min: data.start,
        max: data.end,
        splitNumber: 4,
        axisLine: { lineStyle: { color: line } },
        axisTick: { show: false },
        axisLabel: { ...text, hideOverlap: true, formatter: (at) => clock(at, data.range) },
      },
      yAxis: {
        type: "value",
        // States and shares have ends; other values are shown around what was measured.
        scale: top === undefined,
        min: top === undefined ? undefined : 0,
        max: top,
        interval: states ? 1 : undefined,
        splitNumber: 3,
        name: unitOf(curve),
        nameTextStyle: { ...text, align: "right", padding: [0, 6, 0, 0] },
        axisLabel: {
          ...text,
          formatter: (value) => (states ? curve.states[value >= 0.5 ? 1 : 0] : curve.unit === "s" ? number(value / 3600, 1) : number(value, 1)),
        },
        splitLine: { lineStyle: { color: line } },
      },
      series: [
        {
          type: "line",
          data: rows,
          connectNulls: false,
          step: states ? "end" : false,
          showSymbol: sparse || curve.points.length < 3,
          symbolSize: 6,
          lineStyle: { width: sparse ? 0 : 2, color: colour("--chart-1") },
          itemStyle: { color: colour("--chart-1") },
          areaStyle: states ? { color: colour("--chart-1"), opacity: 0.12 } : undefined,
        },
      ],
    };
  };

  const summary = (curve) => {
    const last = worded(curve, curve.points[curve.points.length - 1][1]);
    if (curve.states.length) return fill(section.dataset.states, { last });
    return fill(section.dataset.summary, {
      min: worded(curve, Math.min(...curve.points.map((p) => p[2]))),
      max: worded(curve, Math.max(...curve.points.map((p) => p[3]))),
      last,
    });
  };

  // The same values for who cannot see or use the drawing; a gap is a row of its own.
  const table = (curve) => {
    const details = document.createElement("details");
    details.className = "chart-table";
    const head = document.createElement("summary");
    head.textContent = section.dataset.table;
    const box = document.createElement("div");
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", curve.name);
    details.append(head, box);
    details.addEventListener("toggle", () => {
      if (!details.open || box.firstChild) return;
      const made = document.createElement("table");
      const caption = made.createCaption();
      caption.className = "hidden-label";
      caption.textContent = curve.name;
      const titles = made.createTHead().insertRow();
      for (const title of [section.dataset.time, section.dataset.value]) {
        const cell = document.createElement("th");
        cell.scope = "col";
        cell.textContent = title;
        titles.append(cell);
      }
      const body = made.createTBody();
      for (const [at, value] of withGaps(curve).reverse()) {
        const row = body.insertRow();
        row.insertCell().textContent = moment(at);
        row.insertCell().textContent = value === null ? section.dataset.gap : worded(curve, value);
      }
      box.append(made);
    });
    return details;
  };

  const clear = () => {
    charts.forEach(({ chart }) => chart.dispose());
    charts = [];
    grid.replaceChildren();
  };

  let drawn = null;
  const draw = (data) => {
    // What somebody has zoomed to or opened stays when new values come.
    const same = drawn && drawn.range === data.range;
    const kept = new Map(
      charts.map(({ chart, key, details }) => {
        const { start, end } = chart.getOption().dataZoom[0];
        return [key, { zoom: same ? { start, end } : {}, open: details.open }];
      }),
    );
    drawn = data;
    clear();
    const curves = data.curves.filter((curve) => curve.points.length);
    status.textContent = section.dataset.empty;
    status.hidden = curves.length > 0;
    const made = [];
    for (const curve of curves) {
      const figure = document.createElement("figure");
      const title = document.createElement("h3");
      const canvas = document.createElement("div");
      const caption = document.createElement("figcaption");
      title.textContent = curve.name;
      canvas.className = curve.states.length ? "chart low" : "chart";
      canvas.setAttribute("aria-hidden", "true");
      caption.className = "quiet small number";
      caption.textContent = summary(curve);
      const details = table(curve);
      figure.append(title, canvas, caption, details);
      grid.append(figure);
      made.push({ curve, canvas, details });
    }
    // Only now is each as wide as it stays.
    for (const { curve, canvas, details } of made) {
      const chart = window.echarts.init(canvas, null, { renderer: "svg" });
      const option = options(curve, data);
      const before = kept.get(curve.name);
      if (before) {
        option.dataZoom.forEach((zoom) => Object.assign(zoom, before.zoom));
        details.open = before.open;
      }
      chart.setOption(option);
      charts.push({ chart, key: curve.name, details });
    }
  };

  const load = async (range, byItself = false) => {
    const mine = ++asked;
    section.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(`${section.dataset.url}?range=${range}`, {
        headers: { Accept: "application/json", ...(byItself ? { "Linli-Poll": "1" } : {}) },
        redirect: "error",
      });
      const data = await answer.json();
      if (mine !== asked) return;
      if (!answer.ok) throw new Error(data.error || section.dataset.failed);
      draw(data);
    } catch (error) {
      if (mine !== asked) return;
      clear();
      status.hidden = false;
      status.textContent = error instanceof TypeError || error instanceof SyntaxError ? section.dataset.failed : error.message;
    } finally {
      if (mine === asked) section.removeAttribute("aria-busy");
    }
  };

  const current = () => section.querySelector('[data-range][aria-pressed="true"]').dataset.range;
  section.addEventListener("click", (event) => {
    const button = event.target.closest("[data-range]");
    if (!button) return;
    for (const other of section.querySelectorAll("[data-range]")) other.setAttribute("aria-pressed", String(other === button));
    load(current());
  });
  window.addEventListener("resize", () => charts.forEach(({ chart }) => chart.resize()));
  const again = () => drawn && draw(drawn);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  document.addEventListener("linli:display", again);
  window.setInterval(() => {
    if (!document.hidden) load(current(), true);
  }, 60000);
  load(current());
})();
