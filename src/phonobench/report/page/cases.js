// The confusion matrix, whose cells list their cases, and the utterances to listen to.
const PHONES = Object.keys(D.ipa);
function drawConfusion() {
  const rows = [...PHONES, "<INS>"], columns = [...PHONES, "<DEL>"], size = 15, left = 42, top = 44, right = 34;
  const box = at("confusion-box"), plot = el("div", { class: "scroll" }),  list = el("div", { id: "cell-cases", "aria-live": "polite" }), often = el("div", { class: "often" });
  let system = 0, place = [0, 0], cursor = null;
  const count = (r, c) => (D.confusion[system][`${rows[r]}>${columns[c]}`] || [0])[0];
  const name = (r, c) => `${rows[r]} recognised as ${columns[c]}: ${count(r, c)}`;
  const pick = (r, c) => { place = [r, c]; move(); listCell(list, system, rows[r], columns[c]); };
  const move = () => {
    cursor.setAttribute("x", left + place[1] * size); cursor.setAttribute("y", top + place[0] * size);
    at("cell-name").textContent = name(...place);
  };
  const keyed = event => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (step) { place = [(place[0] + step[0] + rows.length) % rows.length, (place[1] + step[1] + columns.length) % columns.length]; move(); event.preventDefault(); }
    if (event.key === "Enter" || event.key === " ") { pick(...place); event.preventDefault(); }
  };
  const draw = chosen => {
    system = chosen;
    const totals = Object.fromEntries(D.systems[system].phones.map(p => [p.phone, p.n]));
    totals["<INS>"] = columns.reduce((sum, _, c) => sum + count(rows.length - 1, c), 0);
    const root = svg("svg", { class: "matrix", viewBox: `0 0 ${left + size * columns.length + right} ${top + size * rows.length + 4}`, width: left + size * columns.length + right, height: top + size * rows.length + 4, tabindex: 0, role: "application", "aria-label": "Confusion matrix: arrow keys move, Enter lists the cases", onkeydown: keyed });
    root.style.maxWidth = "none";
    rows.forEach((p, r) => root.append(svg("text", { x: left - 4, y: top + r * size + 11, "text-anchor": "end" }, p)));
    columns.forEach((p, c) => root.append(svg("text", { x: 0, y: 0, transform: `translate(${left + c * size + 11} ${top - 4}) rotate(-60)` }, p)));
    rows.forEach((p, r) => columns.forEach((q, c) => {
      const n = count(r, c), strength = Math.min(1, n / totals[p] / .12);
      root.append(svg("rect", { x: left + c * size, y: top + r * size, width: size - 1, height: size - 1, "data-cell": `${p}>${q}`,
        fill: p === q ? "var(--line)" : "var(--bad)", "fill-opacity": p === q ? 1 : n ? .08 + .92 * strength : .02, onclick: () => pick(r, c) }, svg("title", {}, name(r, c))));
    }));
    cursor = svg("rect", { class: "cursor", width: size - 1, height: size - 1 });
    root.append(cursor);
    plot.replaceChildren(root);
    const top20 = Object.entries(D.confusion[system]).sort((a, b) => b[1][0] - a[1][0]).slice(0, 20);
    often.replaceChildren(el("h3", {}, "The commonest"), el("div", { class: "controls" }, ...top20.map(([cell, [n]]) => {
      const cut = cell.startsWith("<INS>") ? 5 : cell.indexOf(">"), a = cell.slice(0, cut), b = cell.slice(cut + 1);
      return el("button", { onclick: () => pick(rows.indexOf(a), columns.indexOf(b)) }, `${a} → ${b} ${n}`);
    })));
    list.replaceChildren(); move();
  };
  box.append(el("p", { class: "soft" }, "Rows: expected phone (<INS>: nothing expected). Columns: recognised (<DEL>: nothing). Darker: a larger share of the row, full at 12 %; of <INS>, a share of all insertions. The diagonal, recognised as expected, is grey. Click a cell, or move with the arrow keys and press Enter, to list its cases."),
    el("div", { class: "controls" }, systemChoice(draw), el("output", { id: "cell-name" })), plot, often, list);
  draw(0);
}
function listCell(box, system, expected, recognised) {
  const [n, found] = D.confusion[system][`${expected}>${recognised}`] || [0, []];
  const items = found.map(i => el("li", {}, i in D.cases
    ? el("button", { class: "play", "aria-label": `play ${D.utterances[i][0]}`, onclick: () => play(i) }, "▶") : el("span", { class: "soft", title: "the sound of this utterance is not in the page" }, "–"),
    " ", i in D.cases ? el("a", { href: `#case-${i}`, onclick: event => { event.preventDefault(); openCase(i); } }, D.utterances[i][2]) : D.utterances[i][2],
    el("small", {}, `${D.utterances[i][0]}, human ${D.utterances[i][3] ?? "–"}, PER ${percent(D.per[system][i])} %`)));
  box.replaceChildren(el("h3", {}, `${expected} recognised as ${recognised}: ${n} times`),
    n ? el("ul", { class: "list" }, ...items) : el("p", { class: "soft" }, "Never."));
}

const filter = { tag: "", text: "", gender: "", age: "", sort: "chosen", limit: 15 };
const ids = D.order;
function matching() {
  const words = filter.text.toLowerCase();
  const found = ids.filter(i => {
    const [id, speaker, text, , age, gender] = D.utterances[i];
    return (!filter.tag || D.cases[i].tags.includes(filter.tag)) && (!words || `${id} ${speaker} ${text}`.toLowerCase().includes(words))
      && (!filter.gender || gender === filter.gender) && (!filter.age || age !== null && (filter.age === "child") === (age < 18));
  });
  const per = i => Math.max(...D.per.map(p => p[i]));
  if (filter.sort === "per") found.sort((a, b) => per(b) - per(a));
  if (filter.sort === "accuracy") found.sort((a, b) => (D.utterances[a][3] ?? 99) - (D.utterances[b][3] ?? 99));
  return found;
}
function drawCases(open = null) {
  const found = matching(), some = found.slice(0, filter.limit);
  if (open !== null && !some.includes(open)) some.unshift(open);
  at("case-count").textContent = `${found.length} of ${ids.length} utterances with sound (${D.utterances.length} in the split)`;
  at("case-list").replaceChildren(...some.map((i, place) => card(i, i === open || (open === null && place === 0))),
    found.length > filter.limit ? el("button", { class: "more", onclick: () => { filter.limit += 25; drawCases(); } }, `${found.length - filter.limit} more`) : "");
}
function drawListen() {
  const tags = [...new Set(ids.flatMap(i => D.cases[i].tags))];
  const genders = [...new Set(ids.map(i => D.utterances[i][5]).filter(g => g !== null))];
  const set = field => value => { filter[field] = value; filter.limit = 15; drawCases(); };
  const any = options => [["", "all"], ...options];
  const score = (n, text) => [el("span", { class: `swatch s${n}` }), text];
  at("case-box").append(
    el("p", { class: "soft" }, "Phones are coloured by score: probability of the expected phone against all its rivals;", ...score(4, "80 % and more"), ...score(3, "60"), ...score(2, "40"), ...score(1, "20"), ...score(0, "less"),
      ". Raters: phone accuracy 0 to 2 on the same colours. A recognised phone is framed where it is not expected. Times are of CTC peaks, drawn half-way to the neighbours. A click on a phone plays it."),
    el("div", { class: "controls" }, el("label", {}, "search", el("input", { id: "case-search", type: "search", oninput: event => set("text")(event.target.value) })),
      filled(choice("why", any(tags.map(t => [t, t])), "", set("tag")), { id: "case-tag" }, []), choice("gender", any(genders.map(g => [g, g])), "", set("gender")),
      choice("age", any([["child", "under 18"], ["adult", "18 and more"]]), "", set("age")),
      choice("sort", [["chosen", "by reason"], ["per", "highest PER"], ["accuracy", "lowest human score"]], "chosen", set("sort")), el("output", { id: "case-count" })),
    el("div", { id: "case-list" }));
  drawCases();
}
function filterCases(tag) {
  filter.tag = tag; filter.text = ""; at("case-search").value = ""; at("case-tag").querySelector("select").value = tag;
  drawCases(); at("listen").scrollIntoView();
}
function openCase(i) {
  drawCases(i);
  const node = at(`case-${i}`);
  node.open = true; node.scrollIntoView(); node.querySelector("summary").focus();
}
function card(i, open) {
  const [id, speaker, text, accuracy, age, gender] = D.utterances[i];
  const body = el("div");
  const node = el("details", { id: `case-${i}`, open, ontoggle: () => { if (node.open && !body.firstChild) body.append(lanes(i)); } },
    el("summary", {}, el("button", { class: "play", "aria-label": `play ${id}`, onclick: event => { event.preventDefault(); play(i, 0, Infinity, headOf(body)); } }, "▶"), " ",
      el("span", { class: "text" }, text), ` human ${accuracy ?? "–"}, PER ${D.systems.map((s, j) => `${s.letter} ${percent(D.per[j][i], 0)}`).join(", ")} % `,
      ...D.cases[i].tags.flatMap(tag => [el("span", { class: "tag" }, tag), " "]), el("small", {}, `${id}, speaker ${speaker}, ${age === null ? "age unknown" : `${age} years`}, ${gender ?? "gender unknown"}`)), body);
  return node;
}
const headOf = body => (seconds, ended) => {
  const head = body.querySelector(".head");
  if (head) { head.style.display = ended ? "none" : "block"; head.style.left = `${100 * seconds / Number(head.dataset.seconds)}%`; }
};
const level = p => p === null ? "-" : Math.min(4, Math.floor(5 * p));
function lanes(i) {
  const c = D.cases[i], box = el("div", { class: "lanes" });
  box.style.width = `${Math.max(320, c.seconds * 260)}px`;
  const head = el("div", { class: "head", "data-seconds": c.seconds });
  const n = c.peaks.length;
  const d = [...c.peaks].map((p, k) => { const h = .5 + 2.35 * Number(p); return `M${k} ${24 - h}h.8v${2 * h}h-.8z`; }).join("");
  box.append(svg("svg", { class: "wave", viewBox: `0 0 ${n} 48`, preserveAspectRatio: "none", "aria-hidden": true }, svg("path", { d })), head);
  const block = (span, text, kind, title) => {
    const b = el("button", { class: kind, title, onclick: () => play(i, span[0] / 100, span[1] / 100, headOf(box)) }, text);
    b.style.left = `${span[0] / c.seconds}%`; b.style.width = `${(span[1] - span[0]) / c.seconds}%`;
    return b;
  };
  const evenly = (k, total) => [Math.round(100 * c.seconds * k / total), Math.round(100 * c.seconds * (k + 1) / total)];
  const lane = (name, blocks) => box.append(el("div", { class: "lane-name" }, ...[name].flat()), el("div", { class: "lane" }, ...blocks));
  const timed = c.systems.find(s => s.spans[0]);
  const spanOf = (spans, k, total) => spans[k] || (timed && timed.spans[k]) || evenly(k, total);
  const starts = [];
  c.words.forEach(([word, size]) => { for (let k = 0; k < size; k++) starts.push(word); });
  const first = c.words.map((word, k) => c.words.slice(0, k).reduce((sum, w) => sum + w[1], 0));
  box.append(el("div", { class: "lane words" }, ...c.words.map(([word, size], k) => {
    const from = spanOf([], first[k], c.phones.length)[0], to = spanOf([], first[k] + size - 1, c.phones.length)[1];
    const b = el("span", { title: word }, word);
    b.style.left = `${from / c.seconds}%`; b.style.width = `${(to - from) / c.seconds}%`;
    return b;
  })));
  lane("raters: phone accuracy", c.phones.map((p, k) => block(spanOf([], k, c.phones.length), p, `s${level(c.human[k] === null ? null : c.human[k] / 2)}`,
    `${p} ${D.ipa[p]} in ${starts[k]}: raters ${c.human[k] ?? "–"} of 2${c.named[k] ? `, perceived ${c.named[k]}` : ""}`)));
  c.systems.forEach((s, j) => {
    lane([letter(D.systems[j]), ` ${D.systems[j].name}: score of the expected phone`], c.phones.map((p, k) => block(spanOf(s.spans, k, c.phones.length), p, `s${level(Math.exp(s.scores[k]))}${s.deleted.includes(k) ? " lost" : ""}`,
      `${p} ${D.ipa[p]} in ${starts[k]}: ${percent(Math.exp(s.scores[k]), 0)} %, score ${s.scores[k]}; best rival ${s.rivals[k] || "none"}${s.deleted.includes(k) ? "; not recognised" : ""}`)));
    lane("recognised", s.recognised.map(([p, span, right], k) => block(span || evenly(k, s.recognised.length), p, right ? "same" : "other", `recognised ${p} ${D.ipa[p]}${right ? "" : ", not expected here"}`)));
  });
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Phones of ${D.utterances[i][0]} in time` }, box);
}
drawTradeoff(); drawCurves(); drawPhones(); drawConfusion(); drawBands(); drawGap(); drawListen(); drawRuns();
