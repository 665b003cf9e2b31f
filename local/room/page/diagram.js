// The live sequence diagram of a conversation.

import { h, keyed, s } from "./dom.js";
import { chosen, model, factOf, pick } from "./model.js";
import { lanes, rows } from "./rows.js";
import { since } from "./words.js";

const KINDS = [
  ["request", "Requests"], ["webhook", "Webhooks"], ["command", "Commands"],
  ["table", "Table"], ["event", "Events"], ["voice", "Voices"],
];
const NAMES = new Map([
  ["request", "request"], ["webhook", "webhook"], ["command", "command"],
  ["table", "transaction"], ["event", "event"], ["voice", "heard"],
]);
const GUTTER = { least: 62, around: 22, letter: 6.6 };
const ROW = 34;
const MARGIN = 12;
const LEAST = 0.9;
const MOST = 1.6;
const END = 28;
const APART = 8;
const NARROW = 560;

const hidden = new Set();
let gutter = GUTTER.least;

/** Make the diagram in `element` and return the function that draws the diagram again. */
export function diagram(element) {
  const filters = h("div", { class: "filters", role: "group", "aria-label": "What is shown" });
  const heads = s("svg", { class: "heads", "aria-hidden": "true" });
  const life = s("g", { class: "life", role: "presentation" });
  const body = s("g", { role: "presentation" });
  const picture = s(
    "svg",
    { class: "picture", role: "listbox", tabindex: "0", "aria-label": "What happened, in order of time", onkeydown: moveByKey },
    life,
    body,
  );
  const scroll = h("div", { class: "scroll" }, heads, picture);
  const empty = h("div", { class: "empty" });
  const below = h("button", { class: "below", type: "button", hidden: true, onclick: toEnd }, "Newest ↓");
  element.append(filters, scroll, empty, below);
  let current = [];
  let following = true;
  let shown = null;

  for (const [kind, name] of KINDS) {
    const toggle = h("button", { type: "button", class: `kind ${kind}`, "aria-pressed": "true" }, name);
    toggle.addEventListener("click", () => {
      if (!hidden.delete(kind)) hidden.add(kind);
      toggle.setAttribute("aria-pressed", String(!hidden.has(kind)));
      draw();
    });
    filters.append(toggle);
  }
  scroll.addEventListener("scroll", () => {
    following = scroll.scrollTop + scroll.clientHeight >= scroll.scrollHeight - ROW;
    below.hidden = following;
  });
  new ResizeObserver(draw).observe(scroll);

  function toEnd() {
    scroll.scrollTo({ top: scroll.scrollHeight });
  }

  function moveByKey(event) {
    if (event.key === "Enter" && model.picked) pick(model.picked, true);
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined || !current.length) return;
    event.preventDefault();
    const at = current.findIndex((row) => row.key === model.picked?.key);
    const next = Math.max(0, Math.min(current.length - 1, at < 0 && step < 0 ? 0 : at + step));
    pick(current[next]);
    const node = body.children[next];
    node?.scrollIntoView({ block: "nearest" });
  }

  function draw() {
    const view = chosen();
    filters.hidden = !view || model.mode !== "room";
    scroll.hidden = !view;
    empty.hidden = Boolean(view);
    if (!view) {
      empty.replaceChildren(...emptyTexts());
      return;
    }
    if (shown !== model.chosen) {
      shown = model.chosen;
      following = true;
    }
    const found = rows(view);
    const across = lanes(view, found, hidden, scroll.clientWidth < NARROW);
    current = found.filter((row) => !hidden.has(row.kind));
    const first = current[0]?.at ?? 0;
    // The last time has the longest text.
    gutter = Math.max(GUTTER.least, GUTTER.around + GUTTER.letter * since((current.at(-1)?.at ?? 0) - first).length);
    const [x, scale, whole] = places(across, scroll.clientWidth);
    const height = current.length * ROW + END;
    for (const svg of [heads, picture]) svg.setAttribute("width", whole);
    heads.setAttribute("height", 46);
    picture.setAttribute("height", height);
    keyed(
      heads,
      across.map((lane) => [lane.id, `${lane.label}|${lane.under}|${x.get(lane.id)}|${scale}`, lane]),
      (lane) => head(lane, x.get(lane.id), lane.wide * scale),
    );
    life.replaceChildren(...across.map((lane) => lifeline(lane, x.get(lane.id), current, height)));
    keyed(
      body,
      current.map((row, nth) => [
        row.key,
        [nth, whole, gutter, x.size, row.label, row.note.join(), row.bad, row.odd, row.via, row.from, row.to, (row.reach ?? []).join(), first, row.key === model.picked?.key].join("|"),
        { row, nth },
      ]),
      ({ row, nth }, before) => drawRow(row, nth, x, whole, first, before),
    );
    picture.setAttribute("aria-activedescendant", model.picked ? `row-${model.picked.key}` : "");
    if (following) toEnd();
  }

  return draw;
}

function emptyTexts() {
  const asked = model.mode === "room" || factOf("api");
  if (!model.ready || !asked) return [h("p", {}, "Listening …")];
  if (asked.error) {
    return [
      h("h3", {}, "Nothing to show yet"),
      h("p", {}, "The stack does not answer as it should. Is it up, and was the console started with its address and one of its keys?"),
    ];
  }
  if (model.mode === "console") {
    return [
      h("h3", {}, "No conversation yet"),
      h("p", {}, "This stack has had no call. Start a conversation, or call the number that its Telnyx application answers."),
    ];
  }
  return [
    h("h3", {}, "Nobody is on the line"),
    h("p", {}, "Start a conversation: Partyline dials a phone here, you pick it up, and every message of it is drawn in this place. Or ring in from a new number."),
  ];
}

/** The x position of each lifeline, the scale of their widths, and the whole width. */
function places(across, room) {
  const needed = across.reduce((sum, lane) => sum + lane.wide, 0);
  const scale = Math.max(LEAST, Math.min(MOST, (room - gutter - MARGIN) / needed));
  const x = new Map();
  let edge = gutter;
  for (const lane of across) {
    x.set(lane.id, edge + (lane.wide * scale) / 2);
    edge += lane.wide * scale;
  }
  return [x, scale, Math.max(edge + MARGIN, room)];
}

function head(lane, x, width) {
  return s(
    "g",
    { transform: `translate(${x} 0)`, class: lane.leg ? "head leg" : "head" },
    s("title", {}, lane.label),
    s("text", { y: 20, class: "name" }, lane.leg ? cutToWidth(lane.label, width - APART) : lane.label),
    s("text", { y: 36, class: "under" }, lane.under),
  );
}

const measuring = document.createElement("canvas").getContext("2d");

/** The part of a name that fits into the width of a lifeline's head. */
function cutToWidth(text, width) {
  measuring.font = "600 13px ui-sans-serif, system-ui, sans-serif";
  let length = text.length;
  while (length > 1 && measuring.measureText(cut(text, length)).width > width) length--;
  return cut(text, length);
}

function lifeline(lane, x, current, height) {
  if (!lane.leg) return s("line", { class: "lifeline", x1: x, x2: x, y1: 0, y2: height });
  const y = (at, otherwise) => {
    if (!at) return otherwise;
    const nth = current.findIndex((row) => row.at >= at);
    return nth < 0 ? otherwise : nth * ROW + 8;
  };
  const from = y(lane.from, 0);
  const to = y(lane.to, height);
  const answered = lane.answered ? y(lane.answered, height) : to;
  return s(
    "g",
    {},
    s("line", { class: "lifeline ringing", x1: x, x2: x, y1: from, y2: Math.min(answered, to) }),
    lane.answered && s("rect", { class: "lifeline talking", x: x - 3, y: answered, width: 6, height: Math.max(0, to - answered), rx: 3 }),
    lane.to && s("path", { class: "lifeline hung-up", d: `M${x - 5} ${to}h10` }),
  );
}

function drawRow(row, nth, x, whole, first, before) {
  const from = x.get(row.from) ?? x.get("us");
  const to = x.get(row.to) ?? x.get("us");
  const y = nth * ROW;
  const line = y + 25;
  const selected = row.key === model.picked?.key;
  const classes = ["row", row.kind, row.bad && "bad", row.odd && "odd", before ? "" : "new"];
  const words = label(row, from, to, y, whole, x.has("table"));
  const node = s(
    "g",
    {
      id: `row-${row.key}`, class: classes.filter(Boolean).join(" "), role: "option", "aria-selected": String(selected),
      "aria-label": `${since(row.at - first)} ${labelAndNote(row).filter(Boolean).join(" ")} (${NAMES.get(row.kind)})`,
      onclick: () => pick(row, true),
    },
    s("rect", { class: "band", x: 0, y, width: whole, height: ROW }),
    s("text", { class: "time", x: gutter - 12, y: y + 28, "text-anchor": "end" }, since(row.at - first)),
    " ",
    ...branches(row, x, from, to, line),
    arrow(from, to, line, row),
    words,
  );
  return node;
}

/** The text over an arrow: from the arrow's tail on, inside the picture. */
function label(row, from, to, y, whole, behind) {
  const [text, note] = labelAndNote(row);
  const long = (text.length + note.length) * 6.4 + 20;
  const tight = from - long < gutter;
  const back = to < from && (behind || !tight);
  const over = !back && Math.min(from, to) + long > whole;
  const end = over ? whole - MARGIN : back && !tight ? from - 10 : null;
  const start = back ? gutter : Math.min(from, to) + 10;
  return s(
    "text",
    { class: "label", x: end ?? start, y: y + 18, "text-anchor": end === null ? "start" : "end" },
    s("tspan", {}, text),
    note && " ",
    note && s("tspan", { class: "note", dx: 4 }, note),
  );
}

/** Lines from Telnyx to the row's leg, and from the assistant to every leg that hears it. */
function branches(row, x, from, to, line) {
  const end = row.from === "telnyx" ? from : to;
  const ends = [row.via, ...(row.reach ?? [])].map((each) => x.get(each)).filter((each) => each !== undefined);
  return ends.map((each) =>
    s("g", { class: "branch" }, s("path", { d: `M${end} ${line}H${each}` }), s("circle", { cx: each, cy: line, r: 3 })),
  );
}

function arrow(from, to, line, row) {
  if (from === to) return s("circle", { class: "arrow dot", cx: from, cy: line, r: 4 });
  const way = Math.sign(to - from);
  const tip = row.lost ? (from + to) / 2 : to;
  const head = row.lost
    ? `M${tip - 4} ${line - 4}l8 8m0 -8l-8 8`
    : `M${tip - 7 * way} ${line - 4}L${tip} ${line}L${tip - 7 * way} ${line + 4}`;
  return s("path", { class: "arrow", d: `M${from} ${line}H${tip}${head}` });
}

/** The text and the note over an arrow, also for screen readers. */
const labelAndNote = (row) => [cut(row.label, 46), cut(row.note.join(" · "), 40)];

const cut = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
