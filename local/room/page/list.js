// The list of conversations. Only the visible rows are drawn, so the list carries thousands.

import { addressOf } from "./address.js";
import { sendToApi } from "./api.js";
import { announce, byId, h, keyed, show } from "./dom.js";
import { download } from "./export.js";
import { callMinutes, estimatedCents } from "./cost.js";
import { columns, counts, find, FILTERS } from "./find.js";
import { addFact, conversations, factOf, factsOf, model, watch } from "./model.js";
import { keepPreference, preference } from "./prefs.js";
import { tone } from "./words.js";

/** The heights of a row in a wide list and in a narrow list; the styles have the same numbers. */
const ROW = 36;
const NARROW_ROW = 52;
const NARROW = 640;
const SPARE = 6;
const COLUMNS = [["name", "Caller"], ["status", "Status"], ["people", "On the line"], ["lasted", "Time"], ["began", "Began"], ["why", "Why"]];

/** Make the list in `element`; returns the function that draws the list again. */
export function conversationList(element) {
  let filter = preference("filter", "all");
  let text = "";
  let found = [];
  const search = h("input", { type: "search", "aria-label": "Search the conversations", placeholder: "Name, number, id, metadata", autocomplete: "off", oninput: () => { text = search.value; top(); } });
  const filters = h("div", { class: "list-filters", role: "group", "aria-label": "Filter" });
  const body = h("div", { class: "list-rows", role: "rowgroup" });
  const head = h("div", { class: "list-head", role: "rowgroup" }, h("div", { role: "row", class: "list-row" }, COLUMNS.map(([name, label]) => h("span", { role: "columnheader", class: `at-${name}` }, label))));
  const scroll = h("div", { class: "list-scroll", tabindex: "0", role: "table", "aria-label": "Conversations" }, head, body);
  const total = h("p", { class: "list-total soft", role: "status" });
  const tools = h("div", { class: "list-tools" }, total, h("span", {}, h("button", { type: "button", class: "quiet small older", onclick: readOlder }, "Older"), ["csv", "json"].map((kind) => h("button", { type: "button", class: "quiet small", title: `Save the ${kind.toUpperCase()} of the found conversations`, onclick: () => announce(download(found, kind)) }, kind.toUpperCase()))));
  element.append(h("div", { class: "list-top" }, search, filters), scroll, tools);

  for (const [name, label] of FILTERS) {
    filters.append(h("button", { type: "button", class: "filter", "data-filter": name, "aria-pressed": String(name === filter), onclick: () => choose(name) }, label, h("span", { class: "many" })));
  }

  function choose(name) {
    filter = name;
    keepPreference("filter", name);
    for (const button of filters.children) button.setAttribute("aria-pressed", String(button.dataset.filter === name));
    if (name === "scheduled") readBookings();
    top();
  }

  /** Read the scheduled starts: no change of a conversation tells of a booking. */
  async function readBookings() {
    const { conversations: found } = await sendToApi("GET", "/conversations?status=scheduled&limit=50").catch(() => ({ conversations: [] }));
    for (const booking of found) addFact("scheduled", booking.id, booking);
  }

  let cursor = "";

  /** Read the page of conversations that are older than those of the pages so far. */
  async function readOlder(event) {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      const ask = () => sendToApi("GET", `/conversations?limit=50${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      const first = cursor ? null : await ask(); // the newest page, which is in the list already
      if (first) cursor = first.next_cursor;
      const page = cursor ? await ask() : first;
      for (const row of page.conversations) addFact("row", row.id, row);
      cursor = page.next_cursor;
      button.hidden = !cursor;
      announce(cursor ? "Older conversations are in the list" : "These are all conversations");
    } catch (error) {
      announce(error.message);
    }
    button.disabled = false;
  }

  function top() {
    scroll.scrollTop = 0;
    draw();
  }

  function draw() {
    if (!element.offsetParent) return; // the list is closed
    const now = Date.now();
    const all = [...conversations(), ...factsOf("scheduled").map(([, booking]) => booking)];
    const many = counts(all, now);
    for (const button of filters.children) {
      const words = ` ${many.get(button.dataset.filter)}`;
      if (button.lastChild.textContent !== words) button.lastChild.textContent = words;
    }
    const booked = filter === "scheduled";
    found = find(booked ? all : all.filter(({ start_at: at }) => !at), filter, text, now);
    const known = factOf("poll");
    const sum = (of) => found.reduce((total, conversation) => total + of(conversation, now), 0);
    const spent = Math.round(sum(callMinutes));
    const people = found.reduce((total, { status, participants = [] }) => total + (status === "active" ? participants.filter((person) => person.status === "joined").length : 0), 0);
    const words = `${found.length} of ${all.length} shown, ${people} ${people === 1 ? "person" : "people"} on the line, ${spent} call ${spent === 1 ? "minute" : "minutes"}, about ${(sum(estimatedCents) / 100).toFixed(2)} USD (an estimate)${known?.more ? `, and more at the stack than the ${known.limit} newest live conversations` : ""}`;
    if (total.textContent !== words) total.textContent = words;
    rows(now);
  }

  /** Draw the rows in the visible part, and a few more. */
  function rows(now) {
    const tall = element.clientWidth > NARROW ? ROW : NARROW_ROW;
    const from = Math.max(0, Math.floor(scroll.scrollTop / tall) - SPARE);
    const to = Math.min(found.length, Math.ceil((scroll.scrollTop + scroll.clientHeight) / tall) + SPARE);
    body.style.height = `${found.length * tall}px`;
    scroll.setAttribute("aria-rowcount", found.length + 1);
    keyed(
      body,
      found.slice(from, to).map((conversation, nth) => {
        const shown = columns(conversation, now);
        const current = conversation.id === model.chosen;
        return [conversation.id, JSON.stringify([shown, from + nth, current, tall]), { conversation, shown, nth: from + nth, current, tall }];
      }),
      line,
    );
  }

  scroll.addEventListener("scroll", () => rows(Date.now()));
  new ResizeObserver(draw).observe(scroll);
  setInterval(draw, 1000);
  watch(draw);
  return draw;
}

function line({ conversation, shown, nth, current, tall }) {
  const cell = (name) =>
    h("span", { role: "cell", class: `at-${name}`, title: shown[name] || null }, name === "name" && conversation.start_at ? booking(conversation) : name === "name" ? h("a", { href: addressOf(conversation.id), "data-part": `show-${conversation.id}`, "aria-current": current ? "true" : null }, h("bdi", {}, shown.name))
      : name === "status" ? [h("i", { class: `dot ${tone(shown.status)}`, "aria-hidden": "true" }), shown.status]
      : shown[name]);
  const row = h("div", { role: "row", class: `list-row ${tone(shown.status)} ${current ? "current" : ""}`, "aria-rowindex": nth + 2 }, COLUMNS.map(([name]) => cell(name)));
  row.style.top = `${nth * tall}px`;
  return row;
}

/** A scheduled start has no events yet, but can be cancelled. */
const booking = ({ id, status }) => [
  h("code", { title: id }, id.slice(0, 8)), " ",
  status === "scheduled" && !model.readOnly && h("button", { type: "button", class: "small", "aria-label": `Cancel ${id}`, onclick: () => cancel(id) }, "Cancel"),
];

async function cancel(id) {
  try {
    await sendToApi("POST", `/conversations/${id}/stop`, {});
    addFact("scheduled", id, { ...factOf("scheduled", id), status: "cancelled" });
    announce("Cancelled");
  } catch (error) {
    announce(error.message);
  }
}

/** The button that opens and closes the list in the room, with a badge for what is new. */
export function listButton(button, panel, draw) {
  const open = (isOpen) => {
    panel.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) draw();
  };
  button.addEventListener("click", () => open(panel.hidden));
  panel.addEventListener("click", (event) => event.target.closest("a") && open(false));
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    open(false);
    button.focus();
  });
}

const noticed = new Set();
let isBegun = false;

/** Say how many conversations are live, and how many failed since the page was opened or last looked at. */
export function drawListButton() {
  const all = conversations();
  for (const { id, status } of all) if (status === "failed" && (!isBegun || id === model.chosen)) noticed.add(id);
  isBegun = model.ready;
  const live = all.filter(({ status }) => status === "active" || status === "connecting" || status === "stopping").length;
  const failed = all.filter(({ status, id }) => status === "failed" && !noticed.has(id)).length;
  show(byId("list-badges"), h("span", {}, all.length), live > 1 && h("span", { class: "pill good" }, `${live} live`), failed > 0 && h("span", { class: "pill bad" }, `${failed} failed`));
}
