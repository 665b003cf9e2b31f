// The facts from the server, and the lookups between the facts.

import { moment } from "./words.js";

const facts = new Map();
const watchers = new Set();
let calls = new Map();
let talks = new Map();
let due = false;

export const model = { mode: "", api: "", number: null, to: "", choices: {}, up: false, ready: false, chosen: null, picked: null, look: false };

const of = (kind) => facts.get(kind) ?? new Map();
export const all = (kind) => [...of(kind).entries()];
export const one = (kind, key = kind) => of(kind).get(key);

export function forget() {
  facts.clear();
  calls = new Map();
  talks = new Map();
  model.ready = false;
  model.chosen = null;
  model.picked = null;
}

export function learn(kind, key, value) {
  if (!facts.has(kind)) facts.set(kind, new Map());
  facts.get(kind).set(key, value);
  if (kind === "transaction" && value.document) note(value.conversation, value.document);
  if (kind === "view") note(key, value.conversation);
  // Past facts come first, and are drawn when all past facts are here.
  if (model.ready) changed();
}

function note(conversation, { telnyx_conversation_id: talking, participants }) {
  if (talking) talks.set(talking, conversation);
  for (const person of participants ?? []) {
    for (const [nth, leg] of (person.legs ?? []).entries()) {
      const known = { conversation, participant: person.id, name: person.name, leg: nth + 1 };
      if (leg.call_control_id) calls.set(leg.call_control_id, known);
      if (leg.call_leg_id) calls.set(leg.call_leg_id, known);
    }
  }
}

/** Draw again before the next frame, once for any number of changes. */
export function changed() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    for (const each of watchers) each();
  });
}

export const watch = (watcher) => watchers.add(watcher);

export function choose(conversation) {
  model.chosen = conversation;
  model.picked = null;
  changed();
}

/** Pick a row; with `look`, its details come into view. */
export function pick(row, look = false) {
  model.picked = row;
  model.look = look;
  changed();
}

export const over = (conversation) => conversation.status === "ended" || conversation.status === "failed";

/** The live conversations, then the ended conversations, newest first. */
export function conversations() {
  return all("view")
    .map(([, view]) => view.conversation)
    .sort((one, other) => over(one) - over(other) || moment(other.created_at) - moment(one.created_at));
}

export const chosen = () => one("view", model.chosen);

/** Our client_state on a leg: conversation, participant and leg; null for another's state. */
export function mark(state) {
  try {
    const read = JSON.parse(atob(state));
    return typeof read.conversation === "string" ? read : null;
  } catch {
    return null;
  }
}

/** The owner of a call by its call_control_id or call_leg_id: conversation, participant, leg. */
export const call = (id) => calls.get(id) ?? null;

/** The conversation of an assistant's conversation at Telnyx. */
export const talk = (id) => talks.get(id) ?? null;

/** The owner of the call in a payload from Telnyx or in a command. */
export function about(payload, callControlId) {
  const known = call(callControlId ?? payload?.call_control_id) ?? call(payload?.call_leg_id);
  if (known) return known;
  const ours = mark(payload?.client_state);
  return ours && { conversation: ours.conversation, participant: ours.participant, leg: ours.leg, name: null };
}

/** The simulated calls of a conversation with their owners, oldest first. */
export function legs(conversation) {
  return all("leg")
    .map(([id, leg]) => ({ id, leg, whose: call(id) }))
    .filter((each) => each.whose?.conversation === conversation)
    .sort((one, other) => moment(one.leg.started_at) - moment(other.leg.started_at));
}

/** Whether a call was up at a time. */
export const up = (leg, at) =>
  leg.answered_at !== null && moment(leg.answered_at) <= at && !(leg.ended_at !== null && moment(leg.ended_at) < at);

/** The name of the person at a number, or the number's last digits. */
export function who(number) {
  return one("person", number)?.name || `…${(number ?? "").slice(-4)}`;
}
