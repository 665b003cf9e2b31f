// Stories: record actions, save and replay the recording.

import { storyCommand } from "./api.js";
import { dialog } from "./dialog.js";
import { announce, byId, h, keepFocus, show } from "./dom.js";
import { save } from "./export.js";
import { factOf } from "./model.js";

let wrong = null;

async function run(command, said) {
  try {
    await storyCommand(command);
    announce(said);
    wrong = null;
  } catch (error) {
    wrong = error;
    announce(error.message);
  }
  byId("tab-stories").drawn = null;
  drawStories();
  if (wrong) byId("tab-stories").querySelector("[aria-invalid]")?.focus();
}

/** The server is back: clear the error. */
export function clearServerError() {
  if (wrong?.status === 0) wrong = null;
}

/** The words about the story that plays, or that has been played last. */
function verdict(now, played) {
  if (now.step) return `Playing ${now.step.name}: step ${now.step.number} of ${now.step.count}`;
  if (now.playing || !played?.name || played.error) return "";
  return played.difference ? `${played.name} went another way: ${played.difference}.` : `${played.name} played as saved.`;
}

/** Save a story as a file. */
async function download(name) {
  try {
    const story = await storyCommand({ do: "read", name });
    announce(save(JSON.stringify(story, null, 2), `${name}.json`, "application/json"));
  } catch (error) {
    announce(error.message);
  }
}

const remove = (name) =>
  dialog({
    title: `Delete ${name}`,
    send: "Delete",
    danger: true,
    fields: [h("p", {}, `The file tests/stories/${name}.json is deleted.`)],
    run: () => storyCommand({ do: "delete", name }),
    sent: () => announce("Deleted"),
  });

export function drawStories() {
  const now = factOf("stories") ?? { recording: false, steps: 0, playing: false, saved: [] };
  const place = byId("tab-stories");
  const played = factOf("played");
  const signature = JSON.stringify([now, wrong?.message, played]);
  if (place.drawn === signature) return;
  place.drawn = signature;
  const kept = [...place.querySelectorAll("input")].map((each) => [each.name, each.value]);
  keepFocus(place, () => draw(place, now, played, kept), () => place.querySelector("input") ?? place.querySelector("button"));
}

function draw(place, now, played, kept) {
  const atField = now.recording && wrong?.details.length;
  show(
    place,
    h("p", { class: "soft" }, "A story records your actions and their times. You can play it again, and the tests play every saved story."),
    now.recording ? saveForm(now, atField ? wrong.message : "") : h("button", { type: "button", "data-part": "begin", onclick: () => run({ do: "begin" }, "Recording") }, "Record a story"),
    h("p", { class: "wrong", role: "alert" }, atField ? "" : (wrong?.message ?? played?.error ?? "")),
    h("p", { class: played?.difference && !now.playing ? "wrong verdict" : "soft verdict", role: "status" }, verdict(now, played)),
    h("h3", {}, "Saved"),
    h(
      "ul",
      { class: "saved" },
      now.saved.map((story) =>
        h(
          "li",
          {},
          h("div", {}, h("b", {}, story.name), h("p", { class: "soft" }, story.about)),
          h("button", { type: "button", "data-part": `play-${story.name}`, "aria-disabled": String(now.playing), "aria-label": `Play ${story.name}`, onclick: () => !now.playing && run({ do: "play", name: story.name }, `Playing ${story.name}`) }, now.playing ? "…" : "Play"),
          h("button", { type: "button", class: "quiet small", "data-part": `file-${story.name}`, "aria-label": `Save ${story.name} as a file`, title: "Save as a file", onclick: () => download(story.name) }, "↓"),
          h("button", { type: "button", class: "quiet small", "data-part": `delete-${story.name}`, "aria-label": `Delete ${story.name}`, title: "Delete", onclick: () => remove(story.name) }, "×"),
        ),
      ),
      now.saved.length === 0 && h("li", { class: "soft" }, "No story yet. A recorded story is kept in tests/stories."),
    ),
  );
  for (const [name, value] of kept) {
    const field = place.querySelector(`input[name=${name}]`);
    if (field) field.value = value;
  }
}

function saveForm(now, fault) {
  return h(
    "form",
    {
      class: "writing",
      onsubmit: (event) => {
        event.preventDefault();
        const { name, about } = event.target.elements;
        run({ do: "save", name: name.value.trim(), about: about.value.trim() }, "Saved");
      },
    },
    h("p", { class: "recording" }, h("i", { class: "dot bad", "aria-hidden": "true" }), `Recording: ${now.steps} ${now.steps === 1 ? "step" : "steps"} so far`),
    h(
      "div",
      { class: "field" },
      h("label", { for: "story-name" }, "Name"),
      h("input", { name: "name", id: "story-name", "data-part": "name", required: true, placeholder: "billie-is-busy", autocomplete: "off", "aria-describedby": "wrong-story", "aria-invalid": fault ? "true" : null }),
      h("p", { class: "wrong", id: "wrong-story" }, fault),
    ),
    h("div", { class: "field" }, h("label", { for: "story-about" }, "What it is about"), h("input", { name: "about", id: "story-about", "data-part": "about", required: true, autocomplete: "off" })),
    h("div", { class: "actions" }, h("button", { type: "submit", class: "primary", "data-part": "save" }, "Save"), h("button", { type: "button", "data-part": "drop", onclick: () => run({ do: "drop" }, "Discarded") }, "Discard")),
  );
}
