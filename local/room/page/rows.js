// Makes the rows of the diagram from the facts: sender, receiver, label and result.

import { during, logged } from "./effects.js";
import { ownerOfPayload, ownWords, factsOf, ownerOfCall, legs, model, factOf, conversationOfTelnyxId } from "./model.js";
import { nameOfNumber, otherNumber } from "./names.js";
import { isIncoming, reasonOfEvent, reasonOfWebhook } from "./reasons.js";
import { transcript } from "./speech.js";
import { causeWords, moment, outcomeShort } from "./words.js";

const ACTIONS = {
  dial: "dial", answer: "answer", hangup: "hang up", reject: "reject", speak: "speak",
  playback_start: "play audio", playback_stop: "stop the voice", bridge: "connect the people",
  conference_create: "make a conference", conference_join: "into the conference",
  conference_leave: "out of the conference",
  gather_using_speak: "ask for a digit", ai_assistant_start: "start assistant",
  ai_assistant_join: "join", ai_assistant_stop: "stop assistant",
  ai_assistant_add_messages: "tell the assistant", retrieve: "look at the call",
  active_calls: "look for the call", conversations: "look for the conversation",
  insights: "look for insights",
};

const PARTS = [
  { id: "app", label: "Your app", wide: 72, kind: "request" },
  { id: "bus", label: "Events", wide: 76, kind: "event" },
  { id: "table", label: "Table", wide: 68, kind: "table" },
  { id: "us", label: "Partyline", wide: 82 },
  { id: "queue", label: "Queue", wide: 66 },
  { id: "telnyx", label: "Telnyx", wide: 86 },
  { id: "assistant", label: "Assistant", wide: 86 },
];
const LEG_WIDE = 82;
const ENDED_WIDE = 40;

/** With more legs, ended legs become thin. */
const FEW_LEGS = 4;

/** The lifelines, left to right: Partyline's parts, then a lifeline for each leg.
 *
 * The failover queue has a lifeline when the rows `result` contain the queue. `hidden` are the kinds
 * of row that are not shown. A `narrow` picture has no lifelines of the table, the bus and the app:
 * their rows are at Partyline's lifeline. `wide` is the usual width of a lifeline.
 */
export function lanes(view, result, hidden, narrow) {
  const room = model.mode === "room";
  const queued = result.some((row) => row.to === "queue");
  const parts = PARTS.filter((lane) =>
    !room ? lane.id === "us"
    : lane.id === "queue" ? queued
    : !lane.kind || (!narrow && !hidden.has(lane.kind)),
  );
  const { participants, direction } = view.conversation;
  const many = participants.reduce((sum, person) => sum + person.legs.length, 0) > FEW_LEGS;
  const people = participants.flatMap((person) =>
    person.legs.map((leg, nth) => {
      const simulated = leg.call_control_id ? factOf("leg", leg.call_control_id) : null;
      const other = simulated?.number ?? otherNumber(person, leg, direction);
      const thin = many && leg.status === "ended";
      const end = leg.status === "ended" ? outcomeShort(leg.outcome) || causeWords(leg.hangup_cause) : "";
      return {
        id: `${person.id}/${nth + 1}`,
        label: person.name || nameOfNumber(other),
        under: thin ? end : `…${(other ?? "").slice(-4)}${person.host ? " host" : ""}`,
        end,
        wide: thin ? ENDED_WIDE : LEG_WIDE,
        from: moment(simulated?.started_at ?? leg.created_at),
        answered: wasNever(person, leg, simulated) ? null : moment(simulated?.answered_at ?? leg.answered_at),
        to: moment(simulated?.ended_at ?? leg.ended_at),
        leg: true,
      };
    }),
  );
  return [...parts.map((lane) => ({ under: "", ...lane })), ...people];
}

/** Whether an attached call turned out to be no call: Partyline took the request's word for the call. */
const wasNever = (person, leg, simulated) => !simulated && person.status === "failed" && leg.status !== "ended";

const lane = (owner) => (owner?.participant ? `${owner.participant}/${owner.leg}` : null);

/** All rows of a conversation, in order of time. */
export function rows(view) {
  const id = view.conversation.id;
  const result =
    model.mode === "room"
      ? [...requests(id), ...webhooks(id), ...queued(id), ...lost(id), ...commands(id), ...transactions(id), ...published(id), ...voices(id)]
      : events(view);
  return result.sort((a, b) => a.at - b.at || a.order - b.order);
}

function requests(id) {
  const start = starting(id);
  return factsOf("request")
    .filter(([, fact]) => fact === start || fact.path.startsWith(`/conversations/${id}`) || fact.answer?.id === id || byAssistant(fact)?.conversation === id)
    .map(([key, fact]) => ({
      key, kind: "request", order: 0, at: moment(fact.at), from: byAssistant(fact) ? "assistant" : "app", to: "us", fact,
      label: `${fact.method} ${fact.path.replace(id, "…")}`,
      note: [fact.status ?? "no answer", `${Math.round(fact.took_ms)} ms`], bad: fact.status === null || fact.status >= 400,
    }));
}

/** The owner of the call of an assistant's tool request; null for an application's request. */
const byAssistant = (fact) => (fact.path.startsWith("/tools/") ? ownerOfPayload(fact.body, fact.call_control_id) : null);

/** The unanswered request that started a conversation, found by the transaction it made. */
function starting(id) {
  const first = factsOf("transaction").map(([, fact]) => fact).find((fact) => fact.conversation === id && fact.version === 1 && !fact.reasons);
  const to = first?.document.participants[0]?.legs[0]?.to;
  return first && factsOf("request").map(([, fact]) => fact).find((fact) =>
    fact.method === "POST" && fact.path === "/conversations" && !fact.answer?.id && fact.body?.to === to && during(first, fact));
}

function webhooks(id) {
  const logs = factsOf("log").map(([, line]) => line);
  const seen = new Set();
  const written = factsOf("transaction").map(([, fact]) => fact).filter((fact) => fact.conversation === id && !fact.reasons);
  // In order of arrival, because the first webhook may be answered last.
  const came = factsOf("webhook").sort(([first], [second]) => (first < second ? -1 : 1));
  return came.flatMap(([key, fact]) => {
    const data = fact.body?.data ?? {};
    const owner = ownerOfPayload(data.payload);
    const ours = owner?.conversation ?? logs.find((each) => each.event_id === data.id && each.conversation_id)?.conversation_id;
    if (ours !== id) return [];
    const again = (fact.body.meta?.attempt ?? 1) > 1;
    const doubled = seen.has(data.id) && !again;
    seen.add(data.id);
    const what = fact.answer?.status;
    const failover = fact.path === "/failover";
    const crashed = fact.status !== 200 && factsOf("crash").some(([, crash]) => during(crash, fact));
    const idle = what === "ok" && !written.some((each) => each.dedupe_key === data.id && during(each, fact));
    const note = [
      reasonOfWebhook(data),
      failover && "into the failover queue",
      again && `attempt ${fact.body.meta.attempt}`,
      doubled && "delivered twice",
      what === "duplicate" && "seen before",
      what === "ignored" && "ignored",
      idle && "changed nothing",
      fact.status !== 200 && (fact.status ?? "no answer"),
      crashed && "crashed on request",
      `${Math.round(fact.took_ms)} ms`,
    ].filter(Boolean);
    return [{
      key, kind: "webhook", order: 1, at: moment(fact.at), from: "telnyx", to: failover ? "queue" : "us",
      via: lane(owner), fact, cause: data.id, label: data.event_type ?? fact.path, note,
      odd: again || doubled || what === "duplicate", quiet: idle || what === "ignored", bad: fact.status !== 200,
    }];
  });
}

/** The webhooks that the failover function got from the queue, with the results. */
function queued(id) {
  return factsOf("queued")
    .filter(([, fact]) => ownerOfPayload(fact.body?.data?.payload)?.conversation === id)
    .map(([key, fact]) => ({
      key, kind: "webhook", order: 1, at: moment(fact.at), from: "queue", to: "us", fact, odd: true,
      cause: fact.body.data.id, label: fact.body.data.event_type, bad: !fact.taken_in,
      note: [reasonOfWebhook(fact.body.data), fact.taken_in ? "out of the failover queue" : "back into the failover queue", fact.received > 1 && `time ${fact.received}`, `${Math.round(fact.took_ms)} ms`].filter(Boolean),
    }));
}

function lost(id) {
  return factsOf("lost")
    .filter(([, fact]) => ownerOfPayload(fact.body.data.payload)?.conversation === id)
    .map(([key, fact]) => ({
      key, kind: "webhook", order: 1, at: moment(fact.at), from: "telnyx", to: "us", lost: true, bad: true,
      via: lane(ownerOfPayload(fact.body.data.payload)), fact, cause: fact.body.data.id,
      label: fact.body.data.event_type, note: [reasonOfWebhook(fact.body.data), "lost on the way"].filter(Boolean),
    }));
}

function commands(id) {
  return factsOf("command").flatMap(([key, fact]) => {
    const dialled = fact.answer?.data?.call_control_id;
    const result = LOOKUPS[fact.action]?.(fact);
    const owner = result ?? ownerOfPayload(fact.body, fact.call_control_id ?? dialled) ?? ownerOfCall(dialled);
    if (owner?.conversation !== id) return [];
    const inserted = fact.body?.messages?.find(({ role }) => role === "user" || role === "assistant");
    const note = [
      inserted && `as ${inserted.role}, nobody hears it`,
      fact.duplicate && "again, same command_id",
      fact.lost && "done, answer lost",
      fact.status === 0 ? "connection broke" : fact.status !== 200 && `refused ${fact.status}`,
      fact.fault && "a fault you switched on",
    ].filter(Boolean);
    return [{
      key, kind: "command", order: 3, at: moment(fact.at), from: "us", to: "telnyx", via: fact.action === "ai_assistant_add_messages" ? "assistant" : lane(owner),
      owner: lane(owner), fact, label: ACTIONS[fact.action] ?? fact.action, note, odd: fact.duplicate,
      bad: fact.lost || fact.status !== 200, command: fact.command_id ?? result?.command,
    }];
  });
}

/** The owners of requests to Telnyx without a call in the body, by action. */
const LOOKUPS = {
  active_calls: (fact) => lookup("find dial", fact),
  conversations: (fact) => ({ ...lookup("find start", fact), ...ownerOfCall(decodeURIComponent(fact.path).match(/call_control_id=eq\.([^&]+)/)?.[1]) }),
  insights: (fact) => {
    const conversation = conversationOfTelnyxId(fact.path.split("/").at(-2));
    return { ...lookup("fetch_insights", fact, conversation), conversation };
  },
};

/** The request is logged after its end: the next log line of the action belongs to it. */
function lookup(action, fact, conversation) {
  const line = factsOf("log").map(([, each]) => each).find((each) =>
    each.action === action && (!conversation || each.conversation_id === conversation) && logged(each) >= moment(fact.at));
  return line && { conversation: line.conversation_id, participant: line.participant_id, leg: line.leg, command: line.command_id };
}

function transactions(id) {
  return factsOf("transaction")
    .filter(([, fact]) => fact.conversation === id)
    .map(([key, fact]) => {
      const failed = fact.reasons !== null;
      const doubled = failed && fact.dedupe_key && fact.reasons[1] === "ConditionalCheckFailed";
      return {
        key, kind: "table", order: 2, at: moment(fact.at), from: "us", to: "table", fact,
        label: failed ? (doubled ? "seen before" : "another writer was first") : `version ${fact.version}`,
        note: [failed && (doubled ? "nothing written" : "tried again"), `${Math.round(fact.took_ms)} ms`].filter(Boolean), quiet: failed,
        cause: fact.events[0]?.cause ?? fact.dedupe_key,
      };
    });
}

/** The events on the bus, and the dead letters on the way from the table to the bus. */
function published(id) {
  const seen = new Set();
  return factsOf("published")
    .filter(([, fact]) => fact.event.detail?.conversation_id === id)
    .map(([key, { at, event, dead }]) => {
      const { seq, cause, data } = event.detail;
      const again = seen.has(seq);
      seen.add(seq);
      return {
        key, kind: "event", order: 5, at: moment(at), from: "table", to: "bus", fact: event,
        label: event["detail-type"], cause, lost: dead, odd: again, bad: dead || event["detail-type"].endsWith(".failed"),
        owner: data.participant_id ? `${data.participant_id}/${data.leg ?? 1}` : null,
        note: [reasonOfEvent(event["detail-type"], data), data.name, dead && "dead letter", again && "published again"].filter(Boolean),
      };
    });
}

function voices(id) {
  const ours = legs(id);
  const result = [];
  for (const { leg, owner } of ours) {
    for (const [nth, { at, what }] of leg.heard.entries()) {
      const voice = /^voice: /.test(what);
      if (!voice) continue;
      result.push({
        key: `v/${owner.participant}/${owner.leg}/${nth}`, kind: "voice", order: 4, at: moment(at),
        from: "telnyx", to: lane(owner), fact: { heard: what }, label: what.slice(7), note: [],
      });
    }
  }
  for (const { id: call, leg, owner } of ours) {
    for (const [nth, { at, do: act, text }] of ownWords(call).entries()) {
      if (act !== "press") continue;
      result.push({
        key: `k/${owner.participant}/${owner.leg}/${nth}`, kind: "voice", order: 0, at: moment(at), owner: lane(owner),
        from: lane(owner), to: "telnyx", fact: { pressed: text }, label: `${nameOfNumber(leg.number)} pressed ${text}`, note: [],
      });
    }
  }
  for (const [nth, { message, at, inserted, speaker, heard }] of transcript(id).entries()) {
    if (inserted) continue; // not spoken: the request is drawn
    const user = message.role === "user";
    const hearers = heard.map(({ owner }) => lane(owner));
    result.push({
      key: `m/${nth}`, kind: "voice", order: 4, at, speaker: speaker && nameOfNumber(speaker.leg.number), from: user ? (lane(speaker?.owner) ?? "telnyx") : "assistant",
      to: user ? "assistant" : (hearers.at(-1) ?? "telnyx"), reach: hearers, fact: message, label: message.content, note: [],
    });
  }
  return result;
}

function events(view) {
  const people = new Set(view.conversation.participants.map((each) => each.id));
  return view.timeline.map((event) => {
    const participant = people.has(event.data.participant_id) ? event.data.participant_id : null;
    const leg = participant && `${participant}/${event.data.leg ?? 1}`;
    const incoming = leg && isIncoming(event.type);
    return {
      key: `e/${event.seq}`, kind: "event", order: event.seq, at: moment(event.occurred_at), from: incoming ? leg : "us",
      to: incoming ? "us" : (leg ?? "us"), owner: leg, fact: event, label: event.type,
      note: [reasonOfEvent(event.type, event.data), event.data.content].filter(Boolean),
      cause: event.cause, bad: event.type.endsWith(".failed"),
    };
  });
}
