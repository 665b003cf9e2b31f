// The text of a row, in the diagram and in the story.

import { cut } from "./words.js";

export const NAMES = new Map([
  ["request", "request"], ["webhook", "webhook"], ["command", "command"],
  ["table", "transaction"], ["event", "event"], ["voice", "heard"],
]);

/** The label and the note of a row: the reason first, the latency last. */
export const labelAndNote = (row) => [cut(row.label, 46), cut(row.note.join(" · "), 48)];
