// The page: connects the stream, the panels and the tabs.

import { readAddress, writeAddress } from "./address.js";
import { openConversation } from "./api.js";
import { drawCall, tickCall } from "./call.js";
import { drawChat } from "./chat.js";
import { drawDetails } from "./details.js";
import { diagram } from "./diagram.js";
import { drawDirectory } from "./directory.js";
import { announce, byId, h, isNarrow, show } from "./dom.js";
import { ringInForm, startForm } from "./forms.js";
import { conversationList, drawListButton, listButton } from "./list.js";
import { listenToKeys } from "./keys.js";
import { listen } from "./live.js";
import { changed, choose, clearFacts, addFact, model, factOf, pick, watch } from "./model.js";
import { drawPhones, onlyPhone, phoneButtons, phones, ringing, tick } from "./phones.js";
import { drawReport } from "./report.js";
import { remember, remembered } from "./prefs.js";
import { keepScroll, restoreScroll } from "./scroll.js";
import { playSounds, soundButton } from "./sound.js";
import { clearServerError, drawStories } from "./stories.js";
import { theme } from "./theme.js";
import { countFaults, drawTrouble } from "./trouble.js";
import { began, number } from "./words.js";

const TABS = [["chat", "Chat"], ["details", "Details"], ["trouble", "Trouble"], ["stories", "Stories"], ["report", "Report"], ["directory", "Numbers"]];
const TABS_OF = { room: ["chat", "details", "report", "trouble", "stories", "directory"], console: ["chat", "details", "report", "directory"] };
const VIEWS = [["phones", "Phones"], ["call", "Call"], ["side", "More"]];
const drawDiagram = diagram(byId("diagram"));
let tab = remembered("tab") ?? "chat";
let picked = null;

/** A reload of the picked row's address keeps the tab; the same address in another window opens the details. */
let isReload = remembered("tab") !== null && location.hash.includes("/r/");
let opened = null;
let pageTitle = "Partyline";
let newSince = "";

theme(byId("theme"));
soundButton(byId("sound"));
keepScroll();
listenToKeys();
phoneButtons(byId("hide-idle"), byId("gone"));
document.querySelector(".skip").addEventListener("click", skip);
byId("start").addEventListener("click", startForm);
byId("ring-in").addEventListener("click", ringInForm);
byId("close-call").addEventListener("click", () => choose(null));
listButton(byId("list-button"), byId("list"), conversationList(byId("list")));
setInterval(() => {
  tick();
  tickCall();
}, 500);
readAddress();

const handset = onlyPhone;
if (handset) byId("no-phone").firstElementChild.textContent = `There is no phone ${number(handset)}`;
if (handset) document.body.dataset.view = "handset";

listen({
  hello(greeting, anew) {
    if (anew) clearFacts();
    if (anew && model.mode) {
      newSince = `a new stack since ${began(new Date().toISOString())}; the calls before are gone`;
      document.querySelector("dialog")?.close();
    }
    Object.assign(model, greeting, { up: true });
    const isConsole = greeting.mode === "console";
    document.body.dataset.mode = greeting.mode;
    pageTitle = isConsole ? `Partyline · ${new URL(greeting.api).host}` : "Partyline · the phone room";
    byId("where").textContent = isConsole ? greeting.to : ["the phone room on", greeting.to, greeting.number && `· ${number(greeting.number)}`, newSince && `· ${newSince}`].filter(Boolean).join(" ");
    byId("stage").textContent = [greeting.stage, greeting.readOnly && "read-only"].filter(Boolean).join(" · ");
    byId("start").hidden = Boolean(greeting.readOnly);
    byId("list").hidden = !isConsole;
    opened = null;
    if (!TABS_OF[greeting.mode].includes(tab)) tab = "chat";
    if (isConsole && !model.chosen) tab = "directory";
    byId("sound").hidden = isConsole;
    buildTabs();
    buildViews();
    clearServerError();
    for (const each of document.querySelectorAll("[data-away]")) each.textContent = "";
    changed();
  },
  fact: addFact,
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
  drawTitle();
  if (model.mode === "room") {
    drawPhones();
    drawTrouble();
    drawStories();
    drawDirectory();
    drawBadges();
    playSounds();
  } else if (model.mode) {
    drawDirectory();
    openChosen();
  }
  if (handset) return;
  drawCall();
  drawListButton();
  drawDiagram();
  drawChat();
  drawDetails();
  drawReport();
  if (model.picked && (model.look || model.picked !== picked)) {
    if (!isReload) open("details", model.look);
    isReload = false;
  }
  model.look = false;
  picked = model.picked;
  restoreScroll();
  if (model.ready) writeAddress();
});

/** Go to the call without a change of the address, which names the conversation. */
function skip(event) {
  event.preventDefault();
  if (isNarrow()) view("call");
  byId("call-title").focus();
}

/** Let the server read the chosen conversation: the list has no timelines. */
function openChosen() {
  if (!model.ready || opened === model.chosen) return;
  opened = model.chosen;
  if (opened && tab === "directory") open("chat");
  if (isNarrow() && opened) view("call");
  if (opened) openConversation(opened).catch((error) => announce(error.message));
}

function drawTitle() {
  const rings = model.mode === "room" ? ringing() : "";
  const own = handset ? `${number(handset)} · ${pageTitle}` : pageTitle;
  const words = rings ? `${rings} · ${own}` : own;
  if (document.title !== words) document.title = words;
}

function drawLine() {
  const error = factOf("api")?.error;
  const line = byId("line");
  const words = !model.up ? "The server is away; asking again every second." : error ? error : "";
  if (line.textContent !== words) line.textContent = words;
  document.body.classList.toggle("is-away", !model.up);
  const wrong = factOf("violations")?.violations ?? [];
  if (model.up && !error && wrong.length) line.textContent = `This must never happen: ${wrong.at(-1)}`;
}

function drawBadges() {
  const ringing = phones().filter((each) => each.leg?.state === "ringing").length;
  badge("view-phones", ringing);
  badge("tab-trouble-name", countFaults());
}

function badge(id, howMany) {
  const place = byId(id)?.querySelector(".badge");
  if (place && place.textContent !== String(howMany || "")) place.textContent = howMany || "";
}

function buildTabs() {
  const wanted = TABS.filter(([name]) => TABS_OF[model.mode].includes(name));
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

/** Open a tab; with `look`, a narrow screen goes to the tabs' view. */
function open(name, look) {
  tab = name;
  remember("tab", tab);
  for (const [each] of TABS) {
    const button = byId(`tab-${each}-name`);
    byId(`tab-${each}`).hidden = each !== name;
    button?.setAttribute("aria-selected", String(each === name));
    if (button) button.tabIndex = each === name ? 0 : -1;
  }
  if (look && isNarrow()) {
    view("side");
    byId(`tab-${name}`).focus();
  }
}

function buildViews() {
  const wanted = model.mode === "room" ? VIEWS : [["list", "Conversations"], ...VIEWS.slice(1)];
  show(
    byId("views"),
    wanted.map(([name, label]) =>
      h("button", { type: "button", id: `view-${name}`, onclick: () => view(name) }, label, h("span", { class: "badge" })),
    ),
  );
  if (!handset) view(model.mode === "console" && document.body.dataset.view === "call" && !model.chosen ? "list" : document.body.dataset.view);
}

function view(name) {
  document.body.dataset.view = name;
  for (const [each] of [["list"], ...VIEWS]) byId(`view-${each}`)?.setAttribute("aria-current", String(each === name));
  changed();
}

addEventListener("keydown", (event) => {
  if (event.key === "Escape" && model.picked && !document.querySelector("dialog")) pick(null);
});
