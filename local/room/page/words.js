// The text of times, numbers, statuses and reasons. Each thing has one word on the whole page.

export const moment = (text) => (text ? Date.parse(text) : null);

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** The time since the first row: `12.34 s`, or `2:59.0` from a minute on. */
export function since(ms) {
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${(ms / 1000).toFixed(2)} s`;
  return `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
}

/** A pause in words: `12 s`, or `2:05` from a minute on. */
export const pause = (ms) => (ms < 59_500 ? `${Math.round(ms / 1000)} s` : clock(Math.round(ms / 1000)));

/** The shortest pause between two rows that is marked. */
export const GAP_MS = 5000;

/** The time of a start, with the date when it was not today. */
export function began(text) {
  const at = new Date(text);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return at.toDateString() === new Date().toDateString() ? time : `${at.toLocaleDateString([], { month: "short", day: "numeric" })}, ${time}`;
}

/** `+13125550101` in groups: `+1 312 555 0101`; another text stays unchanged. */
export function number(text) {
  const parts = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(text ?? "");
  return parts ? `+1 ${parts[1]} ${parts[2]} ${parts[3]}` : (text ?? "");
}

export const plain = (text) => (text ?? "").replaceAll("_", " ");

export const cut = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

/** `Alex`, `Alex and Billie`, `Alex, Billie and Casey`. */
export const list = (names) => (names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`);

/** The text with a capital letter at its start. */
export const capital = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);

/** How an attempt to reach a person ended, as the end of a sentence about the person. */
const OUTCOMES = {
  busy: "was busy", declined: "declined", no_answer: "did not answer", machine: "has a machine",
  rejected: "was rejected", unreachable: "could not be reached", cancelled: "is no longer called",
  screened: "has a phone that screens calls", voicemail_left: "has a message on the voicemail",
  limited: "was not called: the limit of calls is reached", error: "could not be called",
};

export const outcomeWords = (outcome) => OUTCOMES[outcome] ?? `was not reached (${plain(outcome) || "failed"})`;

/** Telnyx's words for the end of a call, in a word or two. */
const CAUSES = {
  normal_clearing: "hung up", user_busy: "busy", busy: "busy", call_rejected: "declined", rejected: "declined",
  no_answer: "no answer", timeout: "no answer", no_user_response: "no answer", originator_cancel: "cancelled",
  time_limit: "time limit", not_found: "unreachable", unallocated_number: "unreachable", unspecified: "ended",
};

export const causeWords = (cause) => CAUSES[cause] ?? plain(cause);

const SHORT = { human: "", no_answer: "no answer", voicemail_left: "message left", error: "failed" };

/** An outcome in a word or two; nothing for a person who took the call. */
export const outcomeShort = (outcome) => SHORT[outcome] ?? plain(outcome);

const REASONS = {
  host_left: "the host left", participant_left: "a person left whose departure ends the conversation",
  nobody_left: "nobody was left on the line", requested: "your application stopped it", time_limit: "the time limit was reached",
};

/** Why a conversation stopped, as a clause. */
export const reasonWords = (reason) => REASONS[reason] ?? plain(reason);

/** A participant's status; during dialing, the newest call's: `ringing, number 2 of 3`. */
export function participantStatus({ status, attempt }) {
  if (status !== "dialing" || !attempt || attempt.status === "ended") return plain(status);
  return attempt.of > 1 ? `${attempt.status}, number ${attempt.number} of ${attempt.of}` : attempt.status;
}

const TONES = {
  connecting: "wait", active: "good", stopping: "wait", ended: "over", failed: "bad", scheduled: "wait",
  dialing: "wait", screening: "wait", waiting: "wait", joining: "wait", joined: "good", left: "over",
};

export const tone = (status) => TONES[status] ?? "over";
