// The details of the picked row: its payload, the state before and after, the log lines.

import { byId, h, show } from "./dom.js";
import { changes, pretty } from "./json.js";
import { model } from "./model.js";
import { effects, lines } from "./effects.js";

const KIND = { request: "Request", webhook: "Webhook", command: "Command", table: "Transaction", event: "Event", voice: "Heard" };

export function drawDetails() {
  const row = model.picked;
  const place = byId("tab-details");
  if (!row) {
    place.drawn = null;
    show(place, h("div", { class: "empty" }, h("h3", {}, "Nothing picked"), h("p", {}, "Pick an arrow in the diagram: its payload, the state before and after, and the log lines appear here. The arrow keys go from one to the next.")));
    return;
  }
  const written = effects(row, model.chosen);
  const logged = lines(row, model.chosen);
  const signature = JSON.stringify([row.key, row.fact, row.note, written.map(({ version }) => version), logged.length]);
  if (place.drawn === signature) return;
  place.drawn = signature;
  show(
    place,
    h("h3", { class: row.kind }, h("span", { class: `kind-name ${row.kind}` }, KIND[row.kind]), row.label),
    row.note.length > 0 && h("p", { class: row.bad ? "bad-words" : "soft" }, row.note.join(" · ")),
    ...parts(row),
    ...written.map(state),
    row.kind === "webhook" && !written.length && row.fact.status !== undefined && part("State", h("p", { class: "soft" }, "This delivery changed nothing.")),
    logged.length > 0 && part("Log", h("div", {}, logged.map((line) => pretty(line)))),
  );
}

function part(title, ...content) {
  return h("section", { class: "part" }, h("h4", {}, title), ...content);
}

function parts(row) {
  const { fact } = row;
  if (row.kind === "table") {
    return [
      fact.reasons && part("Cancelled because", pretty(fact.reasons)),
      part("Items written", h("ul", { class: "keys" }, fact.keys.map((key) => h("li", {}, h("code", {}, key))))),
      fact.events.length > 0 && part("Events", pretty(fact.events)),
    ];
  }
  if (row.kind === "event" || row.kind === "voice") return [part(row.kind === "event" ? "Raw event" : "Raw message", pretty(fact))];
  return [
    part(row.kind === "webhook" ? "Telnyx sent" : "Sent", fact.method && h("p", { class: "path" }, h("code", {}, `${fact.method} ${fact.path}`)), fact.body ? pretty(fact.body) : h("p", { class: "soft" }, "No body.")),
    fact.status !== undefined && part(`Answered ${fact.status || "nothing"}`, fact.answer ? pretty(fact.answer) : h("p", { class: "soft" }, "No body.")),
  ];
}

function state({ before, after, version }) {
  const found = changes(before, after);
  const from = before ? `version ${before.version}` : "nothing";
  const rows = found.map(([path, was, is]) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, path),
      h("td", {}, was === null ? null : h("del", {}, was), was !== null && is !== null && " ", is === null ? null : h("ins", {}, is)),
    ),
  );
  return part(
    `State, from ${from} to version ${version}`,
    h("div", { class: "changes", tabindex: "0", role: "region", "aria-label": `What changed in version ${version}` }, h("table", {}, h("tbody", {}, rows))),
    h("details", {}, h("summary", {}, "Before, whole"), pretty(before)),
    h("details", {}, h("summary", {}, "After, whole"), pretty(after)),
  );
}
