// The forms: start, call in, invite, hand over, mode, message, stop, remove.

import { runAction, useTool } from "./api.js";
import { changeContacts } from "./contacts.js";
import { choice, dialog, field, input, option } from "./dialog.js";
import { announce, h } from "./dom.js";
import { chooseNew, model } from "./model.js";
import { nameOf } from "./names.js";
import { LIST, callFields, knownNumbers, numbersIn } from "./numbers.js";
import { phones } from "./phones.js";
import { list, number } from "./words.js";

const DETECTION = [["off", "off"], ["standard", "standard"], ["premium", "premium"]];
const HANGUP = [["continue_conversation", "the conversation goes on"], ["end_conversation", "the conversation ends"]];
const THEN = [["stay", "stays and speaks"], ["silent", "listens and is silent"], ["away", "leaves the people to each other"]];
const MODES = [["speaking", "speaking: takes part"], ["silent", "silent: listens and says nothing"], ["away", "away: leaves the people to each other"]];
const STRATEGIES = [["in_order", "one after the other"], ["at_once", "all at once"]];

const withoutEmpty = (body) =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== "" && value !== undefined && value !== null));

const MACHINES = [["next", "the next number is tried"], ["join", "it is joined as a person"]];

/** Further fields, folded; an error opens the fold (see `dialog`). */
const more = (...fields) => h("details", { class: "more-fields" }, h("summary", {}, "More"), ...fields);

const numberIn = ({ value }) => (value ? Number(value) : undefined);

/** `ticket=T42 shop=north` as an object; undefined without a pair. */
function metadataIn(text) {
  const pairs = text.split(/\s+/).filter(Boolean).map((pair) => pair.split(/=(.*)/s).slice(0, 2));
  return pairs.length ? Object.fromEntries(pairs.map(([name, value]) => [name, value ?? ""])) : undefined;
}

export function startForm() {
  const { to, fields: person } = callFields("Number to call, or several to try", "The host: when they answer, the assistant starts.");
  dialog({
    title: "Start a conversation",
    send: "Call",
    fields: [
      ...person,
      field("strategy", "Several numbers ring", choice(STRATEGIES)),
      field("assistant.greeting", "The assistant's greeting", input({ placeholder: "its own" })),
      field("machine_detection", "Machine detection", choice(DETECTION)),
      field("on_hangup", "When the host hangs up", choice([["", "as the deployment has it"], ...HANGUP])),
      more(field("metadata", "Metadata", input({ placeholder: "ticket=T42 shop=north" }), "Names and values, with spaces between them. The list finds conversations by them.")),
    ],
    request: (fields) => ({
      method: "POST",
      path: "/conversations",
      body: withoutEmpty({
        to: numbersIn(fields.to.value), name: fields.name.value.trim(),
        strategy: fields.strategy.value === "in_order" ? undefined : fields.strategy.value,
        assistant: fields["assistant.greeting"].value ? { greeting: fields["assistant.greeting"].value } : undefined,
        machine_detection: fields.machine_detection.value === "off" ? undefined : fields.machine_detection.value,
        on_hangup: fields.on_hangup.value,
        metadata: metadataIn(fields.metadata.value),
      }),
    }),
    sent: (answer) => {
      chooseNew(answer.id);
      announce(`Calling ${number(to.value)}`);
    },
  });
}

export function ringInForm() {
  const taken = new Set(phones().map((each) => each.number));
  const free = Array.from({ length: 80 }, (_, nth) => `+131255501${20 + nth}`).find((each) => !taken.has(each));
  dialog({
    title: "Call in from a number",
    send: "Call",
    fields: [
      field("phone", "From the number", input({ type: "tel", value: free })),
      field("name", "Name", input({ placeholder: "Somebody" }), `To ${number(model.number)}, Partyline's own number.`),
    ],
    run: async (fields) => {
      const phone = fields.phone.value.replaceAll(/\s/g, "");
      try {
        // A new phone is added only with a valid number.
        if (!taken.has(phone)) await runAction({ do: "person", person: { number: phone, name: fields.name.value.trim(), behaviour: "manual" } });
        await runAction({ do: "ring_in", phone, to: model.number });
      } catch (error) {
        for (const each of error.details) each.field = "phone";
        throw error;
      }
      return phone;
    },
    sent: (phone) => announce(`Calling from ${number(phone)}`),
  });
}

export function inviteForm(conversation) {
  const { fields: person } = callFields("Number, or several to try", "Write several numbers with spaces between them.");
  dialog({
    title: "Invite somebody",
    send: "Invite",
    fields: [
      ...person,
      field("strategy", "Several numbers ring", choice(STRATEGIES)),
      field("brief", "Why they are called", input({ placeholder: "nothing", maxlength: 500 }), "They alone hear the brief, and press 1 to join."),
      field("screening", "Said before they are joined", input({ placeholder: "nothing: joined at once" }), "With a text here, they have to press 1 to join."),
      field("machine_detection", "Machine detection", choice(DETECTION)),
      field("ring_timeout_secs", "Seconds it may ring", input({ type: "number", placeholder: "30", inputmode: "numeric" })),
      field("on_hangup", "When they hang up", choice(HANGUP)),
      more(
        field("max_attempts", "Rounds of all numbers", input({ type: "number", placeholder: "1", inputmode: "numeric" })),
        field("pause_secs", "Seconds between two rounds", input({ type: "number", placeholder: "30", inputmode: "numeric" })),
        field("deadline_secs", "Seconds until it is given up", input({ type: "number", placeholder: "none", inputmode: "numeric" })),
        field("screening.accept_digit", "The digit that says yes", input({ placeholder: "1", maxlength: 1 }), "Counts with a text that is said before."),
        field("on_machine", "When a machine answers", choice(MACHINES), "Needs machine detection."),
      ),
    ],
    request: (fields) => ({
      method: "POST",
      path: `/conversations/${conversation.id}/participants`,
      body: withoutEmpty({
        to: numbersIn(fields.to.value),
        name: fields.name.value.trim(),
        strategy: fields.strategy.value === "in_order" ? undefined : fields.strategy.value,
        brief: fields.brief.value.trim(),
        screening: fields.screening.value ? withoutEmpty({ say: fields.screening.value, accept_digit: fields["screening.accept_digit"].value }) : undefined,
        max_attempts: numberIn(fields.max_attempts),
        pause_secs: numberIn(fields.pause_secs),
        deadline_secs: numberIn(fields.deadline_secs),
        on_machine: fields.on_machine.value === "next" ? undefined : fields.on_machine.value,
        machine_detection: fields.machine_detection.value === "off" ? undefined : fields.machine_detection.value,
        ring_timeout_secs: numberIn(fields.ring_timeout_secs),
        on_hangup: fields.on_hangup.value === "continue_conversation" ? undefined : fields.on_hangup.value,
      }),
    }),
    sent: (answer) => announce(`Inviting ${answer.name ?? "somebody"}`),
  });
}

export function handoverForm(conversation) {
  const { to, name, fields: person } = callFields("Number, or several to try", "The assistant speaks with the caller until the person has joined.");
  dialog({
    title: "Hand over to a person",
    send: "Hand over",
    fields: [
      ...person,
      field("brief", "Why they are called", input({ maxlength: 500 }), "The person alone hears the brief, and presses 1 to take over."),
      field("then", "Then the assistant", choice(THEN)),
    ],
    request: (fields) => ({
      method: "POST",
      path: `/conversations/${conversation.id}/handover`,
      body: withoutEmpty({
        to: numbersIn(fields.to.value),
        name: fields.name.value.trim(),
        brief: fields.brief.value.trim(),
        then: fields.then.value,
      }),
    }),
    sent: () => announce(`Handing over to ${name.value || number(to.value)}`),
  });
}

export function modeForm(conversation) {
  const mode = choice(MODES);
  mode.value = conversation.mode;
  dialog({
    title: "The assistant's part",
    send: "Ask for it",
    fields: [field("mode", "The assistant is", mode)],
    request: (fields) => ({ method: "POST", path: `/conversations/${conversation.id}/assistant`, body: { mode: fields.mode.value } }),
    sent: (answer) => announce(`The assistant is asked to be ${answer.wanted_mode}`),
  });
}

export function messageForm(conversation) {
  dialog({
    title: "Tell the assistant",
    send: "Send",
    fields: [
      field("role", "As", choice([["system", "system"], ["user", "user"], ["assistant", "assistant"], ["developer", "developer"]])),
      field("content", "Message", h("textarea", { rows: 3, required: true })),
    ],
    request: (fields) => ({
      method: "POST",
      path: `/conversations/${conversation.id}/messages`,
      body: { role: fields.role.value, content: fields.content.value },
    }),
    sent: () => announce("The message is on its way"),
  });
}

export function stopForm(conversation) {
  const names = onTheLine(conversation);
  const people = names.length ? list(names) : "Everybody";
  dialog({
    title: "Stop the conversation",
    send: "Stop",
    danger: true,
    fields: [
      h("fieldset", {}, h("legend", {}, "The assistant leaves. The calls"),
        option("hang_up", "yes", "end too", `${people} ${names.length === 1 ? "is" : "are"} hung up.`, true),
        option("hang_up", "no", "stay up", `${people} ${names.length === 1 ? "stays" : "stay"} on the line, and the calls cost money until their time limit, at most.`)),
    ],
    request: (fields) => ({ method: "POST", path: `/conversations/${conversation.id}/stop`, body: { hang_up: fields.hang_up.value === "yes" } }),
    sent: () => announce("Stopping"),
  });
}

const onTheLine = ({ participants, direction }) => participants.filter(({ legs }) => legs.some((leg) => leg.answered_at && leg.status !== "ended")).map((person) => nameOf(person, direction));

export function removeForm(conversation, participant, name) {
  const others = onTheLine(conversation).length - 1;
  const ends = participant.on_hangup === "end_conversation";
  const effect = ends ? `This ends the conversation${others > 0 ? ` for all ${others + 1} people` : ""}.` : "The conversation goes on.";
  dialog({
    title: `Remove ${name}`,
    send: "Hang up",
    danger: true,
    fields: [h("p", {}, `${name} is hung up. ${effect}`)],
    request: () => ({ method: "DELETE", path: `/conversations/${conversation.id}/participants/${participant.id}` }),
    sent: () => announce(`${name} is hung up`),
  });
}

const TOOLS = [["invite", "invite: call a person in"], ["handover", "handover: give the caller to a person"], ["status", "status: ask who is on the line"]];

/** Let the simulated assistant use a tool, in place of its model. */
export function toolForm(conversation) {
  const call = conversation.participants.flatMap(({ legs }) => legs).find((leg) => leg.answered_at && leg.status !== "ended")?.call_control_id;
  dialog({
    title: "The assistant uses a tool",
    send: "Use",
    fields: [
      field("tool", "Tool", choice(TOOLS)),
      field("name", "Contact", input({ value: "billing" }), "The name that the model says."),
      field("number", "The contact's number, if the contact is new", input({ list: LIST, placeholder: "none" }), "Added to the default route, which has the contacts."),
      field("brief", "Why the caller wants the contact", input({ maxlength: 500 })),
      knownNumbers(),
    ],
    run: async (fields) => {
      const name = fields.name.value.trim();
      if (fields.number.value.trim()) await addContact(conversation, name, fields.number.value.replaceAll(/\s/g, ""));
      const asked = fields.tool.value === "status" ? {} : withoutEmpty({ name, brief: fields.brief.value.trim() });
      return useTool(call, fields.tool.value, asked);
    },
    sent: ({ message }) => announce(message),
  });
}

/** Add a contact to the default route, which is made if it does not exist. */
const addContact = (conversation, name, to) =>
  changeContacts("default", (known) => ({ ...known, [name]: { to } }), { assistant: { id: conversation.assistant.id } });
