// The field for the numbers of a person: the names of known numbers, and a chip for each of several.

import { field, input } from "./dialog.js";
import { h } from "./dom.js";
import { phones } from "./phones.js";
import { number } from "./words.js";

/** The id of the list of known numbers, which `knownNumbers` makes. */
export const LIST = "known-numbers";

const split = (text) => text.split(/[\s,]+/).filter(Boolean);

const nameAt = (wanted) => phones().find((each) => each.number === wanted)?.person?.name ?? "";

/** The `to` of a request: a number, or a list of several numbers. */
export function numbersIn(text) {
  const numbers = split(text);
  return numbers.length > 1 ? numbers : (numbers[0] ?? "");
}

export const knownNumbers = () =>
  h("datalist", { id: LIST }, phones().map((each) => h("option", { value: each.number }, each.person?.name ?? "")));

/** The fields for numbers and for the name of a new call, with a phone that is free. The name
 * follows the first number until the user writes a name. */
export function callFields(label, hint) {
  const free = phones().find((each) => !each.leg || each.leg.state === "ended");
  const to = input({ list: LIST, required: true, value: free?.number ?? "" });
  const name = input({ value: nameAt(to.value) });
  const chips = h("ul", { class: "chips", "aria-label": "In this order" });
  const follow = () => {
    if (!name.touched) name.value = nameAt(split(to.value)[0]);
    drawChips(chips, to);
  };
  to.addEventListener("input", follow);
  name.addEventListener("input", () => (name.touched = true));
  const numbers = field("to", label, to, hint);
  to.after(chips);
  return { to, name, fields: [knownNumbers(), numbers, field("name", "Name", name)] };
}

function drawChips(chips, to) {
  const numbers = split(to.value);
  chips.replaceChildren(...(numbers.length > 1 ? numbers.map((each, nth) => chip(each, () => {
    to.value = numbers.filter((_, other) => other !== nth).join(" ");
    to.dispatchEvent(new Event("input", { bubbles: true })); // the form shows its request anew
    to.focus();
  })) : []));
}

function chip(wanted, remove) {
  const shown = [nameAt(wanted), number(wanted)].filter(Boolean).join(" ");
  return h("li", { class: "chip" },
    h("bdi", {}, shown),
    h("button", { type: "button", class: "quiet small", "aria-label": `Leave out ${shown}`, onclick: remove }, "×"));
}
