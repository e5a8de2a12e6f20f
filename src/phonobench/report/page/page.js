// The page's data, elements built without markup (so that no text can become code), and the one player.
const D = JSON.parse(document.getElementById("data").textContent);
const HUES = [0, 1, 2, 3, 4, 5, 6, 7].map(i => `var(--c${i})`);
const hue = s => HUES[s % HUES.length];

function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  return filled(node, attributes, children);
}
function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}
function filled(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter(child => child !== null && child !== undefined));
  return node;
}
const at = id => document.getElementById(id);
const PLAIN = { factor: 1, decimals: 3 };
const display = metric => D.metrics[metric] || PLAIN;
function shown(metric, value) {
  if (value === null || value === undefined) return "–";
  return (display(metric).factor * value).toFixed(display(metric).decimals);
}
const percent = (value, digits = 1) => value === null ? "–" : (100 * value).toFixed(digits);
function cell(metric, figure) {
  if (!figure || figure.value === null) return el("td", { class: "n", title: figure ? figure.reason : "not measured" }, "–");
  const ends = figure.low === null ? (figure.reason || "") : `${shown(metric, figure.low)}–${shown(metric, figure.high)}`;
  return el("td", { class: "n", title: `n ${figure.n}, ${figure.speakers} speakers` }, shown(metric, figure.value), el("small", {}, ends));
}
function choice(label, options, chosen, onpick) {
  const box = el("select", { onchange: event => onpick(event.target.value) },
    ...options.map(([value, text]) => el("option", { value, selected: String(value) === String(chosen) }, text)));
  return el("label", {}, label, box);
}
const systemChoice = onpick => choice("system", D.systems.map((s, i) => [i, `${s.letter}: ${s.name}`]), 0, value => onpick(Number(value)));
const letter = s => { const mark = el("b", { class: "letter" }, s.letter); mark.style.background = hue(D.systems.indexOf(s)); return mark; };
const key = (more = () => "") => el("div", { class: "key" }, ...D.systems.map(s => el("span", {}, letter(s), ` ${s.name}${more(s)}`)));
function table(headings, rows, name) {
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": name },
    el("table", {}, el("thead", {}, el("tr", {}, ...headings)), el("tbody", {}, ...rows)));
}
const heading = (text, numeric) => el("th", { class: numeric ? "n" : null, scope: "col" }, text);
const systemHeading = (s, text = "") => el("th", { class: "n", scope: "col", title: s.name }, letter(s), text);
const pValue = p => p === null ? "–" : p < .001 ? "< 0.001" : p.toFixed(3);

// One utterance sounds at a time; `from` and `to` are seconds, `onmove(seconds, ended)` follows the playhead.
const player = { audio: new Audio(), urls: {}, stop: null };
function play(index, from = 0, to = Infinity, onmove = () => {}) {
  if (player.stop) player.stop();
  const found = D.cases[index];
  if (!player.urls[index]) {
    const bytes = Uint8Array.from(atob(found.data), c => c.charCodeAt(0));
    player.urls[index] = URL.createObjectURL(new Blob([bytes], { type: found.mime }));
  }
  const audio = player.audio;
  if (audio.dataset.index !== String(index)) { audio.src = player.urls[index]; audio.dataset.index = index; }
  let running = true;
  const stop = () => {
    if (!running) return;
    running = false;
    audio.pause();
    at("status").textContent = "";
    onmove(audio.currentTime, true);
  };
  const follow = () => {
    if (!running) return;
    if (audio.currentTime >= to || audio.ended) { stop(); return; }
    onmove(audio.currentTime, false);
    requestAnimationFrame(follow);
  };
  player.stop = stop;
  audio.currentTime = from;
  at("status").textContent = `playing ${D.utterances[index][0]} (Esc stops)`;
  audio.play().then(follow, fault => {
    stop();
    if (fault.name !== "AbortError") at("status").textContent = `cannot play ${D.utterances[index][0]}: ${fault.message}`;
  });
}
document.addEventListener("keydown", event => { if (event.key === "Escape" && player.stop) player.stop(); });
