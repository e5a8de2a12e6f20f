// Sorting, filtering and opening the rows of a leaderboard; a row is a tbody, so that its details go with it.
function sort(table, column, kind, down) {
  const value = body => body.rows[0].cells[column].dataset.value;
  const order = (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === "" || y === "") return (x === "") - (y === ""); // what is not known stays last
    const less = kind === "number" ? Number(x) - Number(y) : x.localeCompare(y);
    return down ? -less : less;
  };
  table.append(...[...table.tBodies].sort(order));
  table.tHead.querySelectorAll("th").forEach((th, k) => k === column ? th.setAttribute("aria-sort", down ? "descending" : "ascending") : th.removeAttribute("aria-sort"));
}
for (const table of document.querySelectorAll("table.sortable")) {
  table.tHead.querySelectorAll("th").forEach((th, column) => th.querySelector("button").addEventListener("click", event =>
    sort(table, column, event.currentTarget.dataset.sort, // the best first, then turned round
      th.hasAttribute("aria-sort") ? th.getAttribute("aria-sort") === "ascending" : event.currentTarget.dataset.better === "high")));
}
for (const button of document.querySelectorAll("button.more")) button.addEventListener("click", () => {
  const row = button.closest("tr"), details = row.nextElementSibling;
  details.hidden = !details.hidden;
  row.classList.toggle("open", !details.hidden);
  button.setAttribute("aria-expanded", String(!details.hidden));
});
document.getElementById("filter").addEventListener("input", event => {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = [...document.querySelectorAll("tbody.row")];
  for (const row of rows) row.hidden = !words.every(word => row.rows[0].textContent.toLowerCase().includes(word));
  document.getElementById("count").textContent = words.length ? `${rows.filter(row => !row.hidden).length} of ${rows.length}` : "";
});
