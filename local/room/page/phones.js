// The phones: a phone for each number, with its buttons and the heard words.

import { act } from "./api.js";
import { announce, byId, h, keyed } from "./dom.js";
import { all, model, who as nameFor } from "./model.js";
import { clock, moment, number } from "./words.js";

const BEHAVIOURS = [
  ["manual", "rings until you pick up"], ["answer", "answers by itself"], ["busy", "is busy"],
  ["decline", "declines"], ["no_answer", "lets it ring"], ["machine", "has a machine"],
  ["unreachable", "can't be reached"],
];
const DULL = new Set(["the phone rings", "hears it ring", "answered"]);
const KEYS = [..."123456789*0#"];

/** The phones: number, person and latest call. */
export function phones() {
  const found = new Map(all("person").map(([each, person]) => [each, { number: each, person, leg: null }]));
  for (const [, leg] of all("leg")) {
    const known = found.get(leg.number) ?? { number: leg.number, person: null, leg: null };
    if (!known.leg || moment(leg.started_at) >= moment(known.leg.started_at)) known.leg = leg;
    found.set(leg.number, known);
  }
  return [...found.values()];
}

const rung = new Set();

/** Announce a ringing phone and bring it into view, once for each call. */
function ring(phone) {
  const id = phone.leg?.call_control_id;
  if (phone.leg?.state !== "ringing" || rung.has(id)) return;
  rung.add(id);
  announce(`The phone of ${phone.person?.name || number(phone.number)} rings`);
  const card = byId("handsets").known?.get(phone.number)?.node;
  if (!byId("handsets").contains(document.activeElement)) card?.scrollIntoView({ block: "nearest" });
}

/** The phone of a window with one phone; the URL may have an unescaped plus. */
export const only = new URLSearchParams(location.search).get("phone")?.replace(/^ /, "+");

export function drawPhones() {
  const wanted = only;
  const shown = phones().filter((each) => !wanted || each.number === wanted);
  queueMicrotask(() => shown.forEach(ring));
  keyed(
    byId("handsets"),
    shown.map((phone) => [phone.number, signature(phone), phone]),
    (phone, before) => handset(phone, before),
  );
  byId("no-phone").hidden = !wanted || !model.ready || shown.length > 0;
}

const signature = ({ person, leg }) =>
  JSON.stringify([person, leg && [leg.call_control_id, leg.state, leg.heard.length, leg.asked_for_digits, leg.with_assistant, leg.hangup_cause]]);

async function does(phone, action, said) {
  try {
    await act({ phone: phone.number, ...action });
    if (said) announce(said);
  } catch (error) {
    announce(error.message);
    const place = byId(`trouble-${phone.number}`);
    place?.toggleAttribute("data-away", error.status === 0);
    if (place) place.textContent = error.message;
  }
}

function state(leg) {
  if (!leg) return "idle";
  if (leg.state === "ringing") return "ringing";
  if (leg.state === "parked") return "calling";
  return leg.state === "answered" ? "talking" : "idle";
}

function handset(phone, before) {
  const { person, leg } = phone;
  const now = state(leg);
  const name = person?.name || "Somebody";
  const typed = before?.querySelector("input[name=text]")?.value ?? "";
  const focused = before?.contains(document.activeElement) ? document.activeElement.dataset.part : null;
  const card = h(
    "article",
    { class: `handset ${now}`, "aria-label": `${name}, ${number(phone.number)}` },
    h(
      "header",
      {},
      h("h3", {}, name),
      h("p", { class: "state", title: now === "idle" ? leg?.hangup_cause : null }, words(leg, now)),
      h("a", { class: "button quiet small", "data-part": "window", href: `/?phone=${encodeURIComponent(phone.number)}`, target: "_blank", rel: "noopener", "aria-label": `${name} in a window of its own`, title: "In a window of its own" }, "↗"),
    ),
    h("p", { class: "number" }, number(phone.number)),
    now !== "idle" && h("p", { class: "with" }, ...other(leg, now)),
    leg && (now !== "idle" || leg.heard.length > 0) && heard(leg, now),
    now === "talking" && leg.asked_for_digits && keypad(phone),
    now === "talking" && speech(phone, typed),
    actions(phone, now),
    h("p", { class: "wrong", id: `trouble-${phone.number}`, role: "alert" }),
  );
  if (before && focused) queueMicrotask(() => (card.querySelector(`[data-part="${focused}"]`) ?? card.querySelector("button"))?.focus());
  return card;
}

function other(leg, now) {
  if (leg.direction === "outgoing") return ["call from ", h("b", {}, number(leg.from))];
  return [now === "calling" ? "calling " : "call to ", h("b", {}, number(leg.to))];
}

function words(leg, now) {
  if (now === "ringing") return "ringing";
  if (now === "calling") return "hears it ring";
  if (now === "talking") return h("time", { "data-since": leg.answered_at }, clock((Date.now() - moment(leg.answered_at)) / 1000));
  return leg?.hangup_cause ? leg.hangup_cause.replaceAll("_", " ") : "free";
}

function heard(leg, now) {
  const list = h("ol", { class: "heard" });
  const lines = now === "idle" ? leg.heard.slice(-1) : leg.heard.filter(({ what }) => !DULL.has(what)).slice(-4);
  for (const { what } of lines) {
    const [, who, text] = /^(voice|assistant|\+\d+): (.*)$/s.exec(what) ?? [];
    list.append(h("li", { class: who ? "words" : "noise" }, ...(text ? [who.startsWith("+") && h("b", {}, `${nameFor(who)}: `), h("q", {}, text)] : [what])));
  }
  if (now === "idle") return list;
  // A fixed height from the first word on, so the phones below do not move.
  return h("div", { class: "ear", tabindex: "0", role: "group", "aria-label": "What is heard" }, list);
}

function keypad(phone) {
  return h(
    "div",
    { class: "keypad", role: "group", "aria-label": "Keypad" },
    KEYS.map((key) => h("button", { type: "button", "data-part": `key-${key}`, onclick: () => does(phone, { do: "press", digits: key }, `Pressed ${key}`) }, key)),
  );
}

function speech(phone, typed) {
  return h(
    "form",
    {
      class: "speech",
      onsubmit: (event) => {
        event.preventDefault();
        const field = event.target.elements.text;
        if (field.value.trim()) does(phone, { do: "say", text: field.value.trim() });
        field.value = "";
      },
    },
    h("input", { name: "text", "data-part": "text", "aria-label": "Say something", placeholder: "Say something", autocomplete: "off", value: typed, maxlength: 500 }),
    h("button", { type: "submit", "data-part": "say" }, "Say"),
  );
}

function actions(phone, now) {
  const button = (part, label, action, tone) =>
    h("button", { type: "button", "data-part": part, class: tone, onclick: () => does(phone, action, `${label}: ${number(phone.number)}`) }, label);
  if (now === "ringing") {
    return h(
      "div",
      { class: "actions" },
      button("main", "Answer", { do: "answer" }, "good"),
      button("decline", "Decline", { do: "decline" }, "bad"),
      button("busy", "Busy", { do: "busy" }),
    );
  }
  if (now === "talking" || now === "calling") {
    return h("div", { class: "actions" }, button("main", "Hang up", { do: "hang_up" }, "bad"));
  }
  return h(
    "div",
    { class: "actions" },
    h("button", { type: "button", class: "call-in", "data-part": "main", onclick: () => does(phone, { do: "ring_in", to: model.number }, `Calling ${number(model.number)}`) }, "Call in"),
    habits(phone),
  );
}

function habits(phone) {
  const person = phone.person ?? { number: phone.number, name: "", behaviour: "answer" };
  const select = h(
    "select",
    {
      "aria-label": `When the phone of ${person.name || number(phone.number)} rings`,
      "data-part": "habit",
      onchange: (event) => act({ do: "person", person: { ...person, behaviour: event.target.value } }).catch((error) => announce(error.message)),
    },
    BEHAVIOURS.map(([value, text]) => h("option", { value, selected: value === person.behaviour }, text)),
  );
  return h("div", { class: "habit" }, select);
}

/** Update the clocks of the calls. */
export function tick() {
  for (const each of document.querySelectorAll("time[data-since]")) {
    each.textContent = clock((Date.now() - moment(each.dataset.since)) / 1000);
  }
}
