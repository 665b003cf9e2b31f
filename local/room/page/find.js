// Finds conversations: the search, the filters and the counters of the list.

import { nameOf, title } from "./names.js";
import { began, clock, list, moment, outcomeShort, outcomeWords, participantStatus } from "./words.js";

const HOUR_MS = 3_600_000;

export const FILTERS = [
  ["all", "All", () => true],
  ["live", "Live", ({ status }) => status === "connecting" || status === "active" || status === "stopping"],
  ["failed", "Failed", ({ status }) => status === "failed"],
  ["hour", "Last hour", ({ created_at: at }, now) => now - moment(at) < HOUR_MS],
  ["scheduled", "Bookings", ({ status }) => status === "scheduled"],
];

const texts = new WeakMap();

/** The text of a conversation that the search looks through: names, numbers, id, metadata. */
function searched(conversation) {
  if (!texts.has(conversation)) {
    const people = (conversation.participants ?? []).flatMap((person) => [nameOf(person, conversation.direction), ...person.legs.flatMap((leg) => [leg.to, leg.from])]);
    const fields = [conversation.id, conversation.status, conversation.assistant?.id, ...people, JSON.stringify(conversation.metadata ?? {})];
    texts.set(conversation, fields.join(" ").toLowerCase());
  }
  return texts.get(conversation);
}

/** The conversations that a filter lets through and that have each word of the search. A number may have spaces. */
export function find(conversations, filter, text, now) {
  const [, , allows] = FILTERS.find(([name]) => name === filter) ?? FILTERS[0];
  const asked = text.trim().toLowerCase();
  const words = /^\+?[\d\s()-]{3,}$/.test(asked) ? [asked.replaceAll(/[\s()-]/g, "")] : asked.split(/\s+/).filter(Boolean);
  return conversations.filter((conversation) => allows(conversation, now) && words.every((word) => searched(conversation).includes(word)));
}

/** How many conversations each filter lets through. */
export const counts = (conversations, now) => new Map(FILTERS.map(([name, , allows]) => [name, conversations.reduce((sum, conversation) => sum + (allows(conversation, now) ? 1 : 0), 0)]));

const isOver = ({ status }) => status === "ended" || status === "failed";

/** The columns of a conversation in the list. */
export function columns(conversation, now) {
  const { status, participants = [], direction } = conversation;
  if (status === "scheduled" || conversation.start_at) {
    return { name: conversation.id.slice(0, 8), status, began: began(conversation.start_at), lasted: "", people: "", why: conversation.failure?.message ?? `booked by ${conversation.key_id}` };
  }
  const until = conversation.ended_at ? moment(conversation.ended_at) : isOver(conversation) ? null : now;
  const from = moment(conversation.active_at);
  return {
    name: title(conversation), status, began: began(conversation.created_at), why: why(conversation),
    lasted: from && until ? clock((until - from) / 1000) : "",
    people: onTheLine(participants, direction, status),
  };
}

function onTheLine(participants, direction, status) {
  if (status === "ended" || status === "failed") return `${participants.length}`;
  const joined = participants.filter((person) => person.status === "joined");
  return joined.length ? `${joined.length}: ${list(joined.map((person) => nameOf(person, direction)))}` : "nobody";
}

/** Why a conversation failed, or what is the matter now, in words. */
export function why({ status, failure, participants, direction }) {
  const host = participants[0];
  if (status === "failed" && host?.outcome && host.outcome !== "human") return `${nameOf(host, direction)} ${outcomeWords(host.outcome)}`;
  if (failure) return failure.message || failure.code;
  const tried = participants.filter((person) => person.status !== "joined" && person.status !== "left" && !(status === "ended" && person.status !== "failed"));
  return tried.map((person) => `${nameOf(person, direction)}: ${person.status === "failed" ? outcomeShort(person.outcome) || "failed" : participantStatus(person)}`).join(", ");
}
