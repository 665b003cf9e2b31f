// The live sequence diagram of a conversation.

import { h, keyed, s } from "./dom.js";
import { firstScreen } from "./first.js";
import { labelAndNote, NAMES } from "./labels.js";
import { chosen, factsOf, isOver, model, factOf, pick } from "./model.js";
import { keepPreference, preference } from "./prefs.js";
import { lanes, rows } from "./rows.js";
import { drawStory } from "./storyview.js";
import { cut, GAP_MS, moment, pause, since } from "./words.js";

const KINDS = [
  ["request", "Requests"], ["webhook", "Webhooks"], ["command", "Commands"],
  ["table", "Table"], ["event", "Events"], ["voice", "Voices"],
];
const GUTTER = { least: 62, around: 22, letter: 6.6 };
const ROW = 34;
const MARGIN = 12;
const LEAST = 0.9;
const MOST = 1.6;
const END = 28;
const APART = 8;
const NARROW = 560;

const VIEWS = [["story", "Story"], ["all", "Diagram"]];

/** Writes to the table and events follow from the rest, so they are hidden until the user wants them. */
const hidden = new Set(preference("hidden", ["table", "event"]));
let gutter = GUTTER.least;

/** Make the diagram in `element` and return the function that draws the diagram again. */
export function diagram(element) {
  const ways = h("div", { class: "ways", role: "group", "aria-label": "View" });
  const kinds = h("div", { class: "kinds", role: "group", "aria-label": "What is shown" });
  const more = h("button", { class: "quiet small more", type: "button", hidden: true, onclick: () => scroll.scrollTo({ left: scroll.scrollWidth }) });
  const filters = h("div", { class: "filters" }, ways, kinds, more);
  const lost = h("p", { class: "lost soft", hidden: true }, "The beginning of this conversation is no longer kept.");
  const told = h("ol", { class: "story", "aria-label": "Story of the conversation" });
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
  element.append(filters, lost, told, scroll, empty, below);
  let current = [];
  let following = true;
  let shown = null;
  let way = preference("view", "story");
  let legsSeen = 0;

  for (const [name, label] of VIEWS) {
    ways.append(h("button", { type: "button", class: "way", "aria-pressed": String(name === way), onclick: () => show(name) }, label));
  }

  function show(name) {
    way = name;
    keepPreference("view", name);
    for (const [nth, [each]] of VIEWS.entries()) ways.children[nth].setAttribute("aria-pressed", String(each === name));
    following = true;
    draw();
  }

  for (const [kind, name] of KINDS) {
    const toggle = h("button", { type: "button", class: `kind ${kind}`, "aria-pressed": String(!hidden.has(kind)) }, name);
    toggle.addEventListener("click", () => {
      if (!hidden.delete(kind)) hidden.add(kind);
      keepPreference("hidden", [...hidden]);
      toggle.setAttribute("aria-pressed", String(!hidden.has(kind)));
      draw();
    });
    kinds.append(toggle);
  }
  told.addEventListener("scroll", () => {
    following = told.scrollTop + told.clientHeight >= told.scrollHeight - ROW;
  });
  scroll.addEventListener("scroll", () => {
    scroll.style.setProperty("--left", `${scroll.scrollLeft}px`);
    countHidden();
    following = scroll.scrollTop + scroll.clientHeight >= scroll.scrollHeight - ROW;
    below.hidden = following;
  });
  new ResizeObserver(draw).observe(scroll);

  function toEnd() {
    scroll.scrollTo({ top: scroll.scrollHeight });
  }

  /** The lifelines of legs that are right of the visible part. */
  function countHidden() {
    const right = scroll.scrollLeft + scroll.clientWidth;
    const beyond = [...heads.querySelectorAll(".leg")].filter((leg) => Number(leg.dataset.x) > right).length;
    more.hidden = way !== "all" || !beyond;
    more.textContent = beyond ? `${beyond} more →` : "";
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
    const tells = way === "story";
    filters.hidden = !view;
    kinds.hidden = tells || model.mode !== "room";
    scroll.hidden = !view || tells;
    told.hidden = !view || !tells;
    empty.hidden = Boolean(view);
    if (!view || tells) more.hidden = below.hidden = true;
    lost.hidden = !view || !isBeginningLost(view);
    if (!view) {
      firstScreen(empty);
      return;
    }
    if (shown !== model.chosen) {
      shown = model.chosen;
      following = true;
    }
    const found = rows(view);
    if (model.address) pickAddressed(found);
    const first = isBeginningLost(view) ? moment(view.conversation.created_at) : (found[0]?.at ?? 0);
    model.zero = first;
    if (tells) {
      drawStory(told, view, found, first, draw);
      if (following && !model.picked && !isOver(view.conversation)) told.scrollTo({ top: told.scrollHeight });
      return;
    }
    const across = lanes(view, found, hidden, scroll.clientWidth < NARROW);
    current = model.mode === "room" ? found.filter((row) => !hidden.has(row.kind)) : found;
    const tops = topsOf(current);
    // The last time has the longest text.
    gutter = Math.max(GUTTER.least, GUTTER.around + GUTTER.letter * since((current.at(-1)?.at ?? 0) - first).length);
    const [x, scale, whole] = places(across, scroll.clientWidth);
    const height = (tops.at(-1) ?? -ROW) + ROW + END;
    for (const svg of [heads, picture]) svg.setAttribute("width", whole);
    heads.setAttribute("height", 46);
    picture.setAttribute("height", height);
    keyed(
      heads,
      across.map((lane) => [lane.id, `${lane.label}|${lane.under}|${x.get(lane.id)}|${scale}`, lane]),
      (lane) => head(lane, x.get(lane.id), lane.wide * scale),
    );
    life.replaceChildren(...across.map((lane) => lifeline(lane, x.get(lane.id), current, tops, height)));
    keyed(
      body,
      current.map((row, nth) => [
        row.key,
        [tops[nth], whole, gutter, x.size, row.label, row.note.join(), row.bad, row.odd, row.quiet, row.via, row.from, row.to, (row.reach ?? []).join(), first, row.key === model.picked?.key].join("|"),
        { row, top: tops[nth], gap: nth ? row.at - current[nth - 1].at : 0 },
      ]),
      ({ row, top, gap }, before) => drawRow(row, top, gap, x, whole, first, before),
    );
    picture.setAttribute("aria-activedescendant", model.picked ? `row-${model.picked.key}` : "");
    if (following) toEnd();
    const legs = across.filter(({ leg }) => leg).length;
    if (legs > legsSeen && following) scroll.scrollLeft = scroll.scrollWidth; // the newest leg
    legsSeen = legs;
    countHidden();
  }

  return draw;
}

/** Pick the row that the page's address names. */
function pickAddressed(found) {
  const row = found.find(({ key }) => key === model.address);
  if (!row) return;
  model.address = null;
  pick(row, true);
}

/** Whether the first facts of a conversation were dropped, because the room keeps the newest only. */
const isBeginningLost = ({ conversation }) => {
  const kept = factOf("kept");
  return Boolean(kept && moment(conversation.created_at) <= moment(kept.since) && factsOf("transaction").every(([, fact]) => fact.conversation !== conversation.id || fact.version !== 1));
};

/** The y position of each row. A gap in time takes the place of a row. */
function topsOf(current) {
  let top = -ROW;
  return current.map((row, nth) => (top += nth && row.at - current[nth - 1].at >= GAP_MS ? 2 * ROW : ROW));
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
    { transform: `translate(${x} 0)`, class: lane.leg ? "head leg" : "head", "data-x": x },
    s("title", {}, lane.label),
    s("text", { y: 20, class: "name" }, lane.leg ? cutToWidth(lane.label, width - APART) : lane.label),
    s("text", { y: 36, class: "under" }, cutToWidth(lane.under, width - 2, "400 11px")),
  );
}

const measuring = document.createElement("canvas").getContext("2d");

/** The part of a name that fits into the width of a lifeline's head. */
function cutToWidth(text, width, font = "600 13px") {
  measuring.font = `${font} ui-sans-serif, system-ui, sans-serif`;
  let length = text.length;
  while (length > 1 && measuring.measureText(cut(text, length)).width > width) length--;
  return cut(text, length);
}

function lifeline(lane, x, current, tops, height) {
  if (!lane.leg) return s("line", { class: "lifeline", x1: x, x2: x, y1: 0, y2: height });
  const y = (at, otherwise) => {
    if (!at) return otherwise;
    const nth = current.findIndex((row) => row.at >= at);
    return nth < 0 ? otherwise : tops[nth] + 8;
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
    lane.to && lane.end && s("text", { class: "ending", x, y: to + 13 }, lane.end),
  );
}

function drawRow(row, y, gap, x, whole, first, before) {
  const from = x.get(row.from) ?? x.get("us");
  const to = x.get(row.to) ?? x.get("us");
  const line = y + 25;
  const selected = row.key === model.picked?.key;
  const classes = ["row", row.kind, row.bad && "bad", row.odd && "odd", row.quiet && "quiet", before ? "" : "new"];
  const words = label(row, from, to, y, whole, x.has("table"));
  const later = gap >= GAP_MS && `${pause(gap)} later`;
  const name = [later, ...labelAndNote(row), since(row.at - first)].filter(Boolean).join(" ");
  const node = s(
    "g",
    {
      id: `row-${row.key}`, class: classes.filter(Boolean).join(" "), role: "option", "aria-selected": String(selected),
      "aria-label": `${name} (${NAMES.get(row.kind)})`,
      onclick: () => pick(row, true),
    },
    later && s("text", { class: "gap", x: whole / 2, y: y - 12 }, later),
    later && " ",
    s("rect", { class: "band", x: 0, y, width: whole, height: ROW }),
    ...branches(row, x, from, to, line),
    arrow(from, to, line, row),
    words,
    " ",
    s("g", { class: "when" }, s("rect", { x: 0, y, width: gutter - 6, height: ROW }), s("text", { class: "time", x: gutter - 12, y: y + 28, "text-anchor": "end" }, since(row.at - first))),
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
