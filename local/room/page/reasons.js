// Why a message came, in a few words: the cause of a hangup, the pressed digit, the outcome.

import { causeWords, outcomeShort, plain } from "./words.js";

const WEBHOOKS = {
  "call.hangup": ({ hangup_cause: cause }) => causeWords(cause),
  "call.gather.ended": ({ digits, status }) => (digits ? `pressed ${digits}` : plain(status) || "no digit"),
  "call.dtmf.received": ({ digit }) => (digit ? `pressed ${digit}` : ""),
  "call.machine.detection.ended": ({ result }) => plain(result),
  "call.machine.premium.detection.ended": ({ result }) => plain(result),
  "call.speak.ended": ({ status }) => plain(status),
  "call.conversation.ended": ({ reason }) => plain(reason),
};

/** The reason in a webhook's data; empty for a webhook without a reason. */
export const reasonOfWebhook = ({ event_type: type, payload }) => WEBHOOKS[type]?.(payload ?? {}) ?? "";

/** The reason in an event's data; empty for an event without a reason. */
export function reasonOfEvent(type, data) {
  if (type === "leg.judged") return data.machine ? "machine" : "person";
  if (data.outcome && data.outcome !== "human") return outcomeShort(data.outcome);
  if (data.hangup_cause) return causeWords(data.hangup_cause);
  if (data.failure) return data.failure.message || data.failure.code;
  return plain(data.reason ?? data.mode ?? data.rule ?? data.words ?? "");
}

/** The events that come from a person's call; other events of a person go to the call. */
const INCOMING = new Set([
  "leg.ringing", "leg.answered", "leg.screened", "leg.judged", "leg.transferred", "leg.ended", "leg.corrected",
  "participant.screening", "participant.waiting", "participant.joined", "participant.left", "participant.failed",
]);

/** Whether an event goes from a person's call to Partyline. */
export const isIncoming = (type) => INCOMING.has(type);
