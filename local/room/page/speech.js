// The transcript: the speaker and the hearers of each message, and the messages without a voice.

import { factsOf, ownerOfCall, legs, factOf, wasUp } from "./model.js";
import { moment } from "./words.js";

const SPOKEN = new Set(["assistant", "user"]);

/**
 * The transcript of a conversation's assistant, in order: each `{ message, at, inserted, speaker, heard }`.
 * `inserted` marks a message from a request, without a voice; `speaker` is the speaker's leg, if known;
 * `heard` are the legs that heard the message.
 */
export function transcript(id) {
  const assistant = factOf("assistant", factOf("view", id)?.conversation.telnyx_conversation_id);
  const calls = legs(id);
  const inserted = insertedMessages(id);
  const found = (assistant?.messages ?? []).map((message) => {
    const at = moment(message.at);
    const nth = inserted.findIndex((entry) => entry.at <= at && entry.role === message.role && entry.content === message.content);
    if (nth >= 0) inserted.splice(nth, 1);
    return { message, at, inserted: nth >= 0 || !SPOKEN.has(message.role) };
  });
  return found.map((entry, nth) => {
    if (entry.inserted) return { ...entry, speaker: null, heard: [] };
    const again = found.slice(nth + 1).find((other) => !other.inserted && other.message.role === entry.message.role && other.message.content === entry.message.content);
    const hearers = findHearers(calls, entry, again?.at ?? Infinity);
    return { ...entry, speaker: entry.message.role === "user" ? findSpeaker(calls, hearers, entry, assistant) : null, heard: hearers.map(({ call }) => call) };
  });
}

/** The messages from requests to Telnyx, with their times. */
function insertedMessages(id) {
  return factsOf("command")
    .filter(([, fact]) => fact.status === 200 && !fact.duplicate && ownerOfCall(fact.call_control_id)?.conversation === id)
    .flatMap(([, fact]) =>
      [...(fact.body?.messages ?? []), ...(fact.body?.message_history ?? [])].map(({ role, content }) => ({ role, content, at: moment(fact.at) })),
    );
}

/** The legs that heard a message between its time and `until`, with the heard words. */
function findHearers(calls, { message, at }, until) {
  const fits = (what) =>
    message.role === "assistant" ? what === `assistant: ${message.content}` : what.startsWith("+") && what.endsWith(`: ${message.content}`);
  return calls.flatMap((call) => {
    const found = call.leg.heard.find((entry) => moment(entry.at) >= at && moment(entry.at) < until && fits(entry.what));
    return found ? [{ call, what: found.what }] : [];
  });
}

/** The leg that the hearers name; without hearers, the only leg with the assistant. */
function findSpeaker(calls, hearers, { at }, assistant) {
  if (hearers.length) return calls.find(({ leg }) => hearers[0].what.startsWith(`${leg.number}: `)) ?? null;
  const present = calls.filter(({ id, leg }) => {
    const joined = leg.heard.some((entry) => entry.what === "joined the conversation" && moment(entry.at) <= at);
    return wasUp(leg, at) && (id === assistant.starting_call || joined);
  });
  return present.length === 1 ? present[0] : null;
}
