// The messages to the assistant and the spoken words, as a chat.

import { byId, h, keyed, show } from "./dom.js";
import { chosen, model, personName } from "./model.js";
import { transcript } from "./speech.js";
import { moment } from "./words.js";

export function drawChat() {
  const view = chosen();
  const place = byId("tab-chat");
  const bubbles = view ? messages(view) : [];
  if (!bubbles.length) {
    if (!place.querySelector(".empty")) {
      place.known = undefined;
      show(place, h("div", { class: "empty" }, h("h3", {}, "Not a word yet"), h("p", {}, model.mode === "room" ? "What the assistant says, hears and is told about the people on the line appears here." : "What Partyline tells the assistant about the people on the line appears here.")));
    }
    return;
  }
  const atEnd = place.scrollTop + place.clientHeight >= place.scrollHeight - 40;
  keyed(place, bubbles.map((entry, nth) => [`${model.chosen}/${nth}`, JSON.stringify(entry), entry]), bubble);
  if (atEnd) place.scrollTop = place.scrollHeight;
}

function bubble({ role, name, text, at }) {
  return h(
    "article",
    { class: `bubble ${role}` },
    h("header", {}, h("b", {}, name), at && h("time", {}, new Date(at).toLocaleTimeString())),
    h("p", {}, text),
  );
}

function messages(view) {
  const { conversation, timeline } = view;
  const bubbles = model.mode === "room"
    ? transcript(conversation.id).map(spoken)
    : timeline
        .filter((event) => event.type === "message.sent")
        .map((event) => insertedMessage(event.data.role, event.data.content, moment(event.occurred_at)));
  for (const { result } of conversation.insights) {
    bubbles.push({ role: "insight", name: "Insight", text: typeof result === "string" ? result : JSON.stringify(result, null, 2), at: null });
  }
  return bubbles;
}

function spoken({ message, at, inserted, speaker }) {
  if (inserted) return insertedMessage(message.role, message.content, at);
  if (message.role === "assistant") return { role: "assistant", name: "Assistant", text: message.content, at };
  return { role: "user", name: speaker ? speaker.owner.name || personName(speaker.leg.number) : "Somebody on the line", text: message.content, at };
}

/** A message that a request put into the transcript, without a voice. */
function insertedMessage(role, content, at) {
  const speaks = role === "assistant" || role === "user";
  return { role: "system", name: speaks ? `Put in as ${role}: nobody hears it` : "Told by Partyline", text: content ?? "", at };
}
