// The forms. A form shows its request, and shows the API's errors at the fields.

import { runAction, sendToApi, curl } from "./api.js";
import { announce, h, modal } from "./dom.js";
import { choose, model } from "./model.js";
import { phones } from "./phones.js";
import { number } from "./words.js";

const LIST = "known-numbers";

/** A labelled field; `name` is the API's name of the field in errors. */
function field(name, label, control, hint) {
  control.name = name;
  control.id = `field-${name}`;
  control.setAttribute("aria-describedby", `wrong-${name}`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: control.id }, label),
    control,
    hint && h("p", { class: "hint" }, hint),
    h("p", { class: "wrong", id: `wrong-${name}` }),
  );
}

const input = (properties) => h("input", { autocomplete: "off", ...properties });

const choice = (options) => h("select", {}, options.map(([value, text]) => h("option", { value }, text)));

const tick = (name, label, properties) =>
  h("label", { class: "tick" }, h("input", { type: "checkbox", name, ...properties }), h("span", {}, label));

const DETECTION = [["off", "off"], ["standard", "standard"], ["premium", "premium"]];
const HANGUP = [["continue_conversation", "the conversation goes on"], ["end_conversation", "the conversation ends"]];
const THEN = [["stay", "stays and speaks"], ["silent", "listens and is silent"], ["away", "leaves the people to each other"]];
const MODES = [["speaking", "speaking: takes part"], ["silent", "silent: listens and says nothing"], ["away", "away: leaves the people to each other"]];
const STRATEGIES = [["in_order", "one after the other"], ["at_once", "all at once"]];

/**
 * A dialog with a form: `request(form)` returns the API request, `sent(answer)` runs after success.
 * With `run(form)` in place of `request` the form runs `run` and sends no API request.
 */
function dialog({ title, send, fields, request, run, sent, danger }) {
  const code = h("code", {});
  const wrong = h("p", { class: "wrong general", role: "alert", tabindex: "-1" });
  const submit = h("button", { type: "submit", class: danger ? "bad" : "primary" }, send);
  const form = h("form", { novalidate: true }, ...fields, wrong);
  const copy = h("button", { type: "button", class: "quiet small" }, "Copy");
  const box = h(
    "dialog",
    { "aria-labelledby": "dialog-title" },
    h("header", {}, h("h2", { id: "dialog-title" }, title), h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => box.close() }, "×")),
    form,
    request && h("figure", { class: "curl" }, h("figcaption", {}, "What is sent ", copy), h("pre", { tabindex: "0", "aria-label": "The request as curl" }, code)),
    h("footer", {}, h("button", { type: "button", onclick: () => box.close() }, "Cancel"), submit),
  );
  submit.setAttribute("form", "the-form");
  form.id = "the-form";

  const requested = (elements) => {
    const { method, path, body } = request(elements);
    return sendToApi(method, path, body);
  };
  const preview = () => {
    if (!request) return;
    const { method, path, body } = request(form.elements);
    code.textContent = curl(model.api, method, path, body);
  };
  form.addEventListener("input", preview);
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent);
    copy.textContent = "Copied";
    announce("Copied");
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clear(form, wrong);
    submit.disabled = true;
    try {
      const answer = await (run ?? requested)(form.elements);
      box.close();
      sent?.(answer);
    } catch (error) {
      showErrors(form, wrong, error);
    } finally {
      submit.disabled = false;
    }
  });
  preview();
  modal(box);
}

function clear(form, wrong) {
  wrong.textContent = "";
  for (const each of form.querySelectorAll(".field .wrong")) each.textContent = "";
  for (const each of form.elements) each.removeAttribute("aria-invalid");
}

/** Show the API's errors at their fields, and the other errors at the form's end. */
function showErrors(form, wrong, error) {
  const names = [...form.elements].map((each) => each.name).filter(Boolean);
  let first = null;
  const rest = [];
  for (const { field: fieldName, message } of error.details) {
    const name = names.find((each) => fieldName === each || fieldName.startsWith(`${each}.`));
    const place = name && form.querySelector(`#${CSS.escape(`wrong-${name}`)}`);
    if (!place) {
      rest.push(`${fieldName}: ${message}`);
      continue;
    }
    place.textContent = message;
    form.elements[name].setAttribute("aria-invalid", "true");
    first ??= form.elements[name];
  }
  wrong.textContent = first && !rest.length ? "" : [error.message, ...rest].join(" ");
  (first ?? wrong).focus?.();
}

const withoutEmpty = (body) =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== "" && value !== undefined && value !== null));

const splitNumbers = (text) => text.split(/[\s,]+/).filter(Boolean);

/** The `to` of a request: a number, or a list of several numbers. */
function numbersIn(text) {
  const numbers = splitNumbers(text);
  return numbers.length > 1 ? numbers : (numbers[0] ?? "");
}

function knownNumbers() {
  return h("datalist", { id: LIST }, phones().map((each) => h("option", { value: each.number }, each.person?.name ?? "")));
}

const nameOf = (wanted) => phones().find((each) => each.number === wanted)?.person?.name ?? "";

/** Let the name follow the number until the user writes a name. */
function follow(numbers, name) {
  numbers.addEventListener("input", () => {
    if (!name.touched) name.value = nameOf(splitNumbers(numbers.value)[0]);
  });
  name.addEventListener("input", () => (name.touched = true));
}

export function startForm() {
  const free = phones().find((each) => !each.leg || each.leg.state === "ended");
  const to = input({ list: LIST, required: true, value: free?.number ?? "" });
  const name = input({ value: nameOf(to.value) });
  follow(to, name);
  dialog({
    title: "Start a conversation",
    send: "Call",
    fields: [
      knownNumbers(),
      field("to", "Number to call, or several to try", to, "The host: when they answer, the assistant starts."),
      field("name", "Name", name),
      field("strategy", "Several numbers ring", choice(STRATEGIES)),
      field("assistant.greeting", "The assistant's greeting", input({ placeholder: "its own" })),
      field("machine_detection", "Machine detection", choice(DETECTION)),
      field("on_hangup", "When the host hangs up", choice([["", "as the deployment has it"], ...HANGUP])),
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
      }),
    }),
    sent: (answer) => {
      choose(answer.id);
      announce(`Calling ${number(to.value)}`);
    },
  });
}

export function ringInForm() {
  const taken = new Set(phones().map((each) => each.number));
  const free = Array.from({ length: 80 }, (_, nth) => `+131255501${20 + nth}`).find((each) => !taken.has(each));
  dialog({
    title: "Ring in",
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
  const free = phones().find((each) => !each.leg || each.leg.state === "ended");
  const to = input({ list: LIST, required: true, value: free?.number ?? "" });
  const name = input({ value: nameOf(to.value) });
  follow(to, name);
  dialog({
    title: "Invite somebody",
    send: "Invite",
    fields: [
      knownNumbers(),
      field("to", "Number, or several to try", to, "Write several numbers with spaces between them."),
      field("name", "Name", name),
      field("strategy", "Several numbers ring", choice(STRATEGIES)),
      field("brief", "Why they are called", input({ placeholder: "nothing", maxlength: 500 }), "They alone hear the brief, and press 1 to join."),
      field("screening", "Said before they are joined", input({ placeholder: "nothing: joined at once" }), "With a text here, they have to press 1 to join."),
      field("machine_detection", "Machine detection", choice(DETECTION)),
      field("ring_timeout_secs", "Seconds it may ring", input({ type: "number", placeholder: "30", inputmode: "numeric" })),
      field("on_hangup", "When they hang up", choice(HANGUP)),
    ],
    request: (fields) => ({
      method: "POST",
      path: `/conversations/${conversation.id}/participants`,
      body: withoutEmpty({
        to: numbersIn(fields.to.value),
        name: fields.name.value.trim(),
        strategy: fields.strategy.value === "in_order" ? undefined : fields.strategy.value,
        brief: fields.brief.value.trim(),
        screening: fields.screening.value ? { say: fields.screening.value } : undefined,
        machine_detection: fields.machine_detection.value === "off" ? undefined : fields.machine_detection.value,
        ring_timeout_secs: fields.ring_timeout_secs.value ? Number(fields.ring_timeout_secs.value) : undefined,
        on_hangup: fields.on_hangup.value === "continue_conversation" ? undefined : fields.on_hangup.value,
      }),
    }),
    sent: (answer) => announce(`Inviting ${answer.name ?? "somebody"}`),
  });
}

export function handoverForm(conversation) {
  const free = phones().find((each) => !each.leg || each.leg.state === "ended");
  const to = input({ list: LIST, required: true, value: free?.number ?? "" });
  const name = input({ value: nameOf(to.value) });
  follow(to, name);
  dialog({
    title: "Hand over to a person",
    send: "Hand over",
    fields: [
      knownNumbers(),
      field("to", "Number, or several to try", to, "The assistant speaks with the caller until the person has joined."),
      field("name", "Name", name),
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
  dialog({
    title: "Stop the assistant",
    send: "Stop",
    danger: true,
    fields: [tick("hang_up", "Hang everybody up, too")],
    request: (fields) => ({ method: "POST", path: `/conversations/${conversation.id}/stop`, body: { hang_up: fields.hang_up.checked } }),
    sent: () => announce("Stopping"),
  });
}

export function removeForm(conversation, participant, name) {
  dialog({
    title: `Remove ${name}`,
    send: "Hang up",
    danger: true,
    fields: [h("p", {}, `${name} is hung up. The conversation ends only if the call was set up to end with them.`)],
    request: () => ({ method: "DELETE", path: `/conversations/${conversation.id}/participants/${participant.id}` }),
    sent: () => announce(`${name} is hung up`),
  });
}
