// Charts as SVG: the trade-off, scatter, ROC, calibration; tables by phone and by band; the confusion matrix; the gap.
function frame(x, y, { width = 380, height = 300, xlabel = "", ylabel = "", log = false, label = "" } = {}) {
  const left = 46, right = 10, top = 10, bottom = 38;
  const fx = log ? Math.log10 : v => v;
  const px = v => left + (fx(v) - fx(x[0])) / (fx(x[1]) - fx(x[0])) * (width - left - right);
  const py = v => height - bottom - (v - y[0]) / (y[1] - y[0]) * (height - top - bottom);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label });
  const tick = v => Math.abs(v) >= 1e6 ? `${v / 1e6} M` : String(Number(v.toPrecision(3)));
  for (let i = 0; i <= 4; i++) {
    const vx = log ? 10 ** (fx(x[0]) + (fx(x[1]) - fx(x[0])) * i / 4) : x[0] + (x[1] - x[0]) * i / 4;
    const vy = y[0] + (y[1] - y[0]) * i / 4;
    root.append(
      svg("line", { class: "axis", x1: px(vx), x2: px(vx), y1: top, y2: height - bottom }),
      svg("line", { class: "axis", x1: left, x2: width - right, y1: py(vy), y2: py(vy) }),
      svg("text", { x: px(vx), y: height - bottom + 14, "text-anchor": "middle" }, tick(Number(vx.toPrecision(2)))),
      svg("text", { x: left - 5, y: py(vy) + 4, "text-anchor": "end" }, tick(vy)));
  }
  root.append(svg("text", { x: (left + width) / 2, y: height - 6, "text-anchor": "middle" }, xlabel),
    svg("text", { x: 11, y: height / 2, "text-anchor": "middle", transform: `rotate(-90 11 ${height / 2 - 10})` }, ylabel));
  return { root, px, py };
}
const line = (chart, points, colour, dash) => svg("path", {
  d: points.map(([x, y], i) => `${i ? "L" : "M"}${chart.px(x).toFixed(1)} ${chart.py(y).toFixed(1)}`).join(""),
  fill: "none", stroke: colour, "stroke-width": 2, "stroke-dasharray": dash });
const figure = (title, ...parts) => el("figure", {}, el("figcaption", {}, title), ...parts);

function drawTradeoff() {
  const box = at("tradeoff"), plot = el("div");
  const ways = [["parameters", "parameters of the encoder"], ["trained", "parameters trained"], ["seconds", "seconds of training"]]
    .filter(([field]) => D.systems.every(s => s[field] > 0));
  const metrics = ["per_hq", "utterance_pearson", "phone_pearson", "utterance_auc", "phone_auc"]
    .filter(m => D.systems.some(s => s.metrics[m] && s.metrics[m].value !== null));
  if (!ways.length || !metrics.length) return;
  let way = ways[0][0], metric = metrics[0];
  const draw = () => {
    const known = D.systems.map((s, i) => [s[way], s.metrics[metric], i]).filter(p => p[1] && p[1].value !== null);
    const k = isPercent(metric) ? 100 : 1;
    const ys = known.flatMap(([, f]) => [f.value, f.low, f.high].filter(v => v !== null).map(v => k * v));
    const pad = (Math.max(...ys) - Math.min(...ys)) * .15 || .05 * k, xs = known.map(p => p[0]);
    const chart = frame([Math.min(...xs) / 2, Math.max(...xs) * 2], [Math.min(...ys) - pad, Math.max(...ys) + pad],
      { width: 620, xlabel: ways.find(w => w[0] === way)[1], ylabel: D.labels[metric], log: true, label: "Quality against cost" });
    for (const [x, f, i] of known) {
      if (f.low !== null) chart.root.append(svg("line", { x1: chart.px(x), x2: chart.px(x), y1: chart.py(k * f.low), y2: chart.py(k * f.high), stroke: hue(i), "stroke-width": 2 }));
      chart.root.append(svg("circle", { cx: chart.px(x), cy: chart.py(k * f.value), r: 5, fill: hue(i) }, svg("title", {}, `${D.systems[i].name}: ${shown(metric, f.value)}`)));
    }
    plot.replaceChildren(chart.root);
  };
  box.append(el("h3", {}, "Trade-off"), el("div", { class: "controls" },
    choice("quality", metrics.map(m => [m, D.labels[m]]), metric, v => { metric = v; draw(); }),
    choice("cost", ways, way, v => { way = v; draw(); })), plot, key());
  draw();
}

function drawCurves() {
  const scatter = el("div"), rocs = el("div");
  const drawScatter = s => {
    const chart = frame([-.5, 10.5], [-.2, 1.05], { xlabel: "human sentence accuracy", ylabel: "1 - PER", label: "Predicted against human scores" });
    D.utterances.forEach((u, i) => {
      if (u[3] === null) return;
      const jitter = ((i * 2654435761) % 1000) / 1000 - .5;
      const heard = i in D.cases;
      chart.root.append(svg("circle", {
        cx: chart.px(u[3] + .7 * jitter), cy: chart.py(Math.max(-.2, 1 - D.per[s][i])), r: heard ? 3.2 : 1.7, fill: hue(s),
        opacity: heard ? .9 : .35, style: heard ? "cursor:pointer" : null, onclick: heard ? () => openCase(i) : () => {} },
        svg("title", {}, `${u[0]}: ${u[2]}; human ${u[3]}, PER ${percent(D.per[s][i])} %`)));
    });
    const r = D.systems[s].metrics.utterance_pearson;
    scatter.replaceChildren(chart.root, el("small", {}, `Pearson ${shown("", r ? r.value : null)}. Large points can be heard: click one. Spread sideways for the eye.`));
  };
  const targets = { utterance: "utterances of accuracy 6 or less", phone: "phones below 0.5", phone_le1: "phones of 1.0 or less" };
  const drawRoc = target => {
    const chart = frame([0, 1], [0, 1], { xlabel: "false alarms", ylabel: "detected", label: "ROC" });
    chart.root.append(line(chart, [[0, 0], [1, 1]], "var(--line)", "4 4"));
    D.systems.forEach((s, i) => { if (s.roc[target].length) chart.root.append(line(chart, s.roc[target], hue(i))); });
    const areas = D.systems.map(s => shown("", (s.metrics[`${target}_auc`] || { value: null }).value)).join(", ");
    rocs.replaceChildren(chart.root, el("small", {}, `AUC: ${areas}`));
  };
  const chart = frame([0, 1], [0, 1], { xlabel: "probability that the phone is the expected one", ylabel: "share that people call right", label: "Calibration" });
  chart.root.append(line(chart, [[0, 0], [1, 1]], "var(--line)", "4 4"));
  D.systems.forEach((s, i) => {
    chart.root.append(line(chart, s.calibration, hue(i)));
    for (const [x, y, n] of s.calibration) chart.root.append(svg("circle", { cx: chart.px(x), cy: chart.py(y), r: 3, fill: hue(i) }, svg("title", {}, `${s.name}: said ${percent(x)} %, right ${percent(y)} % of ${n}`)));
  });
  at("curve-charts").append(
    figure("Sentence scores, predicted against human", el("div", { class: "controls" }, systemChoice(drawScatter)), scatter),
    figure("ROC of mispronunciation detection", el("div", { class: "controls" }, choice("positive", Object.entries(targets), "utterance", drawRoc)), rocs),
    figure("Calibration of phone scores", chart.root, el("small", {}, "Nothing is fitted; below the dashed line a system is too sure. Right: phone accuracy 0.5 or more.")));
  at("curve-charts").after(key());
  drawScatter(0); drawRoc("utterance");
}

function drawPhones() {
  const box = at("phone-table");
  const names = [...new Set(D.systems.flatMap(s => s.phones.map(p => p.phone)))];
  const rows = names.map(phone => ({ phone, found: D.systems.map(s => s.phones.find(p => p.phone === phone)) }));
  let by = 0, down = true;
  const draw = () => {
    const value = row => by === "phone" ? row.phone : by === "n" ? row.found[0].n : row.found[by].rate;
    rows.sort((a, b) => (value(a) > value(b) ? 1 : -1) * (down ? -1 : 1));
    const sorter = (field, text) => el("th", { class: "n", scope: "col", "aria-sort": by === field ? (down ? "descending" : "ascending") : null },
      el("button", { onclick: () => { down = by === field ? !down : field !== "phone"; by = field; draw(); } }, text));
    const body = rows.map(row => el("tr", {}, el("td", {}, `${row.phone} `, el("span", { class: "soft" }, D.ipa[row.phone])), el("td", { class: "n" }, String(row.found[0].n)),
      ...row.found.flatMap(p => [
        el("td", { class: "n" }, percent(p.rate), el("small", {}, p.low === null ? "" : `${percent(p.low)}–${percent(p.high)}`)),
        el("td", {}, el("small", {}, p.wrong.map(([heard, n]) => `${heard} ${n}`).join(", ")))])));
    box.replaceChildren(table([sorter("phone", "phone"), sorter("n", "n"), ...D.systems.flatMap((s, i) => [sorter(i, `${s.name}: not heard, %`), heading("heard instead")])], body, "Errors by phone"));
  };
  draw();
  box.before(el("p", { class: "soft" }, "Share of the occurrences of a canonical phone that were replaced or not heard, with its 95 % interval over speakers. The canonical phone is not always what was said. Click a heading to sort."));
}

function drawBands() {
  const metrics = ["per", "utterance_pearson", "phone_pearson", "phone_auc"];
  const box = el("div");
  const draw = metric => {
    const bands = Object.entries(D.systems[0].breakdowns).flatMap(([d, found]) => Object.keys(found).map(b => [d, b]));
    const rows = bands.filter(([d, b]) => metric in D.systems[0].breakdowns[d][b]).map(([d, b]) => el("tr", {}, el("td", {}, d), el("td", {}, b),
      ...D.systems.map(s => cell(metric, ((s.breakdowns[d] || {})[b] || {})[metric]))));
    box.replaceChildren(table([heading("by"), heading("band"), ...D.systems.map(s => heading(s.name, true))], rows, "Breakdowns"));
  };
  at("band-box").append(el("div", { class: "controls" }, choice("figure", metrics.map(m => [m, D.labels[m]]), "per", draw)), box);
  draw("per");
}

function drawGap() {
  const g = D.gap;
  if (!g) { at("gap").remove(); at("to-gap").remove(); return; }
  const names = g.runs.map(id => D.systems.find(s => s.id === id).name);
  const row = c => el("tr", {}, el("td", {}, c.name), el("td", { class: "n" }, String(c.n)),
    ...[c.first, c.second, c.difference].map(v => el("td", { class: "n" }, percent(v, 2))),
    el("td", { class: "n" }, c.low === null ? c.reason || "–" : `${percent(c.low, 2)} to ${percent(c.high, 2)}`),
    el("td", { class: "n" }, c.p_holm === null ? "–" : c.p_holm.toFixed(3)));
  const part = (title, rows) => [el("h3", {}, title), table(["", "n", "first %", "second %", "difference", "95 % interval", "p (Holm)"].map((t, i) => heading(t, i > 0)), rows.map(row), title)];
  at("gap-box").append(
    el("p", { class: "soft" }, `First: ${names[0]}. Second: ${names[1]}. Differences are first less second in points, intervals paired over speakers. Lower PER: first ${g.wins[0]}, second ${g.wins[1]}, ties ${g.wins[2]} utterances. Standard deviation of PER: ${g.spread.map(v => percent(v)).join(", ")} (of the difference).`),
    ...part("Overall", g.overall), ...part("Mean PER by human sentence accuracy", g.by_score), ...part("Phones where they differ most", g.by_phone.slice(0, 12)),
    el("h3", {}, "Cases"), el("div", { class: "controls" }, ...Object.entries(g.kinds).map(([kind, [title, n]]) =>
      el("button", { disabled: n === 0, onclick: () => filterCases(`gap: ${kind.replace("_", " ")}`) }, `${title}: ${n}`))));
}
