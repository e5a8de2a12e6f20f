// Charts as SVG: the trade-off, scatter, ROC, calibration; tables by phone and by band; the confusion matrix; the gap.
function ticks([low, high], log) {
  if (log) {
    const found = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++) for (const k of [1, 2, 5]) found.push(k * 10 ** e);
    return found.filter(v => v >= low && v <= high);
  }
  const rough = (high - low) / 5, unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find(k => k * unit >= rough * .999), found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9; k++) found.push(Number((k * step).toPrecision(12)));
  return found;
}
const short = v => Math.abs(v) >= 1e6 ? `${Number((v / 1e6).toPrecision(3))} M` : Math.abs(v) >= 1e4 ? `${Number((v / 1e3).toPrecision(3))} k` : String(Number(v.toPrecision(4)));
function frame(x, y, { width = 380, height = 300, xlabel = "", ylabel = "", log = false, whole = false, label = "" } = {}) {
  const left = 52, right = 14, top = 10, bottom = 38;
  const fx = log ? Math.log10 : v => v;
  const px = v => left + (fx(v) - fx(x[0])) / (fx(x[1]) - fx(x[0])) * (width - left - right);
  const py = v => height - bottom - (v - y[0]) / (y[1] - y[0]) * (height - top - bottom);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label });
  for (const v of ticks(x, log).filter(v => !whole || Number.isInteger(v))) root.append(
    svg("line", { class: "axis", x1: px(v), x2: px(v), y1: top, y2: height - bottom }),
    svg("text", { x: px(v), y: height - bottom + 14, "text-anchor": "middle" }, short(v)));
  for (const v of ticks(y, false)) root.append(
    svg("line", { class: "axis", x1: left, x2: width - right, y1: py(v), y2: py(v) }),
    svg("text", { x: left - 5, y: py(v) + 4, "text-anchor": "end" }, short(v)));
  const middle = (top + height - bottom) / 2;
  root.append(svg("text", { x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" }, xlabel),
    svg("text", { x: 10, y: middle, "text-anchor": "middle", transform: `rotate(-90 10 ${middle})` }, ylabel));
  return { root, px, py };
}
const line = (chart, points, colour, dash) => svg("path", {
  d: points.map(([x, y], i) => `${i ? "L" : "M"}${chart.px(x).toFixed(1)} ${chart.py(y).toFixed(1)}`).join(""),
  fill: "none", stroke: colour, "stroke-width": 2, "stroke-dasharray": dash });
const figure = (title, ...parts) => el("figure", {}, el("figcaption", {}, title), ...parts);

function drawTradeoff() {
  const box = at("tradeoff"), plot = el("div");
  const ways = [["parameters", "parameters of the encoder"], ["trained", "parameters trained"], ["seconds", "seconds of training"], ["speed", "seconds of audio processed in a second"]];
  const cost = (s, way) => way === "speed" ? s.speed && s.speed.audio_per_second : s[way];
  const offered = ways.filter(([way]) => D.systems.some(s => cost(s, way) > 0));
  const metrics = D.main.filter(m => D.systems.some(s => s.metrics[m] && s.metrics[m].value !== null));
  if (!offered.length || !metrics.length) return;
  let way = offered[0][0], metric = metrics[0];
  const draw = () => {
    const all = D.systems.map((s, i) => [cost(s, way), s.metrics[metric], i]).filter(p => p[1] && p[1].value !== null);
    const known = all.filter(p => p[0] > 0), lacking = all.filter(p => !(p[0] > 0)).map(p => D.systems[p[2]].letter);
    const k = display(metric).factor;
    const ys = known.flatMap(([, f]) => [f.value, f.low, f.high].filter(v => v !== null).map(v => k * v));
    const pad = (Math.max(...ys) - Math.min(...ys)) * .15 || .05 * k, xs = known.map(p => p[0]);
    const chart = frame([Math.min(...xs) / 1.7, Math.max(...xs) * 1.7], [Math.min(...ys) - pad, Math.max(...ys) + pad],
      { width: Math.max(330, Math.min(620, box.clientWidth)), height: 320, xlabel: ways.find(w => w[0] === way)[1], ylabel: D.metrics[metric].label, log: true, label: "Quality against cost" });
    for (const [x, f, i] of known) {
      if (f.low !== null) chart.root.append(svg("line", { x1: chart.px(x), x2: chart.px(x), y1: chart.py(k * f.low), y2: chart.py(k * f.high), stroke: hue(i), "stroke-width": 2 }));
      chart.root.append(svg("circle", { cx: chart.px(x), cy: chart.py(k * f.value), r: 5, fill: hue(i) }, svg("title", {}, `${D.systems[i].name}: ${shown(metric, f.value)}`)),
        svg("text", { class: "mark", x: chart.px(x) + 9, y: chart.py(k * f.value) + 4 }, D.systems[i].letter));
    }
    const machines = [...new Set(D.systems.map(s => s.speed && s.speed.machine + (s.speed.busy ? " (busy with other work: too slow)" : "")).filter(Boolean))];
    const remarks = [lacking.length ? `Not known of ${lacking.join(", ")}.` : "", way === "speed" ? `Measured on ${machines.join("; ")}.` : "",
      way === "seconds" ? "On the machines where they were trained, which may differ." : ""].filter(Boolean).join(" ");
    plot.replaceChildren(chart.root, el("small", {}, remarks));
  };
  box.append(el("h3", {}, "Trade-off"), el("div", { class: "controls" },
    choice("quality", metrics.map(m => [m, D.metrics[m].label]), metric, v => { metric = v; draw(); }),
    choice("cost", offered, way, v => { way = v; draw(); })), plot, key());
  draw();
}

const ends = (metric, f) => !f || f.value === null ? "–" : `${shown(metric, f.value)}${f.low === null ? "" : ` (${shown(metric, f.low)}–${shown(metric, f.high)})`}`;
function drawCurves() {
  const scatter = el("div"), rocs = el("div");
  const drawScatter = s => {
    const chart = frame([-.5, 10.5], [Math.min(0, ...D.per[s].map(per => Math.max(-.5, 1 - per))) - .03, 1.05], { xlabel: "human sentence accuracy", ylabel: "1 - PER", label: "Predicted against human scores" });
    D.utterances.forEach((u, i) => {
      if (u[3] === null) return;
      const jitter = ((i * 2654435761) % 1000) / 1000 - .5;
      const playable = i in D.cases;
      chart.root.append(svg("circle", {
        cx: chart.px(u[3] + .7 * jitter).toFixed(1), cy: chart.py(Math.max(-.5, 1 - D.per[s][i])).toFixed(1), r: playable ? 2.6 : 1.6, fill: hue(s),
        opacity: playable ? .75 : .3, style: playable ? "cursor:pointer" : null, onclick: playable ? () => openCase(i) : () => {} },
        svg("title", {}, `${u[0]}: ${u[2]}; human ${u[3]}, PER ${percent(D.per[s][i])} %`)));
    });
    const below = D.per[s].filter(per => 1 - per < -.5).length;
    scatter.replaceChildren(chart.root, el("small", {}, `Pearson ${ends("", D.systems[s].metrics.utterance_pearson)}. Large points can be played: click one. Spread sideways for the eye.${below ? ` ${below} below -0.5 are drawn there.` : ""}`));
  };
  const targets = { utterance: "utterances of accuracy 6 or less", phone: "phones below 0.5", phone_le1: "phones of 1.0 or less" };
  const drawRoc = target => {
    const chart = frame([0, 1], [0, 1], { xlabel: "false alarms", ylabel: "detected", label: "ROC" });
    chart.root.append(line(chart, [[0, 0], [1, 1]], "var(--line)", "4 4"));
    D.systems.forEach((s, i) => { if (s.roc[target].length) chart.root.append(line(chart, s.roc[target], hue(i))); });
    rocs.replaceChildren(chart.root, el("small", {}, `AUC ${D.systems.map(s => `${s.letter} ${ends("", s.metrics[`${target}_auc`])}`).join("; ")}`));
  };
  const chart = frame([0, 1], [0, 1], { xlabel: "probability that the phone is the expected one", ylabel: "share that raters call right", label: "Calibration" });
  chart.root.append(line(chart, [[0, 0], [1, 1]], "var(--line)", "4 4"));
  const most = Math.max(...D.systems.flatMap(s => s.calibration.map(([, , n]) => n)));
  D.systems.forEach((s, i) => {
    chart.root.append(line(chart, s.calibration, hue(i)));
    for (const [x, y, n] of s.calibration) chart.root.append(svg("circle", { cx: chart.px(x), cy: chart.py(y), r: 2 + 6 * Math.sqrt(n / most), fill: hue(i), "fill-opacity": .6 }, svg("title", {}, `${s.name}: predicted ${percent(x)} %, right ${percent(y)} % of ${n}`)));
  });
  at("curve-charts").append(el("div", { class: "charts" },
    figure("Sentence scores, predicted against human", el("div", { class: "controls" }, systemChoice(drawScatter)), scatter),
    figure("ROC of mispronunciation detection", el("div", { class: "controls" }, choice("positive", Object.entries(targets), "utterance", drawRoc)), rocs),
    figure("Calibration of phone scores", el("div", { class: "controls" }, el("label", {}, "nothing is fitted; a point's area is the number of phones")), chart.root,
      el("small", {}, `Above the dashed line raters are more lenient than the system. Right: phone accuracy 0.5 or more. Expected calibration error ${D.systems.map(s => `${s.letter} ${s.calibration_error === null ? "–" : s.calibration_error.toFixed(3)}`).join("; ")}`))), key());
  drawScatter(0); drawRoc("utterance");
}

function drawPhones() {
  const box = at("phone-table");
  const names = [...new Set(D.systems.flatMap(s => s.phones.map(p => p.phone)))];
  const rows = names.map(phone => ({ phone, found: D.systems.map(s => s.phones.find(p => p.phone === phone)) }));
  const most = Math.max(...rows.flatMap(row => row.found.map(p => p.rate)), .01);
  let by = 0, down = true;
  const draw = () => {
    const value = row => by === "phone" ? row.phone : by === "n" ? row.found[0].n : row.found[by].rate;
    rows.sort((a, b) => (value(a) > value(b) ? 1 : value(a) < value(b) ? -1 : 0) * (down ? -1 : 1));
    const sorter = (field, ...text) => el("th", { class: field === "phone" ? null : "n", scope: "col", "aria-sort": by === field ? (down ? "descending" : "ascending") : null },
      el("button", { onclick: () => { down = by === field ? !down : field !== "phone"; by = field; draw(); } }, ...text, by === field ? (down ? " ↓" : " ↑") : ""));
    const rate = (p, i) => { const bar = el("i", { class: "bar" }); bar.style.width = `${100 * p.rate / most}%`; bar.style.background = hue(i);
      return el("td", { class: "n" }, percent(p.rate), el("small", {}, p.low === null ? "" : `${percent(p.low)}–${percent(p.high)}`), bar); };
    const body = rows.map(row => el("tr", {}, el("td", { style: "white-space: nowrap" }, `${row.phone} `, el("span", { class: "soft" }, D.ipa[row.phone])), el("td", { class: "n" }, String(row.found[0].n)),
      ...row.found.flatMap((p, i) => [rate(p, i), el("td", {}, el("small", {}, p.wrong.map(([phone, n]) => `${phone} ${n}`).join(", ")))])));
    box.querySelector(".scroll")?.remove();
    box.append(table([sorter("phone", "phone"), sorter("n", "n"), ...D.systems.flatMap((s, i) => [sorter(i, letter(s), " not recognised, %"), heading("recognised instead")])], body, "Errors by phone"));
  };
  box.append(el("p", { class: "soft" }, "Share of the occurrences of a canonical phone that were replaced or not recognised, with its 95 % interval over speakers. The canonical phone is not always what was said. Click a heading to sort."), key());
  draw();
}

function drawBands() {
  const box = el("div");
  const draw = metric => {
    const bands = Object.entries(D.systems[0].breakdowns).flatMap(([d, found]) => Object.keys(found).map(b => [d, b]));
    const rows = bands.filter(([d, b]) => metric in D.systems[0].breakdowns[d][b]).map(([d, b]) => el("tr", {}, el("td", {}, d), el("td", {}, b),
      ...D.systems.map(s => cell(metric, ((s.breakdowns[d] || {})[b] || {})[metric]))));
    box.replaceChildren(table([heading("by"), heading("band"), ...D.systems.map(s => systemHeading(s))], rows, "Breakdowns"));
  };
  at("band-box").append(el("div", { class: "controls" }, choice("figure", D.broken_down.map(m => [m, D.metrics[m].label]), "per", draw)), key(), box);
  draw("per");
}

function drawGap() {
  const g = D.gap;
  if (!g) { at("gap").remove(); at("to-gap").remove(); return; }
  const names = g.runs.map(id => D.systems.find(s => s.id === id).name);
  const row = c => el("tr", {}, el("td", { style: c.name.length < 9 ? "white-space: nowrap" : null }, c.name), el("td", { class: "n" }, String(c.n)),
    ...[c.first, c.second, c.difference].map(v => el("td", { class: "n" }, percent(v, 2))),
    el("td", { class: "n" }, c.low === null ? c.reason || "–" : `${percent(c.low, 2)} to ${percent(c.high, 2)}`),
    el("td", { class: "n" }, pValue(c.p)), el("td", { class: "n" }, pValue(c.p_holm)));
  const part = (title, rows) => [el("h3", {}, title), table(["", "n", "first %", "second %", "difference", "95 % interval", "p", "p (Holm)"].map((t, i) => heading(t, i > 0)), rows.map(row), title)];
  at("gap-box").append(
    el("p", { class: "soft" }, `First: ${names[0]}. Second: ${names[1]}. ${g.legend} Lower PER: first ${g.wins[0]}, second ${g.wins[1]}, ties ${g.wins[2]} utterances. Standard deviation of PER: ${g.spread.map(v => percent(v)).join(", ")} (of the difference).`),
    ...part("Overall", g.overall), ...part("Mean PER by human sentence accuracy", g.by_score), ...part("Phones where they differ most", g.by_phone.slice(0, 12)),
    el("h3", {}, "Cases"), el("div", { class: "controls" }, ...Object.entries(g.kinds).map(([kind, [title, n]]) =>
      el("button", { disabled: n === 0, onclick: () => filterCases(`gap: ${kind.replace("_", " ")}`) }, `${title}: ${n}${withSound(kind) < n ? `, ${withSound(kind)} with sound` : ""}`))));
}
const withSound = kind => D.order.filter(i => D.cases[i].tags.includes(`gap: ${kind.replace("_", " ")}`)).length;


function drawRuns() {
  const learningCurve = s => {
    const points = k => s.history.filter(row => row[k] !== null).map(row => [row[0], row[k]]);
    const one = (k, ylabel, scale) => {
      const found = points(k).map(([x, y]) => [x, scale * y]);
      if (found.length < 2) return "";
      const ys = found.map(p => p[1]), chart = frame([found[0][0], found[found.length - 1][0]], [Math.min(0, ...ys), Math.max(...ys) * 1.05], { width: 320, height: 210, whole: true, xlabel: "epoch", ylabel, label: `${ylabel} by epoch` });
      chart.root.append(line(chart, found, hue(D.systems.indexOf(s))));
      const best = found.find(p => p[0] === s.best_epoch);
      if (best) chart.root.append(svg("circle", { cx: chart.px(best[0]), cy: chart.py(best[1]), r: 4, fill: hue(D.systems.indexOf(s)) }, svg("title", {}, `epoch ${best[0]}, chosen on dev: ${best[1].toFixed(2)}`)));
      return figure(ylabel, chart.root);
    };
    return s.history.length < 2 ? "" : el("div", { class: "learning-curves" }, one(1, "training loss", 1), one(2, "PER (HQ) on dev, %", 100));
  };
  const controls = ["swapped", "silence", "noise"].filter(c => D.systems.some(s => s.metrics[`true_auc_${c}`]));
  const rows = D.systems.map(s => el("tr", {}, el("td", {}, letter(s)), ...controls.flatMap(c => [cell(`phone_fall_${c}`, s.metrics[`phone_fall_${c}`]), cell(`true_auc_${c}`, s.metrics[`true_auc_${c}`])])));
  if (controls.length) at("run-box").append(el("h3", {}, "Negative controls"),
    el("p", { class: "soft" }, "The same prompts with another speaker's audio of another sentence, with silence, with white noise. A system that uses the audio gives phones a lower score (fall, nats) and tells true from replaced audio (AUC 1)."),
    table([heading("system"), ...controls.flatMap(c => [heading(`fall, ${c}`, true), heading(`AUC, ${c}`, true)])], rows, "Negative controls"));
  at("run-box").append(...D.systems.map(s => el("details", { open: true }, el("summary", {}, letter(s), " ", el("span", { class: "text" }, s.name)),
    el("dl", {}, ...s.facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]),
      ...(s.speed ? [el("dt", {}, "speed"), el("dd", {}, `${s.speed.audio_per_second.toFixed(1)} s of audio in a second on ${s.speed.machine}${s.speed.busy ? ", busy with other work meanwhile" : ""}`)] : [])), learningCurve(s))));
}
