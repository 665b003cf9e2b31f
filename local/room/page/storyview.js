// Draws the story: an entry a line, each opening to its messages.

import { h, keyed } from "./dom.js";
import { model, pick } from "./model.js";
import { labelAndNote, NAMES } from "./labels.js";
import { story } from "./story.js";
import { GAP_MS, pause, since } from "./words.js";

const opened = new Set();

/** Draw the story of a view with all its rows into `element`; `first` is the time of zero. */
export function drawStory(element, view, rows, first, again) {
  const entries = story(view, rows);
  const id = view.conversation.id;
  const picked = model.picked?.key;
  const lines = entries.flatMap((entry, nth) => {
    const gap = nth && entry.at - latest(entries, nth);
    const marker = gap >= GAP_MS ? [[`gap/${entry.key}`, String(Math.round(gap / 1000)), { gap }]] : [];
    const key = `${id}/${entry.key}`;
    const isOpen = opened.has(key) || entry.rows.some((row) => row.key === picked);
    const shown = isOpen ? entry.rows.map((row) => [row.key, row.label, row.note, row.bad, row.odd]) : entry.rows.length;
    const signature = JSON.stringify([entry.text, entry.note, entry.trouble, entry.at - first, shown, isOpen && picked]);
    return [...marker, [key, signature, { entry, key, isOpen }]];
  });
  const toggle = (key, isOpen) => {
    if (isOpen) opened.delete(key);
    else opened.add(key);
    if (isOpen && model.picked) pick(null);
    again();
  };
  keyed(element, lines, (line) => (line.gap ? h("li", { class: "gap" }, `${pause(line.gap)} later`) : entryLine(line, first, toggle)));
}

/** The time of the last thing that happened before an entry. */
const latest = (entries, nth) =>
  Math.max(...entries.slice(0, nth).flatMap(({ at, rows, events }) => [at, ...rows.map((row) => row.at), ...events.map((event) => Date.parse(event.occurred_at))]).filter((at) => at <= entries[nth].at));

function entryLine({ entry, key, isOpen }, first, toggle) {
  const many = entry.rows.length;
  return h(
    "li",
    { class: `entry ${entry.key.split("/")[0]} ${entry.failed || entry.bad ? "bad" : ""}` },
    h(
      "button",
      { type: "button", class: "entry-head", "data-part": `entry-${key}`, "aria-expanded": String(isOpen), onclick: () => toggle(key, isOpen) },
      h("time", {}, since(entry.at - first)),
      h("span", { class: "entry-text" }, h("b", {}, entry.text), entry.note && " ", entry.note && h("span", { class: "soft" }, entry.note), entry.trouble && " ", entry.trouble && h("span", { class: entry.bad ? "bad-words" : "odd-words" }, entry.trouble)),
      h("span", { class: "count soft" }, `${many} ${many === 1 ? "detail" : "details"}`),
    ),
    isOpen && h("ol", { class: "plumbing", "aria-label": "Details" }, entry.rows.map((row) => h("li", {}, plumb(row, first)))),
  );
}

function plumb(row, first) {
  const [label, note] = labelAndNote(row);
  const selected = row.key === model.picked?.key;
  return h(
    "button",
    { type: "button", class: ["plumb", row.kind, row.bad && "bad", row.odd && "odd"].filter(Boolean).join(" "), "data-part": `row-${row.key}`, "aria-pressed": String(selected), onclick: () => pick(row, true) },
    h("time", {}, since(row.at - first)), h("span", { class: `kind-name ${row.kind}` }, NAMES.get(row.kind)), h("span", {}, label), h("span", { class: "note" }, note),
  );
}
