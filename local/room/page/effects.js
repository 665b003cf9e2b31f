// What a row did: the versions that it wrote, and its log lines.

import { factsOf } from "./model.js";
import { moment } from "./words.js";

export const during = (inner, outer) =>
  moment(inner.at) >= moment(outer.at) && moment(inner.at) <= moment(outer.at) + outer.took_ms;

/** The time of a log line in milliseconds. */
export const logged = (line) => moment(line.timestamp.replace(" ", "T").replace(",", ".").replace("+0000", "Z"));

/** The versions of a conversation, oldest first: each with the document before. */
function versions(id) {
  const written = factsOf("transaction").map(([, fact]) => fact).filter((fact) => fact.conversation === id && !fact.reasons);
  written.sort((first, second) => first.version - second.version);
  const documents = new Map(written.map((fact) => [fact.version, fact.document]));
  return written.map((fact) => ({ fact, version: fact.version, before: documents.get(fact.version - 1) ?? null, after: fact.document }));
}

/** The commands that a version changed: each with its id and its cause. */
function changedCommands({ before, after }) {
  const was = before?.commands ?? {};
  const is = after?.commands ?? {};
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((key) => JSON.stringify(was[key]) !== JSON.stringify(is[key]))
    .map((key) => is[key] ?? was[key]);
}

const causes = (version) =>
  new Set([version.fact.dedupe_key, ...version.fact.events.map(({ cause }) => cause), ...changedCommands(version).map(({ cause }) => cause)].filter(Boolean));

/**
 * The versions that a row wrote, each with the document before and after; versions of other writers
 * between them are left out. A repeated webhook has the versions of its own delivery only.
 */
export function effects(row, id) {
  const all = versions(id);
  if (row.kind === "table") return all.filter(({ fact }) => fact === row.fact);
  if (row.kind === "event") {
    const { seq } = row.fact.detail ?? row.fact;
    return all.filter(({ fact }) => fact.events.some((event) => event.seq === seq));
  }
  if (row.command) return all.filter((version) => changedCommands(version).some((command) => command.id === row.command));
  const own = all.filter(({ fact }) => row.fact.took_ms !== undefined && during(fact, row.fact));
  if (row.kind === "webhook") return own.filter((version) => causes(version).has(row.cause));
  if (row.kind !== "request") return [];
  const webhooks = new Set(factsOf("webhook").map(([, fact]) => fact.body?.data?.id));
  return own.filter((version) => !version.fact.dedupe_key?.match(/^[0-9a-f-]{36}$/) && ![...causes(version)].every((cause) => webhooks.has(cause)));
}

/** The log lines of a row. */
export function lines(row, id) {
  return factsOf("log").map(([, line]) => line).filter((line) =>
    row.command ? line.command_id === row.command
    : row.kind === "event" ? line.seq === (row.fact.detail ?? row.fact).seq && line.conversation_id === id
    : row.cause ? line.event_id === row.cause || line.cause === row.cause
    : row.kind === "request" && line.conversation_id === id && line.request_id && inside(line, row),
  );
}

function inside(line, row) {
  const at = logged(line);
  return at >= row.at - 1 && at <= row.at + row.fact.took_ms + 1;
}
