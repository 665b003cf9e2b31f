// Saves the found conversations as CSV or JSON.

import { callMinutes } from "./cost.js";
import { columns } from "./find.js";

const FIELDS = ["id", "status", "direction", "name", "people", "lasted", "minutes", "why", "created_at", "ended_at", "metadata"];

/** A field of a CSV file. A spreadsheet must not take a text for a formula. */
export function csvField(value) {
  const text = String(value ?? "");
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function record(conversation, now) {
  const { id, status, direction, created_at, ended_at } = conversation;
  const { name, people, lasted, why } = columns(conversation, now);
  return { id, status, direction, name, people, lasted, minutes: callMinutes(conversation, now).toFixed(1), why, created_at, ended_at, metadata: JSON.stringify(conversation.metadata ?? {}) };
}

/** The conversations as the text of a file. */
export function fileText(conversations, kind, now) {
  if (kind === "json") return JSON.stringify(conversations, null, 2);
  const lines = conversations.map((conversation) => record(conversation, now)).map((fields) => FIELDS.map((name) => csvField(fields[name])).join(","));
  return [FIELDS.join(","), ...lines].join("\r\n");
}

/** Save a text as a file in the browser; returns what was done. */
export function save(text, name, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
  return `${name} is saved`;
}

/** Save the conversations as a file; returns what was done. */
export function download(conversations, kind) {
  save(fileText(conversations, kind, Date.now()), `conversations.${kind}`, kind === "json" ? "application/json" : "text/csv");
  return `${conversations.length} conversations saved`;
}
