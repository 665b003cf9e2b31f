// The first screen: no conversation is shown.

import { runAction, storyCommand } from "./api.js";
import { announce, h } from "./dom.js";
import { conversations, factOf, model } from "./model.js";
import { phones } from "./phones.js";

const SAMPLE = "three-guests";

/** Draw the screen into `element`, when its content has changed. */
export function firstScreen(element) {
  const sign = signature();
  if (element.drawn === sign) return;
  element.drawn = sign;
  element.replaceChildren(...texts());
}

const signature = () => [model.mode, model.ready, model.chosen, Boolean(factOf("api")), factOf("api")?.error, caller()?.number, factOf("stories")?.playing].join("|");

const caller = () => phones().find(({ leg }) => !leg || leg.state === "ended");

function texts() {
  const asked = model.mode === "room" || factOf("api");
  if (!model.ready || !asked) return [h("p", {}, "Listening …")];
  if (asked.error) {
    return [
      h("h3", {}, "Nothing to show yet"),
      h("p", {}, "The stack does not answer as it should. Is it up, and was the console started with its address and one of its keys?"),
    ];
  }
  if (model.mode === "console") {
    if (conversations().some(({ id }) => id === model.chosen)) return [h("p", {}, "Reading the conversation …")];
    return [
      h("h3", {}, model.chosen ? "This conversation is not here" : "No conversation is chosen"),
      h("p", {}, model.chosen ? "The stack does not know the conversation, or has deleted it." : "Choose a conversation in the list, or start a conversation."),
    ];
  }
  return [
    h("h3", {}, "Nobody is on the line"),
    h("p", {}, "Call Partyline's number from a phone of this room, and talk with the assistant. Or watch a sample: the assistant, a caller and two guests."),
    h("p", { class: "first" }, callIn(), h("button", { type: "button", disabled: factOf("stories")?.playing, onclick: play }, "Play a sample")),
  ];
}

function callIn() {
  const phone = caller();
  const name = phone?.person?.name || phone?.number;
  return phone && h("button", { type: "button", class: "primary", onclick: () => run(runAction({ do: "ring_in", phone: phone.number, to: model.number }), `Calling as ${name}`) }, `Call in as ${name}`);
}

const play = () => run(storyCommand({ do: "play", name: SAMPLE }), "Playing the sample");

async function run(action, said) {
  try {
    await action;
    announce(said);
  } catch (error) {
    announce(error.message);
  }
}
