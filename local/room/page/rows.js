// From what went over the wires to the rows of the diagram: who, to whom, what, and how it went.

import { about, all, call, legs, model, one, talk, who } from "./model.js";
import { transcript } from "./speech.js";
import { moment, plain } from "./words.js";

const ACTIONS = {
  dial: "dial", answer: "answer", hangup: "hang up", reject: "reject", speak: "speak",
  gather_using_speak: "ask for a digit", ai_assistant_start: "start assistant",
  ai_assistant_join: "join", ai_assistant_stop: "stop assistant",
  ai_assistant_add_messages: "tell the assistant", retrieve: "look at the call",
  active_calls: "look for the call", conversations: "look for the conversation",
  insights: "look for insights",
};

const HOUSE = [
  { id: "app", label: "Your app", wide: 72, kind: "request" },
  { id: "bus", label: "Events", wide: 76, kind: "event" },
  { id: "table", label: "Table", wide: 68, kind: "table" },
  { id: "us", label: "Partyline", wide: 82 },
  { id: "queue", label: "Queue", wide: 66 },
  { id: "telnyx", label: "Telnyx", wide: 86 },
  { id: "assistant", label: "Assistant", wide: 86 },
];
const LEG_WIDE = 82;

/** The lifelines, left to right: those of the house, then one for each leg.
 *
 * `found` are the rows: the failover queue has a lifeline when something went through it. `hidden`
 * are the kinds of row that are not shown; a `narrow` picture has no lifeline for what is behind
 * Partyline, and its rows stand at Partyline's own. `wide` is what a lifeline usually takes.
 */
export function lanes(view, found, hidden, narrow) {
  const room = model.mode === "room";
  const queued = found.some((row) => row.to === "queue");
  const house = HOUSE.filter((lane) =>
    !room ? lane.id === "us"
    : lane.id === "queue" ? queued
    : !lane.kind || (!narrow && !hidden.has(lane.kind)),
  );
  const { participants, direction } = view.conversation;
  const people = participants.flatMap((person) =>
    person.legs.map((leg, nth) => {
      const simulated = leg.call_control_id ? one("leg", leg.call_control_id) : null;
      const other = simulated?.number ?? (person.host && direction !== "outbound" ? leg.from : leg.to);
      return {
        id: `${person.id}/${nth + 1}`,
        label: person.name || who(other),
        under: `…${(other ?? "").slice(-4)}${person.host ? " host" : ""}`,
        wide: LEG_WIDE,
        from: moment(simulated?.started_at ?? leg.created_at),
        answered: moment(simulated?.answered_at ?? leg.answered_at),
        to: moment(simulated?.ended_at ?? leg.ended_at),
        leg: true,
      };
    }),
  );
  return [...house.map((lane) => ({ under: "", ...lane })), ...people];
}

const lane = (whose) => (whose?.participant ? `${whose.participant}/${whose.leg}` : null);

/** Every row of a conversation, in the order of time. */
export function rows(view) {
  const id = view.conversation.id;
  const found =
    model.mode === "room"
      ? [...requests(id), ...webhooks(id), ...queued(id), ...lost(id), ...commands(id), ...transactions(id), ...published(id), ...voices(id)]
      : events(view);
  return found.sort((a, b) => a.at - b.at || a.order - b.order);
}

function requests(id) {
  const start = starting(id);
  return all("request")
    .filter(([, it]) => it === start || it.path.startsWith(`/conversations/${id}`) || it.answer?.id === id || byAssistant(it)?.conversation === id)
    .map(([key, it]) => ({
      key, kind: "request", order: 0, at: moment(it.at), from: byAssistant(it) ? "assistant" : "app", to: "us", fact: it,
      label: `${it.method} ${it.path.replace(id, "…")}`,
      note: [it.status ?? "no answer", `${Math.round(it.took_ms)} ms`], bad: it.status === null || it.status >= 400,
    }));
}

/** Whose call a tool of the assistant's was used on; null for what an application asked. */
const byAssistant = (it) => (it.path.startsWith("/tools/") ? about(it.body, it.call_control_id) : null);

/** The request that began a conversation and was never answered with its id: by what it wrote. */
function starting(id) {
  const first = all("transaction").map(([, it]) => it).find((it) => it.conversation === id && it.version === 1 && !it.reasons);
  const to = first?.document.participants[0]?.legs[0]?.to;
  return first && all("request").map(([, it]) => it).find((it) =>
    it.method === "POST" && it.path === "/conversations" && !it.answer?.id && it.body?.to === to && during(first, it));
}

function webhooks(id) {
  const logs = all("log").map(([, line]) => line);
  const seen = new Set();
  const written = all("transaction").map(([, it]) => it).filter((it) => it.conversation === id && !it.reasons);
  // In the order in which they came: one that came first may well be answered last.
  const came = all("webhook").sort(([one], [other]) => (one < other ? -1 : 1));
  return came.flatMap(([key, it]) => {
    const data = it.body?.data ?? {};
    const whose = about(data.payload);
    const ours = whose?.conversation ?? logs.find((each) => each.event_id === data.id && each.conversation_id)?.conversation_id;
    if (ours !== id) return [];
    const again = (it.body.meta?.attempt ?? 1) > 1;
    const doubled = seen.has(data.id) && !again;
    seen.add(data.id);
    const what = it.answer?.status;
    const door = it.path === "/failover";
    const idle = what === "ok" && !written.some((each) => each.inbox === data.id && during(each, it));
    const note = [
      door && "into the failover queue",
      again && `attempt ${it.body.meta.attempt}`,
      doubled && "delivered twice",
      what === "duplicate" && "seen before",
      what === "ignored" && "ignored",
      idle && "changed nothing",
      it.status !== 200 && (it.status ?? "no answer"),
      `${Math.round(it.took_ms)} ms`,
    ].filter(Boolean);
    return [{
      key, kind: "webhook", order: 1, at: moment(it.at), from: "telnyx", to: door ? "queue" : "us",
      via: lane(whose), fact: it, cause: data.id, label: data.event_type ?? it.path, note,
      odd: again || doubled || idle || what === "duplicate" || what === "ignored", bad: it.status !== 200,
    }];
  });
}

/** What the failover queue gave to its function, and whether it took that in. */
function queued(id) {
  return all("queued")
    .filter(([, it]) => about(it.body?.data?.payload)?.conversation === id)
    .map(([key, it]) => ({
      key, kind: "webhook", order: 1, at: moment(it.at), from: "queue", to: "us", fact: it, odd: true,
      cause: it.body.data.id, label: it.body.data.event_type, bad: !it.taken_in,
      note: [it.taken_in ? "out of the failover queue" : "back into the failover queue", it.received > 1 && `time ${it.received}`, `${Math.round(it.took_ms)} ms`].filter(Boolean),
    }));
}

const during = (inner, outer) =>
  moment(inner.at) >= moment(outer.at) && moment(inner.at) <= moment(outer.at) + outer.took_ms;

function lost(id) {
  return all("lost")
    .filter(([, it]) => about(it.body.data.payload)?.conversation === id)
    .map(([key, it]) => ({
      key, kind: "webhook", order: 1, at: moment(it.at), from: "telnyx", to: "us", lost: true, bad: true,
      via: lane(about(it.body.data.payload)), fact: it, cause: it.body.data.id,
      label: it.body.data.event_type, note: ["lost on the way"],
    }));
}

function commands(id) {
  return all("command").flatMap(([key, it]) => {
    const dialled = it.answer?.data?.call_control_id;
    const looked = LOOKS[it.action]?.(it);
    const whose = looked ?? about(it.body, it.call_control_id ?? dialled) ?? call(dialled);
    if (whose?.conversation !== id) return [];
    const put = it.body?.messages?.find(({ role }) => role === "user" || role === "assistant");
    const note = [
      put && `as ${put.role}, nobody hears it`,
      it.duplicate && "again, same command_id",
      it.lost && "done, answer lost",
      it.status === 0 ? "connection broke" : it.status !== 200 && `refused ${it.status}`,
    ].filter(Boolean);
    return [{
      key, kind: "command", order: 3, at: moment(it.at), from: "us", to: "telnyx", via: lane(whose),
      fact: it, label: ACTIONS[it.action] ?? it.action, note, odd: it.duplicate,
      bad: it.lost || it.status !== 200, command: it.command_id ?? looked?.command,
    }];
  });
}

/** Whose the requests are that name no call of ours in their body: by what they ask for. */
const LOOKS = {
  active_calls: (it) => lookedFor("find dial", it),
  conversations: (it) => ({ ...lookedFor("find start", it), ...call(decodeURIComponent(it.path).match(/call_control_id=eq\.([^&]+)/)?.[1]) }),
  insights: (it) => {
    const conversation = talk(it.path.split("/").at(-2));
    return { ...lookedFor("fetch_insights", it, conversation), conversation };
  },
};

/** A look is logged when it is over: the next line that says so is its own. */
function lookedFor(action, it, conversation) {
  const line = all("log").map(([, each]) => each).find((each) =>
    each.action === action && (!conversation || each.conversation_id === conversation) && logged(each) >= moment(it.at));
  return line && { conversation: line.conversation_id, participant: line.participant_id, leg: line.leg, command: line.command_id };
}

function transactions(id) {
  return all("transaction")
    .filter(([, it]) => it.conversation === id)
    .map(([key, it]) => {
      const failed = it.reasons !== null;
      const doubled = failed && it.inbox && it.reasons[1] === "ConditionalCheckFailed";
      return {
        key, kind: "table", order: 2, at: moment(it.at), from: "us", to: "table", fact: it,
        label: failed ? (doubled ? "seen before" : "too late") : `version ${it.version}`,
        note: [failed && "nothing written", `${Math.round(it.took_ms)} ms`].filter(Boolean), odd: failed,
        cause: it.events[0]?.cause ?? it.inbox,
      };
    });
}

/** The events that came from the table to the bus, and those that failed. */
function published(id) {
  const seen = new Set();
  return all("published")
    .filter(([, it]) => it.event.detail?.conversation_id === id)
    .map(([key, { at, event, dead }]) => {
      const { seq, cause, data } = event.detail;
      const again = seen.has(seq);
      seen.add(seq);
      return {
        key, kind: "event", order: 5, at: moment(at), from: "table", to: "bus", fact: event,
        label: event["detail-type"], cause, lost: dead, odd: again, bad: dead || event["detail-type"].endsWith(".failed"),
        note: [data.name, dead && "dead letter", again && "published again"].filter(Boolean),
      };
    });
}

function voices(id) {
  const ours = legs(id);
  const found = [];
  for (const { leg, whose } of ours) {
    for (const [nth, { at, what }] of leg.heard.entries()) {
      const voice = /^voice: /.test(what);
      if (!voice) continue;
      found.push({
        key: `v/${whose.participant}/${whose.leg}/${nth}`, kind: "voice", order: 4, at: moment(at),
        from: "telnyx", to: lane(whose), fact: { heard: what }, label: what.slice(7), note: [],
      });
    }
  }
  for (const [nth, { message, at, put, by, heard }] of transcript(id).entries()) {
    if (put) continue; // nobody said it: its request is drawn
    const user = message.role === "user";
    const ears = heard.map(({ whose }) => lane(whose));
    found.push({
      key: `m/${nth}`, kind: "voice", order: 4, at, from: user ? (lane(by?.whose) ?? "telnyx") : "assistant",
      to: user ? "assistant" : (ears.at(-1) ?? "telnyx"), reach: ears, fact: message, label: message.content, note: [],
    });
  }
  return found;
}

function events(view) {
  const people = new Set(view.conversation.participants.map((each) => each.id));
  return view.timeline.map((event) => {
    const who = people.has(event.data.participant_id) ? event.data.participant_id : null;
    return {
      key: `e/${event.seq}`, kind: "event", order: event.seq, at: moment(event.occurred_at), from: "us",
      to: who ? `${who}/${event.data.leg ?? 1}` : "us", fact: event, label: event.type,
      note: [event.data.content, event.data.outcome && plain(event.data.outcome)].filter(Boolean),
      cause: event.cause, bad: event.type.endsWith(".failed"),
    };
  });
}

/** The transactions that a row brought about, and the state before and after them. */
export function effect(row, id) {
  const ours = all("transaction").map(([, it]) => it).filter((it) => it.conversation === id && !it.reasons);
  const command = row.command && all("log").find(([, line]) => line.command_id === row.command)?.[1];
  const cause = row.cause ?? command?.cause;
  const mine = ours.filter((it) =>
    row.kind === "table" ? it === row.fact
    : row.kind === "request" ? during(it, row.fact)
    : cause && (it.inbox === cause || it.events.some((event) => event.cause === cause)),
  );
  if (!mine.length) return null;
  const versions = mine.map((it) => it.version);
  const at = (version) => ours.find((it) => it.version === version)?.document ?? null;
  return { before: at(Math.min(...versions) - 1), after: at(Math.max(...versions)), versions };
}

/** The log lines that belong to a row. */
export function lines(row, id) {
  return all("log").map(([, line]) => line).filter((line) =>
    row.command ? line.command_id === row.command
    : row.kind === "event" ? line.seq === (row.fact.detail ?? row.fact).seq && line.conversation_id === id
    : row.cause ? line.event_id === row.cause || line.cause === row.cause
    : row.kind === "request" && line.conversation_id === id && line.request_id && inside(line, row),
  );
}

const logged = (line) => moment(line.timestamp.replace(" ", "T").replace(",", ".").replace("+0000", "Z"));

function inside(line, row) {
  const at = logged(line);
  return at >= row.at - 1 && at <= row.at + row.fact.took_ms + 1;
}
