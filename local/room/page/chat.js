// The messages to the assistant and the spoken words, as a chat.

import { byId, h, keyed, show } from "./dom.js";
import { chosen, model, who } from "./model.js";
import { transcript } from "./speech.js";
import { moment } from "./words.js";

export function drawChat() {
  const view = chosen();
  const place = byId("tab-chat");
  const said = view ? messages(view) : [];
  if (!said.length) {
    if (!place.querySelector(".empty")) {
      place.known = undefined;
      show(place, h("div", { class: "empty" }, h("h3", {}, "Not a word yet"), h("p", {}, model.mode === "room" ? "What the assistant says, hears and is told about the people on the line appears here." : "What Partyline tells the assistant about the people on the line appears here.")));
    }
    return;
  }
  const atEnd = place.scrollTop + place.clientHeight >= place.scrollHeight - 40;
  keyed(place, said.map((each, nth) => [`${model.chosen}/${nth}`, JSON.stringify(each), each]), bubble);
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
  const found = model.mode === "room"
    ? transcript(conversation.id).map(spoken)
    : timeline
        .filter((event) => event.type === "message.sent")
        .map((event) => told(event.data.role, event.data.content, moment(event.occurred_at)));
  for (const { result } of conversation.insights) {
    found.push({ role: "insight", name: "Insight", text: typeof result === "string" ? result : JSON.stringify(result, null, 2), at: null });
  }
  return found;
}

function spoken({ message, at, put, by }) {
  if (put) return told(message.role, message.content, at);
  if (message.role === "assistant") return { role: "assistant", name: "Assistant", text: message.content, at };
  return { role: "user", name: by ? by.whose.name || who(by.leg.number) : "Somebody on the line", text: message.content, at };
}

/** A message that a request put into the transcript, without a voice. */
function told(role, content, at) {
  const speaks = role === "assistant" || role === "user";
  return { role: "system", name: speaks ? `Put in as ${role}: nobody hears it` : "Told by Partyline", text: content ?? "", at };
}
