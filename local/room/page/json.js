// Shows JSON in colours, and the changes between two states.

import { h } from "./dom.js";

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** A value as a block of text. All parts are inserted as text. */
export function pretty(value) {
  const block = h("pre", { class: "json", tabindex: "0" });
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  let from = 0;
  for (const found of (text ?? "").matchAll(TOKEN)) {
    block.append(text.slice(from, found.index));
    const kind = found[1] ? (found[2] ? "key" : "text") : found[3] ? "word" : "count";
    block.append(h("span", { class: kind }, found[1] ?? found[0]), found[2] ?? "");
    from = found.index + found[0].length;
  }
  block.append((text ?? "").slice(from));
  return block;
}

function flat(value, path, into) {
  if (value !== null && typeof value === "object" && Object.keys(value).length) {
    for (const [name, each] of Object.entries(value)) flat(each, path ? `${path}.${name}` : name, into);
  } else {
    into.set(path, JSON.stringify(value));
  }
  return into;
}

/** The changes by path: `[path, before, after]`, with null for a missing value. */
export function changes(before, after) {
  const was = flat(before ?? {}, "", new Map());
  const is = flat(after ?? {}, "", new Map());
  const paths = [...new Set([...was.keys(), ...is.keys()])].filter(Boolean);
  return paths
    .filter((path) => was.get(path) !== is.get(path))
    .map((path) => [path, was.get(path) ?? null, is.get(path) ?? null]);
}
