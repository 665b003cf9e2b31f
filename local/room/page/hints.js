// What the room knows and the API does not tell: when a ring ends, and what Partyline has not heard of.

import { documentOf, factOf, factsOf, ownerOfCall, ownerOfPayload } from "./model.js";
import { clock, moment } from "./words.js";

/** How long a call may differ from Partyline's state until the page says so: a webhook takes time. */
const UNHEARD_MS = 1500;

/** Partyline's stored call, which has more fields than the API's. */
function storedLeg(callId) {
  const owner = ownerOfCall(callId);
  const people = owner && documentOf(owner.conversation)?.participants;
  return people?.find(({ id }) => id === owner.participant)?.legs?.find((leg) => leg.number === owner.leg) ?? null;
}

/** The seconds until a ringing call is given up; null when they are not known. */
export function ringLeft(leg, now) {
  const secs = storedLeg(leg.call_control_id)?.ring_timeout_secs;
  const from = moment(factOf("leg", leg.call_control_id)?.started_at);
  return secs && from ? Math.max(0, Math.round(secs - (now - from) / 1000)) : null;
}

/** What a phone did and Partyline has not heard of, with the time of the next look; else null. */
export function legHint(leg, now) {
  const phone = factOf("leg", leg.call_control_id);
  const done = phone?.state === "ended" && leg.status !== "ended" ? ["has hung up", phone.ended_at]
    : phone?.state === "answered" && (leg.status === "dialing" || leg.status === "ringing") ? ["has answered", phone.answered_at]
    : null;
  if (!done || now - moment(done[1]) < UNHEARD_MS) return null;
  const next = moment(storedLeg(leg.call_control_id)?.poll_at);
  const looks = next && next > now ? `it looks in ${clock((next - now) / 1000 + 1)}` : "it looks within a minute";
  return `${done[0]}, but Partyline has not heard of it (${looks})`;
}

/** The pauses before Telnyx sends a webhook of a conversation again, as Partyline's dial asked for. */
function retryPauses(id, type) {
  const asked = factsOf("command").map(([, { body }]) => body).find((body) => body?.webhook_retries_policies?.[type] && ownerOfPayload(body)?.conversation === id);
  return asked?.webhook_retries_policies[type].retries_ms ?? [];
}

/** The webhook that Telnyx sends again: `{ type, secs }`; null when every webhook was taken. */
export function redelivery(id, now) {
  const newest = new Map();
  for (const [, fact] of factsOf("webhook")) {
    const data = fact.body?.data;
    if (data && fact.path !== "/failover" && ownerOfPayload(data.payload)?.conversation === id) newest.set(data.id, fact);
  }
  for (const { body, status, at, took_ms: took } of newest.values()) {
    const pause = status === 200 ? undefined : retryPauses(id, body.data.event_type)[(body.meta?.attempt ?? 1) - 1];
    const next = moment(at) + took + pause;
    if (next > now) return { type: body.data.event_type, secs: Math.ceil((next - now) / 1000) };
  }
  return null;
}

/** Whether a conversation waits for a person, for a webhook or for a pause: *Look now* may help. */
export const isWaiting = ({ status, participants }) =>
  status === "connecting" || status === "stopping" ||
  (status === "active" && participants.some((person) =>
    ["dialing", "screening", "waiting", "joining"].includes(person.status) || person.legs.some((leg) => leg.status !== "ended" && factOf("leg", leg.call_control_id)?.state === "ended")));

/** The calls that are up although the conversation does not have them any more. */
export const stayingCalls = ({ status, participants }) =>
  status === "ended" || status === "failed" || status === "stopping"
    ? participants.flatMap((person) => person.legs.map((leg) => ({ person, leg, phone: factOf("leg", leg.call_control_id) })).filter(({ leg, phone }) => (phone ? phone.state === "answered" : leg.status === "answered" && !leg.ended_at && person.outcome !== "error" && !person.failure)))
    : [];
