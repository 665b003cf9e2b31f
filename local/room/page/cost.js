// Minutes and cents of a conversation: an estimate while calls have no price yet, then Telnyx's own prices.

import { moment } from "./words.js";

/** Assumed prices of a started minute, in cents: a call, and the assistant. Nobody has compared them with a bill of Telnyx. */
const CALL_CENTS = 0.7;
const ASSISTANT_CENTS = 6;

const minutesOf = (from, to) => Math.max(0, to - from) / 60_000;
const started = (minutes) => Math.max(1, Math.ceil(minutes));

/** The answered calls of a conversation: each with its minutes until `now` and its price, if known. */
const callsOf = ({ participants = [] }, now) =>
  participants.flatMap(({ legs }) => legs).filter((leg) => leg.answered_at)
    .map((leg) => ({ minutes: minutesOf(moment(leg.answered_at), moment(leg.ended_at) ?? now), price: leg.cost }));

/** The minutes of all calls of a conversation. */
export const callMinutes = (conversation, now) => callsOf(conversation, now).reduce((sum, { minutes }) => sum + minutes, 0);

/** The estimate in cents: a call counts with its price, if Telnyx has told the price in US dollars. */
export function estimatedCents(conversation, now) {
  const calls = callsOf(conversation, now).map(({ minutes, price }) => (price?.currency === "USD" ? 100 * Number(price.total) : CALL_CENTS * started(minutes)));
  const active = moment(conversation.active_at);
  const assistant = active ? ASSISTANT_CENTS * started(minutesOf(active, moment(conversation.ended_at) ?? now)) : 0;
  return calls.reduce((sum, cents) => sum + cents, assistant);
}

/** The costs in a report, as text; empty without a price. */
export const reportedCosts = (report) => Object.entries(report?.costs ?? {}).map(([currency, { total }]) => `${total} ${currency}`).join(", ");

/** The words about minutes and money: the report's costs, else an estimate. Empty before the first answer. */
export function costWords({ conversation, timeline = [] }, now) {
  const minutes = callMinutes(conversation, now);
  if (!minutes) return "";
  const spent = `${minutes.toFixed(1)} call minutes`;
  const reported = reportedCosts(timeline.findLast(({ type }) => type === "conversation.report")?.data);
  return reported ? `${spent}, ${reported} by the report` : `${spent}, about ${estimatedCents(conversation, now).toFixed(1)} cents (an estimate)`;
}

/** How the estimate is made. */
export const COST_HINT = `By assumed prices, which nobody has compared with a bill of Telnyx: ${CALL_CENTS} cents for each started minute of a call, ${ASSISTANT_CENTS} cents for each of the assistant. The report of an ended conversation has Telnyx's own prices.`;
