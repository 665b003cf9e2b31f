// The story of a conversation: a few entries, each with the rows of the diagram that belong to the entry.

import { factOf, model } from "./model.js";
import { nameOf, nameOfNumber, otherNumber } from "./names.js";
import { stopReason } from "./sentence.js";
import { capital, causeWords, clock, cut, moment, outcomeShort, outcomeWords, participantStatus, plain } from "./words.js";

const MESSAGES = new Set(["message.sent", "message.failed"]);
const CLOSING = new Set(["conversation.stopping", "conversation.ended", "conversation.failed"]);
const OWN = new Set(["assistant.mode_changed", "assistant.mode_failed", "conversation.restarted", "call_back.booked"]);

/** The causes of events that are no messages: a message with another cause comes from the application. */
export const causesOfPartyline = (timeline) => new Set(timeline.filter(({ type }) => !MESSAGES.has(type)).map(({ cause }) => cause));

/** The entries of a conversation in order of time: `{ key, at, text, note, bad, rows }`. */
export function story(view, rows) {
  const entries = entriesOf(view.timeline);
  addTalk(entries, rows);
  const sorted = [...entries.values()].sort((first, second) => first.at - second.at);
  if (sorted.length) for (const row of rows) (row.kind === "voice" && row.talk ? entries.get(row.talk) : entryOf(row, sorted)).rows.push(row);
  const removed = new Set(rows.filter(isHangup).map(personOf));
  for (const entry of sorted) Object.assign(entry, describe(entry, view, removed), trouble(entry));
  return sorted;
}

function entriesOf(timeline) {
  const entries = new Map();
  const joined = new Set();
  const ours = causesOfPartyline(timeline);
  const byCause = (cause) => [...entries.values()].find(({ events }) => events.some((event) => event.cause === cause));
  const add = (key, event, more) => {
    if (!entries.has(key)) entries.set(key, { key, at: moment(event.occurred_at), events: [], rows: [], ...more });
    entries.get(key).events.push(event);
  };
  const close = (event) => {
    // The hangup that ends the conversation and the end are one entry.
    const hangup = !entries.has("end") && [...entries.values()].find(({ key, events }) => key.startsWith("left/") && events.some(({ cause }) => cause === event.cause));
    if (hangup) {
      entries.delete(hangup.key);
      entries.set("end", Object.assign(hangup, { key: "end" }));
    }
    add("end", event);
  };
  for (const event of timeline) {
    const { type, cause, data, seq } = event;
    const who = data.participant_id;
    if (CLOSING.has(type)) close(event);
    else if (MESSAGES.has(type)) add(ours.has(cause) ? (byCause(cause)?.key ?? `message/${seq}`) : `message/${seq}`, event);
    else if (OWN.has(type)) add(byCause(cause)?.key ?? `${type}/${seq}`, event);
    else if (type === "conversation.insights_generated" || type === "conversation.analyzed") add("insights", event);
    else if (type === "participant.alone" || type.startsWith("command.")) add(byCause(cause)?.key ?? (who ? `reach/${who}` : "reach/host"), event, { who });
    else if (!who || type.startsWith("handover.")) add(`reach/${who ?? "host"}`, event, { who: who ?? "host" });
    else if (joined.has(who) && (type === "leg.ended" || type === "participant.left")) add(entries.get("end")?.who === who || (entries.has("end") && type === "leg.ended" && !entries.has(`left/${who}`)) ? "end" : `left/${who}`, event, { who });
    else add(`reach/${who}`, event, { who });
    if (type === "participant.joined") joined.add(who);
  }
  return entries;
}

/** The words between the starts of two entries are one entry. */
function addTalk(entries, rows) {
  const starts = [...entries.values()].map(({ at }) => at).sort((first, second) => first - second);
  for (const row of rows.filter(({ kind, key }) => kind === "voice" && key.startsWith("m/"))) {
    const key = `talk/${starts.findLastIndex((at) => at <= row.at)}`;
    if (!entries.has(key)) entries.set(key, { key, at: row.at, events: [], rows: [] });
    row.talk = key;
  }
}

/** The entry of a row: by its cause, by its command, by its person, else by its time. */
function entryOf(row, sorted) {
  const seq = row.kind === "event" && (row.fact.detail ?? row.fact).seq;
  const has = (test) => sorted.find(({ events }) => events.some(test));
  const found = (seq && has((event) => event.seq === seq)) || (row.cause && has(({ cause }) => cause === row.cause)) || (row.command && has(({ data }) => data.command_id === row.command));
  if (found) return found;
  const who = personOf(row) ?? (row.kind === "request" ? (row.fact.path.match(/\/participants\/([\w-]+)$/)?.[1] ?? row.fact.answer?.participant_id ?? row.fact.answer?.id) : null);
  const left = who && (isHangup(row) || row.fact.method === "DELETE") && sorted.find((entry) => entry.who === who && /^(left|end)/.test(entry.key));
  if (left) return left;
  const before = sorted.filter(({ at, key }) => at <= row.at && !key.startsWith("talk/"));
  const ofPerson = who && (before.findLast((entry) => entry.who === who) ?? sorted.find((entry) => entry.who === who));
  return ofPerson || (before.at(-1) ?? sorted[0]);
}

const personOf = (row) => (row.owner ?? row.via ?? (row.to?.includes?.("/") ? row.to : null))?.split("/").slice(0, -1).join("/");

/** Whether a row is Partyline's hangup of a person's call. */
const isHangup = ({ kind, fact }) => kind === "command" && fact.action === "hangup";

function describe(entry, view, removed) {
  const { conversation } = view;
  const [kind] = entry.key.split("/");
  const person = conversation.participants.find(({ id }) => id === entry.who);
  if (kind === "reach") return reach(entry, person ?? conversation.participants[0], conversation);
  if (kind === "left") return { text: departure(entry, person, conversation, removed), note: "" };
  if (kind === "end") return end(entry, person, view, removed);
  if (kind === "talk") return talk(entry);
  if (kind === "message") return message(entry.events[0]);
  if (kind === "insights") return insights(conversation, entry);
  const { type, data } = entry.events[0];
  if (type === "assistant.mode_changed") return { text: `The assistant is ${data.mode}`, note: plain(data.reason) };
  if (type === "conversation.restarted") return { text: "The assistant started again", note: "Telnyx had ended the assistant's conversation" };
  return { text: capital(plain(type).replace(".", ": ")), note: data.failure?.message ?? "" };
}

function reach(entry, person, conversation) {
  if (!person) return { text: "The conversation started", note: "" };
  const { direction } = conversation;
  const name = nameOf(person, direction);
  const handover = entry.events.find(({ type }) => type === "handover.started");
  const joined = entry.events.find(({ type }) => type === "participant.joined");
  const isJoined = joined || person.status === "joined";
  const tries = person.legs.filter((leg) => leg.outcome && leg.outcome !== "human" && leg.status === "ended")
    .map((leg) => `${nameOfNumber(otherNumber(person, leg, direction))} ${outcomeShort(leg.outcome)}`);
  const asked = joined && entry.events.some(({ type }) => type === "leg.screening");
  const note = [person.legs.length > 1 || person.status !== "failed" ? tries.join(", ") : "", asked && "pressed 1", joined && `after ${((moment(joined.occurred_at) - entry.at) / 1000).toFixed(1)} s`].filter(Boolean).join(", ");
  return { text: reached(person, name, isJoined, handover, conversation), note };
}

function reached(person, name, joined, handover, { direction }) {
  if (person.status === "failed") return `${name} ${person.outcome === "human" ? "hung up before the join" : outcomeWords(person.outcome)}`;
  if (!joined) return person.status === "left" ? `${name} hung up before the join` : `${name}: ${participantStatus(person)}`;
  if (handover) return `The assistant handed over to ${name}`;
  if (!person.host) return `${name} joined`;
  if (direction === "inbound") return `${name} called, and the assistant answered`;
  return direction === "attached" ? `The assistant was put on the call of ${name}` : `${name} answered, and the assistant started`;
}

/** How a person left. Only the room knows the commands, and so whether the person hung up. */
function departure({ events }, person, { direction }, removed) {
  const name = nameOf(person, direction);
  const ended = events.find(({ type }) => type === "leg.ended");
  const cause = ended?.data.hangup_cause;
  if (removed.has(person.id)) return `Partyline hung ${name} up`;
  if (!ended && events.some(({ type }) => type === "participant.left")) return `${name} is no longer in the conversation`;
  if (!ended || model.mode !== "room") return `${name} left`;
  return cause && causeWords(cause) !== "hung up" ? `${name} left: ${causeWords(cause)}` : `${name} hung up`;
}

function end(entry, person, { conversation, timeline }, removed) {
  const { status, failure, active_at: active, ended_at: ended } = conversation;
  const lasted = active && ended ? `lasted ${clock((moment(ended) - moment(active)) / 1000)}` : "";
  if (status === "failed") return { text: "The conversation failed", note: failure?.message ?? "", failed: true };
  const words = status === "stopping" ? "the conversation ends" : "the conversation ended";
  if (person) return { text: `${departure(entry, person, conversation, removed)}, and ${words}`, note: lasted };
  return { text: capital(words), note: [stopReason(timeline), lasted].filter(Boolean).join(", ") };
}

function talk({ rows }) {
  const names = new Set(rows.map((row) => (row.from === "assistant" ? "the assistant" : row.speaker || "a person")));
  const others = [...names].filter((name) => name !== "the assistant");
  const [first] = rows;
  return {
    text: capital(others.length ? `${others.join(" and ")}${names.size > others.length ? " and the assistant" : ""} spoke` : "the assistant spoke"),
    note: first ? `“${cut(first.label, 60)}”${rows.length > 1 ? ` and ${rows.length - 1} more` : ""}` : "",
  };
}

function message({ type, data }) {
  const told = data.role === "system" || data.role === "developer" ? "told the assistant" : `put in a message as ${data.role}`;
  return type === "message.failed"
    ? { text: "The assistant could not be told", note: data.failure?.message ?? "" }
    : { text: `Your app ${told}`, note: `“${cut(data.content ?? "", 80)}”` };
}

function insights({ insights: found, telnyx_conversation_id: id }, { events }) {
  const first = found?.[0]?.result;
  const simulated = model.mode === "room" && (factOf("assistant", id) || found?.length) ? "simulated: " : "";
  const cost = events.find(({ data }) => data.cost?.total)?.data.cost;
  const note = [first && simulated + cut(typeof first === "string" ? first : JSON.stringify(first), 60), cost && `${cost.total} ${cost.currency ?? ""}`.trim()].filter(Boolean);
  return { text: "Telnyx analysed the conversation", note: note.join(" · ") };
}

/** What went wrong in an entry's rows, in words. */
function trouble({ rows, note = "", ...entry }) {
  const count = (test, word) => {
    const many = rows.filter(test).length;
    return many ? `${many} ${word}` : "";
  };
  const words = [
    count(({ kind, lost }) => kind === "webhook" && lost, "lost"), count(({ kind, lost, bad }) => kind === "webhook" && bad && !lost, "failed"),
    count(({ kind, bad }) => kind === "command" && bad, "refused"), count(({ kind, odd, bad }) => kind === "webhook" && odd && !bad, "repeated"),
    count(({ kind, bad, lost }) => kind === "event" && bad && lost, "dead letter"), count(({ kind, bad }) => kind === "request" && bad, "refused request"),
  ].filter(Boolean);
  return { trouble: words.join(", "), bad: rows.some(({ bad, kind, lost, label }) => bad && (kind !== "event" || lost || label === "message.failed")) };
}
