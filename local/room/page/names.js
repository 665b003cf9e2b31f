// The name of a person, the same in every place of the page.

import { factOf } from "./model.js";
import { number } from "./words.js";

/** The number of a person's phone in a call: an inbound host has called, all others are called. */
export const otherNumber = (participant, leg, direction) =>
  participant.host && direction !== "outbound" ? leg?.from : leg?.to;

/** The name of a number's owner in the room, else the number itself. */
export const nameOfNumber = (text) => factOf("person", text)?.name || number(text);

/** A participant's name, else the name of the newest call's number, else the number, else the id. */
export function nameOf(participant, direction) {
  return participant.name || nameOfNumber(otherNumber(participant, participant.legs.at(-1), direction)) || participant.id;
}

/** A conversation's name: the name of its host. */
export function title({ participants, direction, id }) {
  return (participants?.[0] && nameOf(participants[0], direction)) || id.slice(0, 8);
}
