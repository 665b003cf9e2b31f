// The phones: a phone for each number, with its buttons and the heard words.

import { runAction } from "./api.js";
import { announce, byId, h, keyed } from "./dom.js";
import { changed, factsOf, model, ownWords } from "./model.js";
import { nameOfNumber } from "./names.js";
import { keepPreference, preference } from "./prefs.js";
import { causeWords, clock, moment, number } from "./words.js";

const BEHAVIOURS = [
  ["manual", "rings"], ["answer", "answers"], ["busy", "busy"], ["decline", "declines"],
  ["no_answer", "no answer"], ["machine", "machine"], ["unreachable", "unreachable"],
];
const DULL = new Set(["the phone rings", "hears it ring", "answered"]);
const KEYS = [..."123456789*0#"];

/** The phones: number, person and latest call. */
export function phones() {
  const found = new Map(factsOf("person").map(([each, person]) => [each, { number: each, person, leg: null }]));
  for (const [, leg] of factsOf("leg")) {
    const known = found.get(leg.number) ?? { number: leg.number, person: null, leg: null };
    if (!known.leg || moment(leg.started_at) >= moment(known.leg.started_at)) known.leg = leg;
    found.set(leg.number, known);
  }
  return [...found.values()].sort((first, second) => (first.number < second.number ? -1 : 1));
}

const announced = new Set();

/** Announce a ringing phone and bring it into view, once for each call. */
function announceRinging(phone) {
  const id = phone.leg?.call_control_id;
  if (phone.leg?.state !== "ringing" || announced.has(id)) return;
  announced.add(id);
  announce(`The phone of ${phone.person?.name || number(phone.number)} rings`);
  const card = byId("handsets").known?.get(phone.number)?.node;
  if (!byId("handsets").contains(document.activeElement)) card?.scrollIntoView({ block: "nearest" });
}

/** The phone of a window with one phone; the URL may have an unescaped plus. */
export const onlyPhone = new URLSearchParams(location.search).get("phone")?.replace(/^ /, "+");

export function drawPhones() {
  const wanted = onlyPhone;
  const all = phones();
  const shown = all.filter((each) => (wanted ? each.number === wanted : isShown(each)));
  const gone = all.length - shown.length;
  byId("hide-idle").setAttribute("aria-pressed", String(hidesIdle));
  byId("hide-idle").hidden = Boolean(wanted);
  byId("gone").hidden = Boolean(wanted) || !gone;
  byId("gone").textContent = `${gone} hidden, show all`;
  queueMicrotask(() => shown.forEach(announceRinging));
  keyed(
    byId("handsets"),
    shown.map((phone) => [phone.number, signature(phone), phone]),
    (phone, before) => handset(phone, before),
  );
  byId("no-phone").hidden = !wanted || !model.ready || shown.length > 0;
}

let hidesIdle = preference("hide-idle", false);

/** The numbers of the removed phones: a phone comes back with its next call. */
const removed = new Map(Object.entries(preference("removed", {})));

const isBusy = ({ leg }) => Boolean(leg) && leg.state !== "ended";

const isShown = (phone) => isBusy(phone) || (!hidesIdle && (!removed.has(phone.number) || removed.get(phone.number) !== (phone.leg?.call_control_id ?? "")));

function removePhone({ number: text, leg }) {
  removed.set(text, leg?.call_control_id ?? "");
  keepPreference("removed", Object.fromEntries(removed));
  changed();
}

/** The buttons that hide the idle phones, and that show all phones again. */
export function phoneButtons(hide, all) {
  const set = (value) => {
    hidesIdle = value;
    keepPreference("hide-idle", hidesIdle);
    changed();
  };
  hide.addEventListener("click", () => set(!hidesIdle));
  all.addEventListener("click", () => {
    removed.clear();
    keepPreference("removed", {});
    set(false);
  });
}

const signature = ({ person, leg }) =>
  JSON.stringify([person, leg && [leg.call_control_id, leg.state, leg.heard.length, leg.asked_for_digits, leg.with_assistant, leg.hangup_cause, ownWords(leg.call_control_id).length]]);

/** Call once: the button is off until the phone has the call, or the call is refused. */
async function callIn(phone, button) {
  button.disabled = true;
  if (!(await run(phone, { do: "ring_in", to: model.number }, `Calling ${number(model.number)}`))) button.disabled = false;
}

/** Run an action of a phone; returns whether the action was done. */
async function run(phone, action, said) {
  try {
    await runAction({ phone: phone.number, ...action });
    if (said) announce(said);
    return true;
  } catch (error) {
    announce(error.message);
    const place = byId(`trouble-${phone.number}`);
    place?.toggleAttribute("data-away", error.status === 0);
    if (place) place.textContent = error.message;
    return false;
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
      h("h3", {}, h("bdi", {}, name)),
      h("p", { class: "state", title: now === "idle" && leg?.hangup_cause ? leg.hangup_cause.replaceAll("_", " ") : null }, words(leg, now)),
      h("a", { class: "button quiet small", "data-part": "window", href: `/?phone=${encodeURIComponent(phone.number)}`, target: "_blank", rel: "noopener", "aria-label": `${name} in a window of its own`, title: "In a window of its own" }, "↗"),
      now === "idle" && !onlyPhone && h("button", { type: "button", class: "quiet small", "data-part": "remove", "aria-label": `Remove the phone of ${name}`, title: "Remove until its next call", onclick: () => removePhone(phone) }, "×"),
    ),
    h("p", { class: "number" }, number(phone.number)),
    now !== "idle" && h("p", { class: "with" }, ...otherParty(leg, now)),
    leg && (now !== "idle" || lastHeard(leg)) && heard(leg, now),
    now === "talking" && leg.asked_for_digits && keypad(phone),
    now === "talking" && speech(phone, typed),
    actions(phone, now),
    h("p", { class: "wrong", id: `trouble-${phone.number}`, role: "alert" }),
  );
  if (before && focused) queueMicrotask(() => (card.querySelector(`[data-part="${focused}"]`) ?? card.querySelector("button"))?.focus());
  return card;
}

function otherParty(leg, now) {
  if (leg.direction === "outgoing") return ["call from ", h("b", {}, number(leg.from))];
  return [now === "calling" ? "calls " : "call to ", h("b", {}, number(leg.to))];
}

function words(leg, now) {
  if (now === "ringing") return "ringing";
  if (now === "calling") return "calling";
  if (now === "talking") return h("time", { "data-since": leg.answered_at }, clock((Date.now() - moment(leg.answered_at)) / 1000));
  return leg?.hangup_cause ? causeWords(leg.hangup_cause) : "idle";
}

/** What a phone heard last, before the end of its call. */
const lastHeard = (leg) => leg.heard.findLast(({ what }) => what !== "the line is dead" && !DULL.has(what));

function heard(leg, now) {
  const list = h("ol", { class: "heard" });
  const own = ownWords(leg.call_control_id).map(({ at, do: act, text }) => ({ at, own: act === "press" ? `pressed ${text}` : text }));
  const others = leg.heard.filter(({ what }) => !DULL.has(what));
  const lines = now === "idle" ? [lastHeard(leg)] : [...others, ...own].sort((first, second) => moment(first.at) - moment(second.at)).slice(-5);
  for (const { what, own: mine } of lines) {
    if (mine) {
      list.append(h("li", { class: "words mine" }, h("b", { class: "unseen" }, "You: "), h("q", {}, mine)));
      continue;
    }
    const [, speaker, text] = /^(voice|audio|assistant|\+\d+): (.*)$/s.exec(what) ?? [];
    list.append(h("li", { class: speaker ? "words" : "noise" }, ...(text ? [speaker.startsWith("+") && h("b", {}, `${nameOfNumber(speaker)}: `), h("q", {}, text)] : [what])));
  }
  if (now === "idle") return list;
  // A fixed height from the first word on, so the phones below do not move.
  return h("div", { class: "ear", tabindex: "0", role: "group", "aria-label": "What is heard" }, list);
}

function keypad(phone) {
  return h(
    "div",
    { class: "keypad", role: "group", "aria-label": "Keypad" },
    KEYS.map((key) => h("button", { type: "button", "data-part": `key-${key}`, onclick: () => run(phone, { do: "press", digits: key }, `Pressed ${key}`) }, key)),
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
        if (field.value.trim()) run(phone, { do: "say", text: field.value.trim() });
        field.value = "";
      },
    },
    h("input", { name: "text", "data-part": "text", "aria-label": "Say something", placeholder: "Say something", autocomplete: "off", value: typed, maxlength: 500 }),
    h("button", { type: "submit", "data-part": "say" }, "Say"),
  );
}

function actions(phone, now) {
  const button = (part, label, action, tone) =>
    h("button", { type: "button", "data-part": part, class: tone, onclick: () => run(phone, action, `${label}: ${number(phone.number)}`) }, label);
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
    h("button", { type: "button", class: "call-in", "data-part": "main", onclick: (event) => callIn(phone, event.currentTarget) }, "Call in"),
    behaviourSelect(phone),
  );
}

function behaviourSelect(phone) {
  const person = phone.person ?? { number: phone.number, name: "", behaviour: "answer" };
  const select = h(
    "select",
    {
      "aria-label": `When the phone of ${person.name || number(phone.number)} rings`,
      "data-part": "behaviour",
      onchange: (event) => runAction({ do: "person", person: { ...person, behaviour: event.target.value } }).catch((error) => announce(error.message)),
    },
    BEHAVIOURS.map(([value, text]) => h("option", { value, selected: value === person.behaviour }, text)),
  );
  return h("div", { class: "behaviour" }, select);
}

/** The title of the window while phones ring; empty when no phone rings. */
export function ringing() {
  const names = phones().filter(({ number: shown, leg }) => leg?.state === "ringing" && (!onlyPhone || shown === onlyPhone)).map(({ person, number: text }) => person?.name || number(text));
  return names.length ? `${names.join(", ")} ${names.length > 1 ? "ring" : "rings"}` : "";
}

/** Update the clocks of the calls. */
export function tick() {
  for (const each of document.querySelectorAll("time[data-since]")) {
    each.textContent = clock((Date.now() - moment(each.dataset.since)) / 1000);
  }
}
