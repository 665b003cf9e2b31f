// Keys of the page: a answers, h hangs up, i invites, ? shows the keys.

import { h, modal } from "./dom.js";
import { model } from "./model.js";

/** The first button of the page that a key presses, in the order of the phones. */
const BUTTONS = {
  a: ".handset.ringing [data-part=main]",
  h: ".handset:is(.talking, .calling) [data-part=main]",
  i: "#call [data-part=invite]",
  s: "#start",
  l: "#list-button",
};

const HELP = {
  room: [["a", "answers the first phone that rings"], ["h", "hangs up the first phone that is in a call"], ["i", "invites a person into the call"], ["s", "starts a conversation"], ["l", "opens the list of conversations"]],
  console: [["i", "invites a person into the call"], ["s", "starts a conversation"]],
};
const ALWAYS = [["Esc", "closes the details of a message"], ["?", "shows this list"]];

const FIELDS = "input, select, textarea, [contenteditable]";

/** Listen to the keys. A key in a field, in a dialog or with Ctrl, Alt or Cmd is not for the page. */
export function listenToKeys() {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.target.matches?.(FIELDS) || document.querySelector("dialog")) return;
    if (event.key === "?") return help();
    const button = BUTTONS[event.key] && [...document.querySelectorAll(BUTTONS[event.key])].find((each) => each.offsetParent || each.closest(".handset"));
    if (!button || button.disabled) return;
    event.preventDefault();
    button.click();
  });
}

function help() {
  const keys = [...(HELP[model.mode] ?? []), ...ALWAYS];
  const box = h("dialog", { "aria-labelledby": "dialog-title" },
    h("header", {}, h("h2", { id: "dialog-title" }, "Keys"), h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => box.close() }, "×")),
    h("dl", { class: "keys-help" }, keys.flatMap(([key, effect]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, effect)])),
    h("footer", {}, h("button", { type: "button", onclick: () => box.close() }, "Close")));
  modal(box);
}
