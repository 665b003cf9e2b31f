// The list of conversations, and the facts of the chosen conversation.

import { byId, h, keepFocus, keyed, show } from "./dom.js";
import { choose, chosen, conversations, model, factOf, isOver } from "./model.js";
import { began, moment, number, participantStatus, plain, tone } from "./words.js";
import { handoverForm, inviteForm, messageForm, modeForm, removeForm, stopForm } from "./forms.js";

export function drawCall() {
  const shown = conversations();
  follow(shown);
  const place = byId("conversations");
  const tabs = () => keyed(
    place,
    shown.map((conversation) => [conversation.id, `${conversation.status}|${title(conversation)}|${began(conversation.created_at)}|${conversation.id === model.chosen}`, conversation]),
    (conversation) =>
      h(
        "button",
        { type: "button", class: "conversation", "data-part": `show-${conversation.id}`, "aria-current": conversation.id === model.chosen ? "true" : null, onclick: () => choose(conversation.id) },
        h("i", { class: `dot ${tone(conversation.status)}`, "aria-hidden": "true" }),
        title(conversation),
        " ",
        h("time", {}, began(conversation.created_at)),
        h("span", { class: "unseen" }, ` ${conversation.status}`),
      ),
  );
  keepFocus(place, tabs, () => place.querySelector("button"));
  const view = chosen();
  const facts = byId("call-facts");
  facts.hidden = !view;
  if (!view) return;
  const { conversation } = view;
  const now = JSON.stringify(conversation);
  if (facts.drawn === now) return;
  facts.drawn = now;
  // Elements that can have the keyboard focus are kept; other elements are made again.
  const invite = () => facts.querySelector("[data-part=invite]");
  keepFocus(facts, () => keyed(facts, [["header", conversation.id, header], ["people", conversation.id, people]], (make) => make()), invite);
  show(facts.querySelector(".summary"), ...summary(conversation));
  for (const button of facts.querySelectorAll(".call-actions button")) button.setAttribute("aria-disabled", String(isOver(conversation)));
  const list = facts.querySelector(".people");
  keepFocus(list, () => keyed(list, conversation.participants.map((participant) => [participant.id, JSON.stringify([participant, conversation.direction]), participant]), person), invite);
}

const seen = new Set();

/** Keep the chosen conversation until its end, then choose a live or newer conversation. */
function follow(shown) {
  const now = shown.find((conversation) => conversation.id === model.chosen);
  const fresh = shown.find((conversation) => !seen.has(conversation.id));
  for (const conversation of shown) seen.add(conversation.id);
  if (!now) model.chosen = shown[0]?.id ?? model.chosen;
  else if (fresh && isOver(now) && (!isOver(fresh) || moment(fresh.created_at) > moment(now.created_at))) model.chosen = fresh.id;
}

function title(conversation) {
  const host = conversation.participants[0];
  const leg = host?.legs[0];
  const other = conversation.direction === "outbound" ? leg?.to : leg?.from;
  return host?.name || factOf("person", other)?.name || number(other) || conversation.id.slice(0, 8);
}

function header() {
  const button = (part, label, open) =>
    h("button", { type: "button", "data-part": part, onclick: () => !isOver(chosen().conversation) && open(chosen().conversation) }, label);
  return h(
    "div",
    { class: "about" },
    h("span", { class: "summary" }),
    h(
      "span",
      { class: "call-actions" },
      button("invite", "Invite", inviteForm), button("handover", "Hand over", handoverForm), button("mode", "Mode", modeForm),
      button("message", "Message", messageForm), button("stop", "Stop", stopForm),
    ),
  );
}

function summary({ id, status, direction, failure, mode, wanted_mode: wanted, handovers }) {
  const handover = handovers?.at(-1);
  return [
    h("span", { class: `pill ${tone(status)}` }, status),
    mode !== "speaking" && h("span", {}, `the assistant is ${mode}`),
    wanted !== mode && h("span", { class: "soft" }, `asked to be ${wanted}`),
    handover && h("span", { class: "soft" }, `handover: ${plain(handover.outcome ?? handover.status)}`),
    h("span", { class: "soft" }, direction),
    h("code", { class: "soft id", title: id }, id),
    failure && h("span", { class: "bad-words" }, `${failure.code}: ${failure.message}`),
  ];
}

const people = () => h("ul", { class: "people", tabindex: "0", "aria-label": "Participants" });

function person(participant) {
  const { conversation } = chosen();
  const gone = participant.status === "left" || participant.status === "failed";
  const name = participant.name || number(participant.legs.at(-1)?.[participant.host && conversation.direction !== "outbound" ? "from" : "to"]) || participant.id;
  const remove = () => removeForm(chosen().conversation, participant, name);
  return h(
    "li",
    { class: `person ${tone(participant.status)}` },
    h("i", { class: `dot ${tone(participant.status)}`, "aria-hidden": "true" }),
    h("b", {}, name),
    h("span", { class: "soft" }, [participant.host && "host", participantStatus(participant), participant.outcome && participant.outcome !== "human" && plain(participant.outcome)].filter(Boolean).join(", ")),
    !gone && h("button", { type: "button", class: "quiet small", "data-part": `remove-${participant.id}`, "aria-label": `Remove ${name}`, title: `Remove ${name}`, onclick: remove }, "×"),
  );
}
