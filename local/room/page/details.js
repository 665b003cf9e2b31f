// The details of the picked row: its payload, the state before and after, the log lines.

import { curl, resend } from "./api.js";
import { announce, byId, h, show } from "./dom.js";
import { changes, pretty } from "./json.js";
import { model, parseClientState } from "./model.js";
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
    acts(row),
    ...parts(row),
    ...written.map(state),
    row.kind === "webhook" && !written.length && row.fact.status !== undefined && part("State", h("p", { class: "soft" }, "This delivery changed nothing.")),
    logged.length > 0 && part("Log", h("div", {}, logged.map(logLine))),
  );
}

/** A line of the log in short, which opens to all its fields. */
const logLine = (line) =>
  h("details", {}, h("summary", {}, [line.message, line.action, line.result, line.function_name].filter(Boolean).join(" · ")), pretty(line));

/** A button that copies a text, or another value as JSON. */
const copyButton = (value, words = "Copy") => h("button", { type: "button", class: "quiet small", onclick: () => copy(typeof value === "string" ? value : JSON.stringify(value, null, 2)) }, words);

/** The fields of a payload that tell the reason of a webhook; `partyline trigger` sets them. */
const REASONS = ["hangup_cause", "digits", "digit", "status", "result", "reason"];

const inQuotes = (text) => (/^[\w.:-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);

/** The command that sends a webhook like this one to the conversation. */
function trigger({ event_type: type, payload = {} }) {
  const set = REASONS.filter((name) => payload[name]).map((name) => `--set payload.${name}=${inQuotes(String(payload[name]))}`);
  return [`partyline trigger ${type} --conversation ${model.chosen}`, ...set].join(" ");
}

/** What can be done with a message: copy it as a command, or send it again. */
function acts({ kind, fact }) {
  const event = kind === "webhook" && fact.body?.data;
  if (event) {
    return h("div", { class: "acts" }, copyButton(trigger(event), "Copy as trigger"),
      model.mode === "room" && h("button", { type: "button", class: "quiet small", title: "Deliver the webhook once more, with a new signature", onclick: (press) => again(event.id, press.currentTarget) }, "Send again"));
  }
  return kind === "request" && fact.method && !fact.path.startsWith("/tools/") && h("div", { class: "acts" }, copyButton(curl(model, fact.method, fact.path, fact.body ?? undefined), "Copy as curl"));
}

async function again(event, button) {
  button.disabled = true;
  try {
    announce(`Sent again: answered ${(await resend(event)).status ?? "nothing"}`);
  } catch (error) {
    announce(error.message);
  }
  button.disabled = false;
}

async function copy(text) {
  await navigator.clipboard.writeText(text);
  announce("Copied");
}

/** The text of Partyline's client_state in a message. */
function clientState(body) {
  const text = body?.client_state ?? body?.data?.payload?.client_state;
  const read = text && parseClientState(text);
  return read && part("client_state, decoded", pretty(read));
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
    part(row.kind === "webhook" ? "Telnyx sent" : "Sent", fact.method && h("p", { class: "path" }, h("code", {}, `${fact.method} ${fact.path}`)), fact.body ? [copyButton(fact.body), pretty(fact.body)] : h("p", { class: "soft" }, "No body.")),
    clientState(fact.body),
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
