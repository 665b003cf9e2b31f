// The report and the transcript of a conversation that is over, read from the API when the user asks.

import { sendToApi } from "./api.js";
import { byId, h, show } from "./dom.js";
import { pretty } from "./json.js";
import { reportedCosts } from "./cost.js";
import { logParts } from "./links.js";
import { chosen, factsOf, model } from "./model.js";
import { nameOf } from "./names.js";
import { clock, outcomeShort, reasonWords } from "./words.js";

let shown = null;

/** Draw the tab again when another conversation is chosen, or when its status changes. */
export function drawReport() {
  const view = chosen();
  const sign = view ? `${view.conversation.id}|${view.conversation.status}` : "";
  const place = byId("tab-report");
  if (shown === sign) {
    if (view && !place.hidden) drawLogs(view.conversation);
    return;
  }
  shown = sign;
  if (!view) {
    show(place, h("p", { class: "soft" }, "Choose a conversation."));
    return;
  }
  const { id } = view.conversation;
  const report = h("div", { class: "report" });
  const words = h("div", { class: "transcript" });
  show(
    place,
    h("p", {}, h("button", { type: "button", "data-part": "read-report", onclick: () => readReport(id, report) }, "Read the report")),
    report,
    h("p", {}, h("button", { type: "button", "data-part": "read-transcript", onclick: () => readTranscript(view.conversation, words) }, "Read the transcript")),
    words,
    h("h3", {}, "Logs and traces"),
    h("div", { class: "logs" }),
  );
  drawLogs(view.conversation);
}

/** Draw the links again when the log has grown; a link to AWS has the time of now. */
function drawLogs(conversation) {
  const place = byId("tab-report").querySelector(".logs");
  const sign = `${model.mode === "room" && factsOf("log").length}|${Boolean(model.aws)}`;
  if (place.drawn === sign) return;
  place.drawn = sign;
  show(place, ...logParts(conversation));
}

async function read(place, work) {
  try {
    show(place, ...(await work()));
  } catch (error) {
    show(place, h("p", { class: "wrong", role: "alert" }, error.message));
  }
}

const readReport = (id, place) => read(place, async () => reportParts((await sendToApi("GET", `/conversations/${id}/report`)).report));

function reportParts(report) {
  const facts = [
    ["Lasted", report.duration_secs === undefined || report.duration_secs === null ? "" : clock(report.duration_secs)],
    ["Ended because", reasonWords(report.reason)], ["Failed because", report.failure?.message], ["Cost", reportedCosts(report)],
  ].filter(([, value]) => value);
  const legs = (report.people ?? []).flatMap(({ name, participant_id: id, legs: calls }) => (calls ?? []).map((leg) => ({ name: name ?? id, ...leg })));
  const cells = (leg) => [leg.name, leg.outcome === "human" ? "answered" : outcomeShort(leg.outcome), leg.seconds ? clock(leg.seconds) : "", leg.cost ? `${leg.cost.total} ${leg.cost.currency}` : "", leg.mos ?? ""];
  return [
    h("dl", { class: "facts" }, facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    legs.length > 0 && h("table", { class: "legs" },
      h("thead", {}, h("tr", {}, ["Call", "Outcome", "Time", "Cost", "MOS"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, legs.map((leg) => h("tr", {}, cells(leg).map((cell) => h("td", {}, cell)))))),
    h("details", {}, h("summary", {}, "Whole report"), pretty(report)),
  ];
}

function readTranscript({ id, participants, direction }, place) {
  const speaker = ({ role, participant_id: who }) => {
    const person = participants.find((participant) => participant.id === who);
    return person ? nameOf(person, direction) : role === "user" ? "A person on the line" : role;
  };
  return read(place, async () => {
    const messages = [];
    let page = { next_cursor: "" };
    do {
      page = await sendToApi("GET", `/conversations/${id}/transcript${page.next_cursor && `?cursor=${encodeURIComponent(page.next_cursor)}`}`);
      messages.push(...page.messages);
    } while (page.next_cursor);
    const complete = page.complete ? "" : page.final ? "Some messages are missing." : "More messages may come.";
    return [
      complete && h("p", { class: "soft" }, complete),
      messages.length ? h("ol", { class: "said" }, messages.map((message) => h("li", {}, h("b", {}, `${speaker(message)}: `), message.text ?? (message.tool_calls?.length ? `uses ${message.tool_calls.map(({ name }) => name).join(", ")}` : "(no text)")))) : h("p", { class: "soft" }, "No message is stored."),
    ];
  });
}
