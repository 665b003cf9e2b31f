// The faults of webhooks, of Telnyx and of our functions: a document that is applied as a whole.

import { runAction, faultsInForce } from "./api.js";
import { announce, byId, h, keepFocus, show } from "./dom.js";
import { model, factOf } from "./model.js";
import { plain } from "./words.js";

const WEBHOOKS = [
  ["duplicates", "comes twice", { duplicates: 1 }],
  ["delay", "comes 1 to 3 s late", { delay_secs: [1, 3] }],
  ["reorder", "arrives out of order", { reorder: true }],
  ["half", "is lost half the time", { drop: 0.5 }],
  ["drop", "never comes", { drop: 1 }],
  ["version", "has the body of API version 1", { version: "1" }],
];
const FAULTS = [
  ["429", "answers 429", { kind: "refuse", status: 429 }], ["500", "answers 500", { kind: "refuse", status: 500 }],
  ["503", "answers 503", { kind: "refuse", status: 503 }], ["drop", "breaks the connection", { kind: "drop" }],
  ["lose_reply", "does it, the answer is lost", { kind: "lose_reply" }], ["slow", "does it, answers 3 s late", { kind: "slow", secs: 3 }],
  ["garble", "does it, the answer is no JSON", { kind: "garble" }],
];
const CRASHES = [["before", "at the start"], ["after_write", "after its write, before any command"], ["after", "after all work, answer lost"]];
const TIMES = [["1", "once"], ["3", "three times"], ["", "from now on"]];

/** The requests to Telnyx that a call needs, before the others. */
const FIRST = ["dial", "answer", "ai_assistant_start", "ai_assistant_join", "hangup", "gather_using_speak"];

const NO_FAULTS = { seed: 0, webhooks: {}, telnyx: [], functions: [] };
let built = null;

/** The number of faults in force. */
export function countFaults() {
  const now = factOf("trouble") ?? NO_FAULTS;
  return [...Object.values(now.webhooks), ...now.telnyx, ...now.functions].filter((each) => each.times !== 0).length;
}

let last = Promise.resolve();

/** Change the faults in force, one change after the other. */
const applyChange = (change) => (last = last.then(() => applyNow(change)));

async function applyNow(change) {
  try {
    const trouble = await faultsInForce();
    change(trouble);
    await runAction({ do: "trouble", trouble });
  } catch (error) {
    announce(error.message);
    built.wrong.toggleAttribute("data-away", error.status === 0);
    built.wrong.textContent = [error.message, ...error.details.map((each) => each.message)].join(" ");
    return;
  }
  built.wrong.textContent = "";
}

const select = (label, options) => h("select", { "aria-label": label }, options.map(([value, text]) => h("option", { value }, text)));

const settingsOf = (choices, value) => choices.find(([each]) => each === value)[2];

const number = (text) => (text ? Number(text) : null);

/** The options of the actions: the first six, then the others. */
function selectAction(names) {
  const group = (label, members) => h("optgroup", { label }, members.map((name) => h("option", { value: name }, name)));
  const first = FIRST.filter((name) => names.includes(name));
  return h("select", { "aria-label": "Action" }, h("option", { value: "*" }, "any"), group("In every call", first), group("Others", names.filter((name) => !first.includes(name))));
}

const withAny = (names) => [["*", "any"], ...names.map((each) => [each, each])];

/** `add` gets the controls' values when the button is pressed, and returns the change. */
function row(title, controls, add) {
  return h("form", { class: "switch", "aria-label": title, onsubmit: (event) => { event.preventDefault(); applyChange(add(...controls.map((each) => each.value))); } }, h("h3", {}, title), ...controls, h("button", { type: "submit" }, "Switch on"));
}

function build() {
  const type = select("Webhook", withAny(model.choices.events));
  const effect = select("What happens to it", WEBHOOKS);
  const webhookTimes = select("How often it happens", [TIMES.at(-1), ...TIMES.slice(0, -1)]);
  const action = selectAction(model.choices.actions);
  const fault = select("What Telnyx does", FAULTS);
  const faultTimes = select("How often Telnyx does it", TIMES);
  const name = select("Function", withAny(model.choices.functions));
  const crash = select("When it crashes", CRASHES);
  const crashTimes = select("How often it crashes", TIMES);
  const setSeed = (value) => (trouble) => { trouble.seed = value; };
  const seed = h("input", { type: "number", min: 0, "aria-label": "Seed", class: "seed", onchange: () => applyChange(setSeed(Number(seed.value) || 0)) });
  const list = h("ul", { class: "in-force", tabindex: "-1", "aria-label": "In force" });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const clearButton = h("button", { type: "button", onclick: () => applyChange((trouble) => Object.assign(trouble, { webhooks: {}, telnyx: [], functions: [] })) }, "Clear all");
  show(
    byId("tab-trouble"),
    h("p", { class: "soft" }, "Inject faults and watch the calls recover. A fault applies to every call until it is used up or switched off."),
    list,
    wrong,
    row("A webhook", [type, effect, webhookTimes], (type, effect, times) => (trouble) => {
      const before = trouble.webhooks[type]?.times === 0 ? {} : trouble.webhooks[type]; // what is used up is over
      trouble.webhooks[type] = { ...before, ...settingsOf(WEBHOOKS, effect), times: number(times) };
    }),
    row("Telnyx", [action, fault, faultTimes], (action, fault, times) => (trouble) => { trouble.telnyx.push({ action, times: number(times), ...settingsOf(FAULTS, fault) }); }),
    row("A function crashes", [name, crash, crashTimes], (name, when, times) => (trouble) => { trouble.functions.push({ function: name, when, times: number(times) }); }),
    h("div", { class: "luck" }, h("label", {}, "Seed ", seed), clearButton),
  );
  return { list, wrong, seed, clearButton };
}

export function drawTrouble() {
  built ??= build();
  const now = factOf("trouble") ?? NO_FAULTS;
  const signature = JSON.stringify(now);
  if (built.drawn === signature) return;
  built.drawn = signature;
  if (document.activeElement !== built.seed) built.seed.value = now.seed;
  let nth = 0;
  const item = (text, off) =>
    h("li", {}, h("span", {}, text), h("button", { type: "button", class: "quiet small", "data-part": `off-${nth++}`, "aria-label": `Switch off: ${text}`, onclick: () => applyChange(off) }, "Off"));
  const timesText = (each) => (each.times === null ? "from now on" : each.times === 1 ? "once" : `${each.times} times`);
  const items = [
    ...Object.entries(now.webhooks).map(([type, settings]) => settings.times !== 0 && item(`${type === "*" ? "Every webhook" : type} ${[describe(settings), settings.times && timesText(settings)].filter(Boolean).join(", ")}`, (trouble) => delete trouble.webhooks[type])),
    ...now.telnyx.map((each, nth) => each.times !== 0 && item(`Telnyx, ${plain(each.action).replace("*", "anything")}: ${describe(each)}, ${timesText(each)}`, (trouble) => trouble.telnyx.splice(nth, 1))),
    ...now.functions.map((each, nth) => each.times !== 0 && item(`${each.function === "*" ? "Any function" : each.function} crashes ${CRASHES.find(([when]) => when === each.when)[1]}, ${timesText(each)}`, (trouble) => trouble.functions.splice(nth, 1))),
  ].filter(Boolean);
  const { list, clearButton } = built;
  const change = () => list.replaceChildren(...(items.length ? items : [h("li", { class: "soft" }, "No fault is in force.")]));
  keepFocus(list, change, () => [...list.querySelectorAll("button")].at(-1) ?? list);
  if (!items.length && document.activeElement === clearButton) list.focus();
  clearButton.disabled = !items.length;
}

function describe(fault) {
  if (fault.kind) return { refuse: `answers ${fault.status}`, drop: "breaks the connection", lose_reply: "answer lost", slow: `answers ${fault.secs} s late`, garble: "answers no JSON" }[fault.kind];
  return [
    fault.duplicates && `comes ${fault.duplicates + 1} times`, fault.delay_secs?.[1] && `comes ${fault.delay_secs.join(" to ")} s late`,
    fault.reorder && "arrives out of order", fault.version && "has the body of API version 1", fault.drop && (fault.drop === 1 ? "never comes" : `is lost ${Math.round(fault.drop * 100)} %`),
  ].filter(Boolean).join(", ");
}
