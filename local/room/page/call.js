// The conversations to choose from, and what stands about the chosen one.

import { byId, h, keyed, show } from "./dom.js";
import { choose, chosen, conversations, model, one } from "./model.js";
import { number, plain, tone } from "./words.js";
import { inviteForm, messageForm, removeForm, stopForm } from "./forms.js";

const OVER = new Set(["ended", "failed"]);

export function drawCall() {
  const found = conversations();
  follow(found);
  keyed(
    byId("conversations"),
    found.map((each) => [each.id, `${each.status}|${title(each)}|${each.id === model.chosen}`, each]),
    (each) =>
      h(
        "button",
        { type: "button", class: "conversation", "aria-current": each.id === model.chosen ? "true" : null, onclick: () => choose(each.id) },
        h("i", { class: `dot ${tone(each.status)}`, "aria-hidden": "true" }),
        title(each),
        h("span", { class: "unseen" }, each.status),
      ),
  );
  const view = chosen();
  const facts = byId("call-facts");
  facts.hidden = !view;
  if (!view) return;
  const signature = JSON.stringify([view.conversation, model.mode]);
  if (facts.drawn === signature) return;
  facts.drawn = signature;
  show(facts, about(view.conversation), people(view.conversation));
}

const known = new Set();

/** Stay with the chosen one while it lasts; then go to the next that begins. */
function follow(found) {
  const now = found.find((each) => each.id === model.chosen);
  const fresh = found.find((each) => !known.has(each.id));
  for (const each of found) known.add(each.id);
  if (!now) model.chosen = found[0]?.id ?? model.chosen;
  else if (fresh && OVER.has(now.status)) model.chosen = fresh.id;
}

function title(conversation) {
  const host = conversation.participants[0];
  const leg = host?.legs[0];
  const other = conversation.direction === "outbound" ? leg?.to : leg?.from;
  return host?.name || one("person", other)?.name || number(other) || conversation.id.slice(0, 8);
}

function about(conversation) {
  const over = OVER.has(conversation.status);
  const button = (label, open) => h("button", { type: "button", disabled: over, onclick: () => open(conversation) }, label);
  return h(
    "div",
    { class: "about" },
    h("span", { class: `pill ${tone(conversation.status)}` }, conversation.status),
    h("span", { class: "soft" }, conversation.direction),
    h("code", { class: "soft id", title: conversation.id }, conversation.id),
    conversation.failure && h("span", { class: "bad-words" }, `${conversation.failure.code}: ${conversation.failure.message}`),
    h("span", { class: "deeds" }, button("Invite", inviteForm), button("Message", messageForm), button("Stop", stopForm)),
  );
}

function people(conversation) {
  return h(
    "ul",
    { class: "people", "aria-label": "Participants" },
    conversation.participants.map((each) => {
      const gone = each.status === "left" || each.status === "failed";
      const name = each.name || number(each.legs.at(-1)?.[each.host && conversation.direction !== "outbound" ? "from" : "to"]) || each.id;
      return h(
        "li",
        { class: `person ${tone(each.status)}` },
        h("i", { class: `dot ${tone(each.status)}`, "aria-hidden": "true" }),
        h("b", {}, name),
        h("span", { class: "soft" }, [each.host && "host", plain(each.status), each.outcome && each.outcome !== "human" && plain(each.outcome)].filter(Boolean).join(", ")),
        !gone && h("button", { type: "button", class: "quiet small", "aria-label": `Remove ${name}`, title: `Remove ${name}`, onclick: () => removeForm(conversation, each, name) }, "×"),
      );
    }),
  );
}
