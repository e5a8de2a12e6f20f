// One recording an article; elements are built without markup, so that no text can become code.
const D = JSON.parse(document.getElementById("data").textContent);

function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
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
const whole = value => String(Math.round(value));
const range = figure => `${whole(figure.low)}–${whole(figure.high)}`;
const GRADES = { right: "good", accented: "fair", wrong: "poor" };
const MISCUES = { omission: "not said", substitution: "something else was said", repetition: "said again" };
const say = text => { document.getElementById("status").textContent = text; };

// The one player: a stretch of one recording sounds at a time.
const audio = new Audio();
const player = { audio, urls: {}, current: -1, stop: () => {} };
function play(index, from, to) {
  player.stop();
  const one = D[index], view = views[index];
  if (!one.sound) { say("this recording is not in the page"); return; }
  if (!player.urls[index]) {
    const bytes = Uint8Array.from(atob(one.sound.data), c => c.charCodeAt(0));
    player.urls[index] = URL.createObjectURL(new Blob([bytes], { type: one.sound.mime }));
  }
  if (player.current !== index) { audio.src = player.urls[index]; player.current = index; }
  let running = true;
  player.stop = () => {
    if (!running) return;
    running = false;
    audio.pause();
    view.head.style.display = "none";
    say("");
  };
  const follow = () => {
    if (!running) return;
    if (audio.currentTime >= to || audio.ended) { player.stop(); return; }
    view.head.style.display = "block";
    view.head.style.left = `${100 * audio.currentTime / one.duration}%`;
    requestAnimationFrame(follow);
  };
  const begin = () => { audio.currentTime = from; audio.play().then(follow, failed); };
  const failed = fault => {
    player.stop();
    if (fault.name !== "AbortError") say(`cannot play ${one.name}: ${fault.message}`);
  };
  say(`playing ${one.name} (Esc stops)`);
  if (audio.readyState >= 1) begin(); else audio.addEventListener("loadedmetadata", begin, { once: true });
}
document.addEventListener("keydown", event => { if (event.key === "Escape") player.stop(); });

const ROOM = 0.06; // seconds of sound around a phone, which alone would be a click
function select(index, stretch, text, room = 0) {
  const { select: box, detail } = views[index], one = D[index];
  const from = Math.max(0, stretch.start - room), to = Math.min(one.duration, stretch.end + room);
  box.setAttribute("x", 100 * from / one.duration);
  box.setAttribute("width", 100 * (to - from) / one.duration);
  detail.textContent = text;
  play(index, from, to);
}

function phoneText(phone) {
  const heard = phone.candidates.map(c => `${c.arpabet ? `${c.arpabet} /${c.ipa}/` : "nothing"} ${whole(100 * c.probability)} %`);
  const kind = {
    none: "right", accent: "accented", deletion: "missing",
    substitution: phone.instead ? `sounds like ${phone.instead} /${phone.instead_ipa}/` : "another sound",
  }[phone.verdict === "wrong" && phone.error === "accent" ? "off" : phone.error] ?? "wrong";
  return `${phone.expected} /${phone.expected_ipa}/: ${whole(phone.accuracy.value)} (${range(phone.accuracy)}), ${kind}. ` +
    `Heard: ${heard.join(", ")}. Mispronounced with ${whole(100 * phone.error_probability)} %. ` +
    `${phone.start.toFixed(2)}–${phone.end.toFixed(2)} s.`;
}
function phoneButton(index, phone) {
  const wrong = phone.error === "substitution" ? `→${phone.instead_ipa ?? "?"}` : phone.error === "deletion" ? "∅" : null;
  const classes = [GRADES[phone.verdict], phone.flagged ? "flag" : "", "phone"].join(" ");
  return el("button", { class: classes, type: "button", "aria-label": phoneText(phone),
    onclick: () => select(index, phone, phoneText(phone), ROOM) },
    el("span", { class: phone.error === "deletion" ? "gone" : null }, phone.expected_ipa), wrong ? ` ${wrong}` : null,
    el("small", {}, phone.expected));
}
function insertedButton(index, one) {
  const text = `${one.phone} /${one.phone_ipa}/ was put in (${whole(100 * one.probability)} %), ${one.start.toFixed(2)} s.`;
  return el("button", { class: "put-in", type: "button", "aria-label": text, onclick: () => select(index, one, text, ROOM) },
    `+${one.phone_ipa}`, el("small", {}, one.phone));
}
function shown(word) {
  const bare = word.written.replace(/^[^\p{L}']+|[^\p{L}']+$/gu, "");
  return bare.toLowerCase() === word.text ? bare : word.text; // I, not i
}
function wordText(word) {
  const from = word.source === "guessed" ? ", a guess" : word.source === "given" ? "" : `, ${word.source}`;
  return `${shown(word)} /${word.pronunciation_ipa}/${from}: total ${whole(word.total.value)} (${range(word.total)}), ` +
    `accuracy ${whole(word.accuracy.value)} (${range(word.accuracy)}), stress ${whole(word.stress.value)} (${range(word.stress)}). ` +
    `${word.start.toFixed(2)}–${word.end.toFixed(2)} s.`;
}
function wordBox(index, word, place, first) {
  const one = D[index];
  const buttons = [];
  word.phones.forEach((phone, i) => {
    one.insertions.filter(added => added.before_phone === first + i).forEach(added => buttons.push(insertedButton(index, added)));
    buttons.push(phoneButton(index, phone));
  });
  const last = place === one.words.length - 1;
  if (last) one.insertions.filter(added => added.before_word > place).forEach(added => buttons.push(insertedButton(index, added)));
  return el("div", { class: "word" },
    el("button", { type: "button", "aria-label": wordText(word), onclick: () => select(index, word, wordText(word)) },
      shown(word), el("span", {}, whole(word.total.value))),
    el("div", { class: "phones" }, ...buttons),
    word.source === "guessed" ? el("div", { class: "source" }, "pronunciation guessed") : null,
    word.miscue in MISCUES ? el("div", { class: "source" }, MISCUES[word.miscue]) : null);
}
function outline(peaks) {
  const step = 100 / Math.max(1, peaks.length);
  const up = [...peaks].map((p, i) => `${(i * step).toFixed(2)},${(50 - 5 * Number(p) - .5).toFixed(1)}`);
  const down = [...peaks].map((p, i) => `${(i * step).toFixed(2)},${(50 + 5 * Number(p) + .5).toFixed(1)}`).reverse();
  return `M${[...up, ...down].join("L")}Z`;
}
const views = [];
function article(one, index) {
  const box = svg("rect", { x: 0, y: 0, width: 0, height: 100 });
  const head = el("div", { class: "head" });
  const detail = el("p", { class: "detail", "aria-live": "polite" }, el("span", { class: "soft" }, "Click a word or a phone: it plays, and its scores stand here."));
  views[index] = { select: box, head, detail };
  let first = 0;
  const words = one.words.map((word, place) => {
    const made = wordBox(index, word, place, first);
    first += word.phones.length;
    return made;
  });
  const figures = ["total", "accuracy", "fluency", "prosody"].map(name => {
    const figure = one.sentence[name];
    return el("div", {}, el("dt", {}, name), el("dd", {}, el("b", {}, whole(figure.value)), ` (${range(figure)})`,
      el("small", {}, figure.meaning +
        (figure.percentile == null ? "" : `; above ${whole(figure.percentile)} % of the corpus' readings`))));
  });
  const button = el("button", { class: "play", type: "button", disabled: !one.sound,
    onclick: () => play(index, 0, Infinity) }, one.sound ? "▶ play" : "no sound here");
  return el("article", { id: `recording-${index}` },
    el("div", { class: "top" }, button, el("h2", {}, one.text ?? one.name), el("span", { class: "soft" }, `${one.name}, ${one.duration.toFixed(1)} s`)),
    ...one.warnings.map(w => el("p", { class: "warning" }, w.message)),
    el("dl", { class: "figures" }, ...figures),
    one.peaks ? el("div", { class: "wave" }, svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("path", { d: outline(one.peaks) }), box), head) : null,
    el("div", { class: "words" }, ...words), detail);
}
document.getElementById("recordings").replaceChildren(...D.map(article));
