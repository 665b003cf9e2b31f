// The facts from the server, and the lookups between the facts.

import { moment } from "./words.js";

const facts = new Map();
const watchers = new Set();
let callOwners = new Map();
let conversationIds = new Map();
let due = false;

export const model = { mode: "", api: "", number: null, to: "", choices: {}, up: false, ready: false, chosen: null, picked: null, look: false };

const factsOfKind = (kind) => facts.get(kind) ?? new Map();
export const factsOf = (kind) => [...factsOfKind(kind).entries()];
export const factOf = (kind, key = kind) => factsOfKind(kind).get(key);

export function clearFacts() {
  facts.clear();
  callOwners = new Map();
  conversationIds = new Map();
  model.ready = false;
  model.chosen = null;
  model.picked = null;
}

export function addFact(kind, key, value) {
  if (!facts.has(kind)) facts.set(kind, new Map());
  facts.get(kind).set(key, value);
  if (kind === "transaction" && value.document) rememberCalls(value.conversation, value.document);
  if (kind === "view") rememberCalls(key, value.conversation);
  // Past facts come first, and are drawn when all past facts are here.
  if (model.ready) changed();
}

function rememberCalls(conversation, { telnyx_conversation_id: talking, participants }) {
  if (talking) conversationIds.set(talking, conversation);
  for (const person of participants ?? []) {
    for (const [nth, leg] of (person.legs ?? []).entries()) {
      const known = { conversation, participant: person.id, name: person.name, leg: nth + 1 };
      if (leg.call_control_id) callOwners.set(leg.call_control_id, known);
      if (leg.call_leg_id) callOwners.set(leg.call_leg_id, known);
    }
  }
}

/** Draw again before the next frame, once for any number of changes. */
export function changed() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    for (const draw of watchers) draw();
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

export const isOver = (conversation) => conversation.status === "ended" || conversation.status === "failed";

/** The live conversations, then the ended conversations, newest first. */
export function conversations() {
  return factsOf("view")
    .map(([, view]) => view.conversation)
    .sort((first, second) => isOver(first) - isOver(second) || moment(second.created_at) - moment(first.created_at));
}

export const chosen = () => factOf("view", model.chosen);

/** Our client_state on a leg: conversation, participant and leg; null for another's state. */
export function parseClientState(state) {
  try {
    const read = JSON.parse(atob(state));
    return typeof read.conversation === "string" ? read : null;
  } catch {
    return null;
  }
}

/** The owner of a call by its call_control_id or call_leg_id: conversation, participant, leg. */
export const ownerOfCall = (id) => callOwners.get(id) ?? null;

/** Our conversation of a conversation id of Telnyx. */
export const conversationOfTelnyxId = (id) => conversationIds.get(id) ?? null;

/** The owner of the call in a payload from Telnyx or in a command. */
export function ownerOfPayload(payload, callControlId) {
  const known = ownerOfCall(callControlId ?? payload?.call_control_id) ?? ownerOfCall(payload?.call_leg_id);
  if (known) return known;
  const ours = parseClientState(payload?.client_state);
  return ours && { conversation: ours.conversation, participant: ours.participant, leg: ours.leg, name: null };
}

/** The simulated calls of a conversation with their owners, oldest first. */
export function legs(conversation) {
  return factsOf("leg")
    .map(([id, leg]) => ({ id, leg, owner: ownerOfCall(id) }))
    .filter(({ owner }) => owner?.conversation === conversation)
    .sort((first, second) => moment(first.leg.started_at) - moment(second.leg.started_at));
}

/** Whether a call was up at a time. */
export const wasUp = (leg, at) =>
  leg.answered_at !== null && moment(leg.answered_at) <= at && !(leg.ended_at !== null && moment(leg.ended_at) < at);

/** The name of the person at a number, or the number's last digits. */
export function personName(number) {
  return factOf("person", number)?.name || `…${(number ?? "").slice(-4)}`;
}
