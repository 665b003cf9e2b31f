// The transcript: the speaker and the hearers of each message, and the messages without a voice.

import { all, call, legs, one, up } from "./model.js";
import { moment } from "./words.js";

const SPOKEN = new Set(["assistant", "user"]);

/**
 * The transcript of a conversation's assistant, in order: each `{ message, at, put, by, heard }`.
 * `put` marks a message from a request, without a voice; `by` is the speaker's leg, if known;
 * `heard` are the legs that heard the message.
 */
export function transcript(id) {
  const assistant = one("assistant", one("view", id)?.conversation.telnyx_conversation_id);
  const there = legs(id);
  const put = putIn(id);
  const found = (assistant?.messages ?? []).map((message) => {
    const at = moment(message.at);
    const nth = put.findIndex((each) => each.at <= at && each.role === message.role && each.content === message.content);
    if (nth >= 0) put.splice(nth, 1);
    return { message, at, put: nth >= 0 || !SPOKEN.has(message.role) };
  });
  return found.map((each, nth) => {
    if (each.put) return { ...each, by: null, heard: [] };
    const again = found.slice(nth + 1).find((other) => !other.put && other.message.role === each.message.role && other.message.content === each.message.content);
    const ears = hearing(there, each, again?.at ?? Infinity);
    return { ...each, by: each.message.role === "user" ? speaker(there, ears, each, assistant) : null, heard: ears.map(({ ear }) => ear) };
  });
}

/** The messages from requests to Telnyx, with their times. */
function putIn(id) {
  return all("command")
    .filter(([, it]) => it.status === 200 && !it.duplicate && call(it.call_control_id)?.conversation === id)
    .flatMap(([, it]) =>
      [...(it.body?.messages ?? []), ...(it.body?.message_history ?? [])].map(({ role, content }) => ({ role, content, at: moment(it.at) })),
    );
}

/** The legs that heard a message between its time and `until`, with the heard words. */
function hearing(there, { message, at }, until) {
  const fits = (what) =>
    message.role === "assistant" ? what === `assistant: ${message.content}` : what.startsWith("+") && what.endsWith(`: ${message.content}`);
  return there.flatMap((ear) => {
    const found = ear.leg.heard.find((each) => moment(each.at) >= at && moment(each.at) < until && fits(each.what));
    return found ? [{ ear, what: found.what }] : [];
  });
}

/** The leg that the hearers name; without hearers, the only leg with the assistant. */
function speaker(there, ears, { at }, assistant) {
  if (ears.length) return there.find(({ leg }) => ears[0].what.startsWith(`${leg.number}: `)) ?? null;
  const present = there.filter(({ id, leg }) => {
    const joined = leg.heard.some((each) => each.what === "joined the conversation" && moment(each.at) <= at);
    return up(leg, at) && (id === assistant.starting_call || joined);
  });
  return present.length === 1 ? present[0] : null;
}
