/* Telemetry charts of a device. Data come as JSON, colours from the style sheet; every chart has a sentence
   below it, and the page links to the same values as a table. */
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
    if (curve.unit === "s") return `${number(value / 3600, 1)} h`;
    return `${number(value, 1)} ${curve.unit}`.trim();
  };

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
    const rows = withGaps(curve);
    // Readings that come one by one are dots; a line would only show a few of them.
    const sparse = !states && (rows.length - curve.points.length) * 10 > curve.points.length;
    const quiet = colour("--ink-2");
    const line = colour("--line");
    return {
      animation: false,
      grid: { left: 8, right: 12, top: 12, bottom: 4, containLabel: true },
      textStyle: { fontFamily: colour("--font") },
      tooltip: {
        trigger: "axis",
        renderMode: "richText",
        backgroundColor: colour("--surface"),
        borderColor: line,
        textStyle: { color: colour("--ink") },
        formatter: (rows) => {
          const row = rows.find((entry) => entry.value[1] !== null);
          if (!row) return "";
          return `${new Date(row.value[0]).toLocaleString(locale)}\n${worded(curve, row.value[1])}`;
        },
      },
      xAxis: {
        type: "time",
        min: data.start,
        max: data.end,
        splitNumber: 4,
        axisLine: { lineStyle: { color: line } },
        axisTick: { show: false },
        axisLabel: {
          color: quiet,
          hideOverlap: true,
          formatter:
            data.range === "7d"
              ? (at) => new Date(at).toLocaleDateString(locale, { month: "numeric", day: "numeric" })
              : (at) => new Date(at).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" }),
        },
      },
      yAxis: {
        type: "value",
        scale: !states,
        min: states ? 0 : undefined,
        max: states ? 1 : undefined,
        interval: states ? 1 : undefined,
        splitNumber: 3,
        axisLabel: {
          color: quiet,
          formatter: (value) => (states ? curve.states[value >= 0.5 ? 1 : 0] : curve.unit === "s" ? number(value / 3600, 1) : number(value, 1)),
        },
        splitLine: { lineStyle: { color: line } },
      },
      series: [
        {
          type: "line",
          data: rows,
          step: states ? "end" : false,
          showSymbol: sparse || curve.points.length < 3,
          symbolSize: 6,
          lineStyle: { width: sparse ? 0 : 2, color: colour("--accent") },
          itemStyle: { color: colour("--accent") },
          areaStyle: states ? { color: colour("--accent"), opacity: 0.12 } : undefined,
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

  const draw = (data) => {
    charts.forEach((chart) => chart.dispose());
    charts = [];
    grid.replaceChildren();
    const curves = data.curves.filter((curve) => curve.points.length);
    status.textContent = section.dataset.empty;
    status.hidden = curves.length > 0;
    for (const curve of curves) {
      const figure = document.createElement("figure");
      const title = document.createElement("h3");
      const canvas = document.createElement("div");
      const caption = document.createElement("figcaption");
      title.textContent = curve.unit ? `${curve.name} (${curve.unit === "s" ? "h" : curve.unit})` : curve.name;
      canvas.className = curve.states.length ? "chart low" : "chart";
      canvas.setAttribute("aria-hidden", "true");
      caption.className = "quiet small number";
      caption.textContent = summary(curve);
      figure.append(title, canvas, caption);
      grid.append(figure);
      const chart = window.echarts.init(canvas, null, { renderer: "svg" });
      chart.setOption(options(curve, data));
      charts.push(chart);
    }
  };

  const load = async (range) => {
    const mine = ++asked;
    section.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(`${section.dataset.url}?range=${range}`, {
        headers: { Accept: "application/json" },
        redirect: "error",
      });
      const data = await answer.json();
      if (mine !== asked) return;
      if (!answer.ok) throw new Error(data.error || section.dataset.failed);
      draw(data);
    } catch (error) {
      if (mine !== asked) return;
      charts.forEach((chart) => chart.dispose());
      charts = [];
      grid.replaceChildren();
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
  window.addEventListener("resize", () => charts.forEach((chart) => chart.resize()));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => load(current()));
  window.setInterval(() => {
    if (!document.hidden) load(current());
  }, 60000);
  load(current());
})();
