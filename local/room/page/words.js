// The text of times, numbers and statuses.

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

/** A participant's status; during dialing, the newest call's: `ringing, number 2 of 3`. */
export function participantStatus({ status, attempt }) {
  if (status !== "dialing" || !attempt || attempt.status === "ended") return plain(status);
  return attempt.of > 1 ? `${attempt.status}, number ${attempt.number} of ${attempt.of}` : attempt.status;
}

const TONES = {
  connecting: "wait", active: "good", stopping: "wait", ended: "over", failed: "bad",
  dialing: "wait", screening: "wait", waiting: "wait", joining: "wait", joined: "good", left: "over",
};

export const tone = (status) => TONES[status] ?? "over";
