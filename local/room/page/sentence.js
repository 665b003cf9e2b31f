// The sentence above a call: who is on the line, who is waited for, and why. Always true.

import { legHint, redelivery, ringLeft, stayingCalls } from "./hints.js";
import { nameOf, nameOfNumber, otherNumber } from "./names.js";
import { capital, clock, list, moment, number, outcomeWords, reasonWords } from "./words.js";

const REACHING = new Set(["dialing", "screening", "waiting", "joining"]);
const WORDS = {
  dialing: "is being called", ringing: "is ringing", answered: "has answered", screening: "is asked to press 1",
  waiting: "waits for the assistant", joining: "is being joined",
};

const isOver = ({ status }) => status === "ended" || status === "failed";

/** The sentence about a conversation with its timeline, at a time in milliseconds. */
export function sentence(view, now) {
  const again = isOver(view.conversation) ? null : redelivery(view.conversation.id, now);
  return about(view, now) + (again ? ` Telnyx sends ${again.type} again in ${again.secs} s.` : "");
}

function about({ conversation, timeline = [] }, now) {
  if (isOver(conversation)) return ending(conversation, timeline);
  if (conversation.status === "stopping") return `The conversation ends, because ${stopReason(timeline) || "a stop was requested"}.`;
  const { participants } = conversation;
  const joined = participants.filter(({ status }) => status === "joined");
  const reached = participants.filter(({ status }) => REACHING.has(status));
  const names = list(joined.map((person) => nameOf(person, conversation.direction)));
  if (!reached.length) return `${names ? talk(conversation, joined, names) : "Nobody is on the line"}, for ${clock((now - started(conversation)) / 1000)}.`;
  const clauses = [...failed(conversation, reached), ...reached.flatMap((person) => reaching(conversation, person, now))];
  if (!joined.length) return `${capital(clauses.join(", "))}.`;
  const from = Math.min(...reached.map((person) => moment(person.created_at)));
  return `${names} ${joined.length > 1 ? "wait" : "waits"} ${clock((now - from) / 1000)}: ${clauses.join(", ")}.`;
}

const started = ({ active_at: active, created_at: created }) => moment(active ?? created);

function talk({ mode }, joined, names) {
  const many = joined.length > 1;
  if (mode === "silent") return many ? `${names} talk, and the assistant listens` : `${names} is on the line, and the assistant listens`;
  if (mode === "away") return many ? `${names} talk without the assistant` : `${names} is on the line without the assistant`;
  return `${names} ${many ? "talk" : "talks"} with the assistant`;
}

/** The people who were not reached since the first person of `reached` was invited. */
function failed({ participants, direction }, reached) {
  const from = Math.min(...reached.map((person) => moment(person.created_at)));
  return participants
    .filter(({ status, created_at: at }) => status === "failed" && moment(at) >= from)
    .map((person) => `${nameOf(person, direction)} ${outcomeWords(person.outcome)}`);
}

/** A clause for each number that was tried, and for the call of now. */
function reaching({ direction }, person, now) {
  const ended = person.legs.filter((leg) => leg.status === "ended" && leg.outcome && leg.outcome !== "human");
  const named = (leg) => (person.legs.length > 1 ? nameOfCall(person, leg, direction) : nameOf(person, direction));
  const tried = ended.map((leg) => `${named(leg)} ${outcomeWords(leg.outcome)}`);
  if (person.next_round_at) return [...tried, `${nameOf(person, direction)} is called again in ${clock((moment(person.next_round_at) - now) / 1000)}`];
  const live = person.legs.filter((leg) => leg.status !== "ended");
  const shown = live.length ? live : [null];
  return [...tried, ...shown.map((leg) => `${leg ? named(leg) : nameOf(person, direction)} ${status(person, leg, now)}`)];
}

/** The owner of a called number, or the person with the number: several numbers have several ends. */
function nameOfCall(person, leg, direction) {
  const called = otherNumber(person, leg, direction);
  const owner = nameOfNumber(called);
  return !called || owner !== number(called) || !person.name ? owner || nameOf(person, direction) : `${person.name} at ${owner}`;
}

function status(person, leg, now) {
  const hint = leg && legHint(leg, now);
  if (hint) return hint;
  const isUnanswered = leg?.status === "ringing" || leg?.status === "dialing";
  if (person.status !== "dialing" && !isUnanswered) return WORDS[person.status];
  const left = leg?.status === "ringing" ? ringLeft(leg, now) : null;
  return (WORDS[leg?.status] ?? WORDS.dialing) + (left === null ? "" : `, ${left} s left`);
}

/** Why the conversation stopped, as a clause; empty when no event says so. */
export function stopReason(timeline) {
  const of = (wanted) => timeline.findLast(({ type, data }) => type === wanted && data.reason);
  const event = of("conversation.stopping") ?? of("conversation.ended");
  return event ? reasonWords(event.data.reason) : "";
}

function ending(conversation, timeline) {
  const { status, failure, active_at: active, ended_at: ended } = conversation;
  if (status === "failed") {
    const host = conversation.participants[0];
    if (host?.outcome && host.outcome !== "human") return `The conversation failed: ${nameOf(host, conversation.direction)} ${outcomeWords(host.outcome)}.`;
    return `The conversation failed: ${failure?.message ?? "no reason is known"}`.replace(/\.?$/, ".");
  }
  const lasted = active && ended ? `The conversation lasted ${clock((moment(ended) - moment(active)) / 1000)}` : "The conversation ended before the assistant started";
  const reason = stopReason(timeline);
  const said = reason === reasonWords("host_left") ? `${nameOf(conversation.participants[0], conversation.direction)} left` : reason;
  const staying = [...new Set(stayingCalls(conversation).map(({ person }) => nameOf(person, conversation.direction)))];
  const still = staying.length ? ` ${list(staying)} ${staying.length > 1 ? "are" : "is"} still on the line.` : "";
  return `${lasted}${said ? `, and ended because ${said}` : ""}.${still}`;
}
