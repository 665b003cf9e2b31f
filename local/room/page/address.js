// The page's address: `#/c/<conversation>` and `#/c/<conversation>/r/<row>`. Back goes to the conversation before.

import { choose, model } from "./model.js";

let written = "";

/** The address of a conversation, and of a row of the conversation. */
export const addressOf = (conversation, row) =>
  conversation ? `#/c/${encodeURIComponent(conversation)}${row ? `/r/${encodeURIComponent(row)}` : ""}` : "#/";

function read() {
  const [, conversation, row] = /^#\/c\/([^/]+)(?:\/r\/(.+))?$/.exec(location.hash) ?? [];
  written = location.hash;
  choose(conversation ? decode(conversation) : null);
  model.address = row ? decode(row) : null;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Take the state from the address, now and after each step back or forward. */
export function readAddress() {
  read();
  addEventListener("hashchange", () => location.hash !== written && read());
}

/** Write the state into the address. Another conversation is a step of its own for the Back button. */
export function writeAddress() {
  if (model.address) return; // the row that the address names is not drawn yet
  const now = addressOf(model.chosen, model.picked?.key);
  if (now === written || (now === "#/" && !written)) return;
  const same = !written || written.split("/")[2] === now.split("/")[2];
  history[same ? "replaceState" : "pushState"](null, "", now);
  written = now;
}
