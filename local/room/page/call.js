// The list of conversations, and the facts of the chosen conversation.

import { byId, h, keepFocus, keyed, show } from "./dom.js";
import { choose, chosen, conversations, model, one, over } from "./model.js";
import { began, moment, number, participantStatus, plain, tone } from "./words.js";
import { inviteForm, messageForm, removeForm, stopForm } from "./forms.js";

export function drawCall() {
  const found = conversations();
  follow(found);
  const place = byId("conversations");
  const tabs = () => keyed(
    place,
    found.map((each) => [each.id, `${each.status}|${title(each)}|${began(each.created_at)}|${each.id === model.chosen}`, each]),
    (each) =>
      h(
        "button",
        { type: "button", class: "conversation", "data-part": `show-${each.id}`, "aria-current": each.id === model.chosen ? "true" : null, onclick: () => choose(each.id) },
        h("i", { class: `dot ${tone(each.status)}`, "aria-hidden": "true" }),
        title(each),
        " ",
        h("time", {}, began(each.created_at)),
        h("span", { class: "unseen" }, ` ${each.status}`),
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
  keepFocus(facts, () => keyed(facts, [["about", conversation.id, about], ["people", conversation.id, people]], (make) => make()), invite);
  show(facts.querySelector(".stands"), ...stands(conversation));
  for (const each of facts.querySelectorAll(".deeds button")) each.setAttribute("aria-disabled", String(over(conversation)));
  const list = facts.querySelector(".people");
  keepFocus(list, () => keyed(list, conversation.participants.map((each) => [each.id, JSON.stringify([each, conversation.direction]), each]), person), invite);
}

const known = new Set();

/** Keep the chosen conversation until its end, then choose a live or newer conversation. */
function follow(found) {
  const now = found.find((each) => each.id === model.chosen);
  const fresh = found.find((each) => !known.has(each.id));
  for (const each of found) known.add(each.id);
  if (!now) model.chosen = found[0]?.id ?? model.chosen;
  else if (fresh && over(now) && (!over(fresh) || moment(fresh.created_at) > moment(now.created_at))) model.chosen = fresh.id;
}

function title(conversation) {
  const host = conversation.participants[0];
  const leg = host?.legs[0];
  const other = conversation.direction === "outbound" ? leg?.to : leg?.from;
  return host?.name || one("person", other)?.name || number(other) || conversation.id.slice(0, 8);
}

function about() {
  const button = (part, label, open) =>
    h("button", { type: "button", "data-part": part, onclick: () => !over(chosen().conversation) && open(chosen().conversation) }, label);
  return h(
    "div",
    { class: "about" },
    h("span", { class: "stands" }),
    h("span", { class: "deeds" }, button("invite", "Invite", inviteForm), button("message", "Message", messageForm), button("stop", "Stop", stopForm)),
  );
}

function stands({ id, status, direction, failure }) {
  return [
    h("span", { class: `pill ${tone(status)}` }, status),
    h("span", { class: "soft" }, direction),
    h("code", { class: "soft id", title: id }, id),
    failure && h("span", { class: "bad-words" }, `${failure.code}: ${failure.message}`),
  ];
}

const people = () => h("ul", { class: "people", tabindex: "0", "aria-label": "Participants" });

function person(each) {
  const { conversation } = chosen();
  const gone = each.status === "left" || each.status === "failed";
  const name = each.name || number(each.legs.at(-1)?.[each.host && conversation.direction !== "outbound" ? "from" : "to"]) || each.id;
  const remove = () => removeForm(chosen().conversation, each, name);
  return h(
    "li",
    { class: `person ${tone(each.status)}` },
    h("i", { class: `dot ${tone(each.status)}`, "aria-hidden": "true" }),
    h("b", {}, name),
    h("span", { class: "soft" }, [each.host && "host", participantStatus(each), each.outcome && each.outcome !== "human" && plain(each.outcome)].filter(Boolean).join(", ")),
    !gone && h("button", { type: "button", class: "quiet small", "data-part": `remove-${each.id}`, "aria-label": `Remove ${name}`, title: `Remove ${name}`, onclick: remove }, "×"),
  );
}
