// The page: what is where, and how it hangs together.

import { act } from "./api.js";
import { drawCall } from "./call.js";
import { drawChat } from "./chat.js";
import { drawDetails } from "./details.js";
import { diagram } from "./diagram.js";
import { announce, byId, h, modal, show } from "./dom.js";
import { startForm } from "./forms.js";
import { listen } from "./live.js";
import { changed, forget, learn, model, one, pick, watch } from "./model.js";
import { drawPhones, phones, tick } from "./phones.js";
import { drawStories } from "./stories.js";
import { theme } from "./theme.js";
import { count, drawTrouble } from "./trouble.js";
import { number } from "./words.js";

const TABS = [["chat", "Chat"], ["details", "Details"], ["trouble", "Trouble"], ["stories", "Stories"]];
const VIEWS = [["phones", "Phones"], ["call", "Call"], ["side", "More"]];
const drawDiagram = diagram(byId("diagram"));
let tab = "chat";
let picked = null;

theme(byId("theme"));
byId("start").addEventListener("click", startForm);
byId("ring-in").addEventListener("click", ringIn);
setInterval(tick, 500);

const handset = new URLSearchParams(location.search).get("phone");
if (handset) document.body.dataset.view = "handset";

listen({
  hello(given, anew) {
    if (anew) forget();
    Object.assign(model, given, { up: true });
    document.body.dataset.mode = given.mode;
    document.title = given.mode === "console" ? `Partyline · ${new URL(given.api).host}` : "Partyline · the phone room";
    byId("where").textContent = given.mode === "console" ? given.to : `the phone room on ${given.to}`;
    buildTabs();
    buildViews();
    changed();
  },
  fact: learn,
  ready() {
    model.ready = true;
    changed();
  },
  away() {
    model.up = false;
    changed();
  },
});

watch(() => {
  drawLine();
  if (model.mode === "room") {
    drawPhones();
    drawTrouble();
    drawStories();
    drawBadges();
  }
  if (handset) return;
  drawCall();
  drawDiagram();
  drawChat();
  drawDetails();
  if (model.picked && (model.look || model.picked !== picked)) open("details", model.look);
  model.look = false;
  picked = model.picked;
});

function drawLine() {
  const error = one("api")?.error;
  const line = byId("line");
  const words = !model.up ? "The server is away; asking again every second." : error ? `The API does not answer: ${error}` : "";
  if (line.textContent !== words) line.textContent = words;
  document.body.classList.toggle("is-away", !model.up);
  const wrong = one("violations")?.violations ?? [];
  if (model.up && !error && wrong.length) line.textContent = `This must never happen: ${wrong.at(-1)}`;
}

function drawBadges() {
  const ringing = phones().filter((each) => each.leg?.state === "ringing").length;
  badge("view-phones", ringing);
  badge("tab-trouble-name", count());
}

function badge(id, howMany) {
  const place = byId(id)?.querySelector(".badge");
  if (place && place.textContent !== String(howMany || "")) place.textContent = howMany || "";
}

function buildTabs() {
  const wanted = TABS.filter(([name]) => model.mode === "room" || name === "chat" || name === "details");
  show(
    byId("tabs"),
    wanted.map(([name, label]) =>
      h(
        "button",
        { type: "button", role: "tab", id: `tab-${name}-name`, "aria-controls": `tab-${name}`, onclick: () => open(name), onkeydown: (event) => step(event, wanted, name) },
        label,
        h("span", { class: "badge" }),
      ),
    ),
  );
  open(tab);
}

function step(event, wanted, name) {
  const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!way) return;
  event.preventDefault();
  const at = wanted.findIndex(([each]) => each === name);
  const [next] = wanted[(at + way + wanted.length) % wanted.length];
  open(next);
  byId(`tab-${next}-name`).focus();
}

/** Open a tab; with `look`, on a narrow screen, go to where the tabs are. */
function open(name, look) {
  tab = name;
  for (const [each] of TABS) {
    const button = byId(`tab-${each}-name`);
    byId(`tab-${each}`).hidden = each !== name;
    button?.setAttribute("aria-selected", String(each === name));
    if (button) button.tabIndex = each === name ? 0 : -1;
  }
  if (look && matchMedia("(max-width: 899px)").matches) {
    view("side");
    byId(`tab-${name}`).focus();
  }
}

function buildViews() {
  const wanted = VIEWS.filter(([name]) => model.mode === "room" || name !== "phones");
  show(
    byId("views"),
    wanted.map(([name, label]) =>
      h("button", { type: "button", id: `view-${name}`, onclick: () => view(name) }, label, h("span", { class: "badge" })),
    ),
  );
  if (!handset) view(document.body.dataset.view);
}

function view(name) {
  document.body.dataset.view = name;
  for (const [each] of VIEWS) byId(`view-${each}`)?.setAttribute("aria-current", String(each === name));
  changed();
}

async function ringIn() {
  const known = new Set(phones().map((each) => each.number));
  const free = Array.from({ length: 80 }, (_, nth) => `+131255501${20 + nth}`).find((each) => !known.has(each));
  const field = h("input", { type: "tel", value: free, required: true, autocomplete: "off", id: "ring-in-from" });
  const name = h("input", { value: "", autocomplete: "off", id: "ring-in-name", placeholder: "Somebody" });
  const wrong = h("p", { class: "wrong general", role: "alert" });
  const box = h(
    "dialog",
    { "aria-labelledby": "ring-in-title" },
    h("header", {}, h("h2", { id: "ring-in-title" }, "Ring in"), h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => box.close() }, "×")),
    h(
      "form",
      {
        id: "ring-in-form",
        onsubmit: async (event) => {
          event.preventDefault();
          const phone = field.value.replaceAll(/\s/g, "");
          try {
            if (!known.has(phone)) await act({ do: "person", person: { number: phone, name: name.value.trim(), behaviour: "manual" } });
            await act({ do: "ring_in", phone, to: model.number });
            box.close();
            announce(`Calling from ${number(phone)}`);
          } catch (error) {
            wrong.textContent = error.details[0]?.message ?? error.message;
          }
        },
      },
      h("div", { class: "field" }, h("label", { for: "ring-in-from" }, "From the number"), field),
      h("div", { class: "field" }, h("label", { for: "ring-in-name" }, "Name"), name),
      h("p", { class: "hint" }, `To ${number(model.number)}, Partyline's own number.`),
      wrong,
    ),
    h("footer", {}, h("button", { type: "button", onclick: () => box.close() }, "Cancel"), h("button", { type: "submit", class: "primary", form: "ring-in-form" }, "Call")),
  );
  modal(box);
}

addEventListener("keydown", (event) => {
  if (event.key === "Escape" && model.picked && !document.querySelector("dialog")) pick(null);
});
