// The chosen conversation: the sentence, the status, the people.

import { lookNow } from "./api.js";
import { COST_HINT, costWords } from "./cost.js";
import { announce, byId, h, keepFocus, keyed, show } from "./dom.js";
import { handoverForm, inviteForm, messageForm, modeForm, removeForm, stopForm, toolForm } from "./forms.js";
import { isWaiting, stayingCalls } from "./hints.js";
import { choose, chosen, conversations, isOver, model } from "./model.js";
import { nameOf, title } from "./names.js";
import { sentence } from "./sentence.js";
import { clock, moment, number, outcomeShort, participantStatus, plain, tone } from "./words.js";

export function drawCall() {
  follow(conversations());
  const view = chosen();
  const facts = byId("call-facts");
  facts.hidden = !view;
  document.body.classList.toggle("has-call", Boolean(view));
  byId("call-title").textContent = view ? title(view.conversation) : model.mode === "console" ? "Conversation" : "The call";
  if (!view) return;
  drawFacts(facts, view.conversation);
  tickCall();
}

function drawFacts(facts, conversation) {
  const staying = stayingCalls(conversation);
  const now = JSON.stringify([conversation, staying.map(({ leg }) => leg.call_control_id), isWaiting(conversation)]);
  if (facts.drawn === now) return;
  facts.drawn = now;
  // Elements that can have the keyboard focus are kept; other elements are made again.
  const invite = () => facts.querySelector("[data-part=invite]");
  keepFocus(facts, () => keyed(facts, [["told", conversation.id, told], ["header", conversation.id, header], ["people", conversation.id, people]], (make) => make()), invite);
  show(facts.querySelector(".summary"), ...summary(conversation));
  facts.querySelector(".look").hidden = model.mode !== "room" || !isWaiting(conversation);
  for (const button of facts.querySelectorAll(".call-actions button")) button.setAttribute("aria-disabled", String(isOver(conversation)));
  const onTheLine = conversation.participants.filter(({ status }) => status === "joined").length;
  facts.querySelector(".on-the-line").textContent = isOver(conversation) ? "" : `${onTheLine} on the line`;
  const list = facts.querySelector(".people");
  const up = new Map(staying.map((call) => [call.person.id, call]));
  keepFocus(list, () => keyed(list, conversation.participants.map((participant) => [participant.id, JSON.stringify([participant, conversation.direction, up.has(participant.id)]), participant]), (participant) => person(participant, up.get(participant.id))), invite);
}

const seen = new Set();

/** Keep the chosen conversation until its end, then choose a live or newer conversation. */
function follow(shown) {
  const now = shown.find((conversation) => conversation.id === model.chosen);
  const fresh = shown.find((conversation) => !seen.has(conversation.id));
  for (const conversation of shown) seen.add(conversation.id);
  if (model.mode === "console") return; // an operator chooses
  if (now) model.awaited = null;
  if (!now && model.awaited && model.awaited === model.chosen) return;
  if (!now) model.chosen = model.ready ? (shown[0]?.id ?? null) : model.chosen;
  else if (fresh && isOver(now) && !model.picked && (!isOver(fresh) || moment(fresh.created_at) > moment(now.created_at))) choose(fresh.id);
}

/** The sentence about the call, which has clocks. */
export function tickCall() {
  const view = chosen();
  const place = document.querySelector("#call-facts .sentence");
  if (!view || !place) return;
  const words = sentence(view, Date.now());
  if (place.textContent !== words) place.textContent = words;
  const cost = document.querySelector("#call-facts .cost");
  const spent = costWords(view, Date.now());
  if (cost && cost.textContent !== spent) cost.textContent = spent;
}

function told() {
  const look = h("button", { type: "button", class: "small look", "data-part": "look", title: "Run the sweep and the census now, and ask Telnyx about the calls", onclick: () => run(look) }, "Look now");
  return h("div", { class: "told" }, h("p", { class: "sentence" }), look);
}

async function run(button) {
  button.disabled = true;
  try {
    await lookNow(model.chosen);
    announce("Looked");
  } catch (error) {
    announce(error.message);
  }
  button.disabled = false;
}

function header() {
  const button = (part, label, open) =>
    h("button", { type: "button", "data-part": part, onclick: () => !isOver(chosen().conversation) && open(chosen().conversation) }, label);
  return h(
    "div",
    { class: "about" },
    h("span", { class: "summary" }),
    !model.readOnly && h(
      "span",
      { class: "call-actions" },
      button("invite", "Invite", inviteForm), button("handover", "Hand over", handoverForm), button("mode", "Mode", modeForm),
      button("message", "Message", messageForm), model.mode === "room" && button("tool", "Tool", toolForm), button("stop", "Stop", stopForm),
    ),
  );
}

function summary({ id, status, direction, failure, mode, wanted_mode: wanted, handovers, metadata }) {
  const handover = handovers?.at(-1);
  return [
    h("span", { class: `pill ${tone(status)}` }, status),
    mode !== "speaking" && mode && h("span", {}, `the assistant is ${mode}`),
    wanted !== mode && h("span", { class: "soft" }, `asked to be ${wanted}`),
    handover && h("span", { class: "soft" }, `handover: ${plain(handover.outcome ?? handover.status)}`),
    h("span", { class: "soft" }, direction),
    h("button", { type: "button", class: "quiet small id", "data-part": "copy-id", title: `Copy ${id}`, "aria-label": `Copy the id ${id}`, onclick: () => copy(id) }, h("code", {}, id)),
    ...Object.entries(metadata ?? {}).map(([key, value]) => h("span", { class: "soft" }, `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`)),
    h("span", { class: "soft cost", title: COST_HINT }),
    failure && h("span", { class: "bad-words" }, `${failure.code}: ${failure.message}`),
  ];
}

async function copy(id) {
  await navigator.clipboard.writeText(id);
  announce("Copied");
}

const people = () => h("div", { class: "line-up" }, h("span", { class: "on-the-line soft" }), h("ul", { class: "people", "aria-label": "Participants" }));

function person(participant, staying) {
  const { conversation } = chosen();
  const gone = participant.status === "left" || participant.status === "failed" || isOver(conversation);
  const name = nameOf(participant, conversation.direction);
  const remove = () => removeForm(chosen().conversation, participant, name);
  const outcome = participant.outcome && participant.outcome !== "human" && outcomeShort(participant.outcome);
  const words = staying ? ["still on the line, no longer Partyline's"] : [participant.host && "host", participantStatus(participant), outcome];
  const since = staying && (staying.phone?.answered_at ?? staying.leg.answered_at);
  return h(
    "li",
    { class: `person ${tone(staying ? "joining" : participant.status)}` },
    h("i", { class: `dot ${tone(staying ? "joining" : participant.status)}`, "aria-hidden": "true" }),
    h("b", { title: number(participant.legs.at(-1)?.to) || null }, h("bdi", {}, name)),
    h("span", { class: "soft" }, words.filter(Boolean).join(", ")),
    since && h("time", { "data-since": since }, clock((Date.now() - moment(since)) / 1000)),
    !gone && !model.readOnly && h("button", { type: "button", class: "quiet small", "data-part": `remove-${participant.id}`, "aria-label": `Remove ${name}`, title: `Remove ${name}`, onclick: remove }, "×"),
  );
}
