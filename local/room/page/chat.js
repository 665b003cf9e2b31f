// The messages to the assistant and the spoken words, as a chat.

import { byId, h, keyed, show } from "./dom.js";
import { chosen, factsOf, legs, model, ownerOfPayload } from "./model.js";
import { nameOf, nameOfNumber } from "./names.js";
import { transcript } from "./speech.js";
import { causesOfPartyline } from "./story.js";
import { moment, since } from "./words.js";

/** The colours of the people; the host has the first. */
const COLOURS = 6;

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
  keyed(place, bubbles.map((entry, nth) => [`${model.chosen}/${nth}`, JSON.stringify([entry, model.zero]), entry]), bubble);
  if (atEnd) place.scrollTop = place.scrollHeight;
}

function bubble({ role, name, text, at, person }) {
  const colour = person && `of-${person.nth % COLOURS}`;
  return h(
    "article",
    { class: ["bubble", role, colour].filter(Boolean).join(" ") },
    h("header", {}, person && h("i", { class: "initial", "aria-hidden": "true" }, [...name.trim()][0]?.toUpperCase() ?? "?"), h("b", {}, h("bdi", {}, name)), person?.host && h("span", {}, "host"),
      at && h("time", { title: new Date(at).toLocaleTimeString() }, since(at - model.zero))),
    h("p", {}, text),
  );
}

function messages(view) {
  const { conversation, timeline } = view;
  const byApp = messagesOfApp(timeline);
  const bubbles = model.mode === "room"
    ? transcript(conversation.id).map((entry) => spoken(entry, conversation, byApp))
    : timeline
        .filter((event) => event.type === "message.sent")
        .map((event) => insertedMessage(event.data.role, event.data.content, moment(event.occurred_at), byApp));
  if (model.mode === "room") bubbles.push(...tools(conversation.id), ...sounds(conversation));
  bubbles.sort((first, second) => (first.at ?? Infinity) - (second.at ?? Infinity));
  for (const { result } of conversation.insights ?? []) {
    const name = model.mode === "room" ? "Insight, made up by the simulator" : "Insight";
    bubbles.push({ role: "insight", name, text: typeof result === "string" ? result : JSON.stringify(result, null, 2), at: null });
  }
  return bubbles;
}

/** The assistant's requests to its tools, with the answers. */
function tools(id) {
  return factsOf("request").filter(([, { path, body, call_control_id: call }]) => path.startsWith("/tools/") && ownerOfPayload(body, call)?.conversation === id)
    .map(([, { path, body, answer, status, at }]) => {
      const { call_control_id: _call, ...asked } = body ?? {};
      const used = Object.values(asked).filter(Boolean).join(", ");
      return { role: "tool", name: "Tool of the assistant", text: `${path.slice(7)}${used && `: ${used}`}\n→ ${answer?.message ?? `answered ${status}`}`, at: moment(at) };
    });
}

const VOICE = /^(voice|audio): (.*)$/s;

/** What one person alone hears: briefs, questions, waiting sentences and waiting music. */
const sounds = (conversation) =>
  legs(conversation.id).flatMap(({ leg, owner }) => leg.heard.flatMap(({ at, what }) => {
    const [, kind, content] = VOICE.exec(what) ?? [];
    const text = kind === "audio" ? `♪ ${content}` : content;
    return kind ? [{ role: "alone", name: `${speakerOf({ leg, owner }, conversation).name} alone hears`, text, at: moment(at) }] : [];
  }));

/** The messages that the application sent: Partyline's own have the cause of another event. */
function messagesOfApp(timeline) {
  const ours = causesOfPartyline(timeline);
  return new Set(timeline.filter(({ type, cause }) => type === "message.sent" && !ours.has(cause)).map(({ data }) => data.content));
}

function spoken({ message, at, inserted, speaker }, conversation, byApp) {
  if (inserted) return insertedMessage(message.role, message.content, at, byApp);
  if (message.role === "assistant") return { role: "assistant", name: "Assistant", text: message.content, at };
  return { role: "user", text: message.content, at, ...(speaker ? speakerOf(speaker, conversation) : { name: "A person on the line" }) };
}

/** The name of the person on a call, with the person's place among the participants. */
function speakerOf({ owner, leg }, { participants, direction }) {
  const nth = participants.findIndex(({ id }) => id === owner.participant);
  if (nth < 0) return { name: nameOfNumber(leg.number) };
  return { name: nameOf(participants[nth], direction), person: { nth, host: participants[nth].host } };
}

/** A message that a request put into the transcript, without a voice. */
function insertedMessage(role, content, at, byApp) {
  const speaks = role === "assistant" || role === "user";
  const teller = byApp.has(content) ? "Told by your app" : "Told by Partyline";
  return { role: byApp.has(content) ? "system app" : "system", name: speaks ? `Put in as ${role}: nobody hears it` : teller, text: content ?? "", at };
}
