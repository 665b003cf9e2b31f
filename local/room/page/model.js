// The facts from the server, and the lookups between the facts.

import { moment } from "./words.js";

const facts = new Map();
const watchers = new Set();
let callOwners = new Map();
let conversationIds = new Map();
let documents = new Map();
let known = new Map();
let due = false;

/**
 * The state of the page. `chosen` is the id of the shown conversation, `picked` the picked row, and
 * `address` the key of a row that the page's address names and that is not drawn yet.
 */
export const model = { mode: "", api: "", number: null, to: "", choices: {}, aws: null, up: false, ready: false, chosen: null, picked: null, look: false, address: null, awaited: null, zero: 0 };

const factsOfKind = (kind) => facts.get(kind) ?? new Map();
export const factsOf = (kind) => [...factsOfKind(kind).entries()];
export const factOf = (kind, key = kind) => factsOfKind(kind).get(key);

export function clearFacts() {
  facts.clear();
  callOwners = new Map();
  conversationIds = new Map();
  documents = new Map();
  known = new Map();
  model.ready = false;
  model.picked = null;
}

export function addFact(kind, key, value) {
  if (!facts.has(kind)) facts.set(kind, new Map());
  facts.get(kind).set(key, value);
  if (kind === "transaction" && value.document) rememberDocument(value);
  if (kind === "view") rememberCalls(key, value.conversation);
  if (kind === "view" || kind === "row") rememberRow(key, kind === "view" ? value.conversation : value);
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

function rememberDocument({ conversation, document, reasons }) {
  rememberCalls(conversation, document);
  if (!reasons && (documents.get(conversation)?.version ?? 0) < document.version) documents.set(conversation, document);
}

/** Keep the newest form of a conversation for the list. */
function rememberRow(id, conversation) {
  const before = known.get(id);
  if (before && moment(before.conversation.updated_at) > moment(conversation.updated_at)) return;
  known.set(id, { conversation, live: !isOver(conversation), at: moment(conversation.created_at ?? conversation.start_at) });
}

/** The newest stored document of a conversation, in the room. */
export const documentOf = (conversation) => documents.get(conversation) ?? null;

/** Draw again before the next frame, once for any number of changes. */
export function changed() {
  if (due) return;
  due = true;
  requestAnimationFrame(draw);
}

// The browser makes no click of a press on an element that a drawing replaced before the release. The
// wait has an end, because a scroll bar tells of a press and of no release.
const PRESS_MS = 500;
let pressedUntil = 0;
addEventListener("pointerdown", () => (pressedUntil = performance.now() + PRESS_MS), true);
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => (pressedUntil = 0), true);

function draw(now) {
  if (now < pressedUntil) {
    requestAnimationFrame(draw);
    return;
  }
  due = false;
  for (const watcher of watchers) watcher();
}

export const watch = (watcher) => watchers.add(watcher);

/** Show a conversation, or with null the list. */
export function choose(conversation) {
  model.chosen = conversation;
  model.picked = null;
  model.address = null;
  changed();
}

/** Show a conversation that was just started: its first facts may come later than the answer. */
export function chooseNew(conversation) {
  choose(conversation);
  model.awaited = conversation;
}

/** Pick a row; with `look`, its details come into view. */
export function pick(row, look = false) {
  model.picked = row;
  model.look = look;
  changed();
}

export const isOver = (conversation) => conversation.status === "ended" || conversation.status === "failed";

/** The live conversations, then the ended conversations, newest first. */
export const conversations = () =>
  [...known.values()].sort((first, second) => second.live - first.live || second.at - first.at).map(({ conversation }) => conversation);

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

/** What the person on a call said and pressed, oldest first. */
export const ownWords = (call) => factsOf("own").map(([, own]) => own).filter((own) => own.call === call);

/** Whether a call was up at a time. */
export const wasUp = (leg, at) =>
  leg.answered_at !== null && moment(leg.answered_at) <= at && !(leg.ended_at !== null && moment(leg.ended_at) < at);
