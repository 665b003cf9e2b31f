// Stories: write down what is done here, keep it, and have it done again.

import { tell } from "./api.js";
import { announce, byId, h, show } from "./dom.js";
import { one } from "./model.js";

let wrong = null;

async function does(given, said) {
  try {
    await tell(given);
    announce(said);
    wrong = null;
  } catch (error) {
    wrong = error.message;
    announce(error.message);
  }
  byId("tab-stories").drawn = null;
  drawStories();
}

export function drawStories() {
  const now = one("stories") ?? { recording: false, steps: 0, playing: false, saved: [] };
  const place = byId("tab-stories");
  const played = one("played");
  const signature = JSON.stringify([now, wrong, played]);
  if (place.drawn === signature) return;
  place.drawn = signature;
  const kept = [...place.querySelectorAll("input")].map((each) => [each.name, each.value]);
  show(
    place,
    h("p", { class: "soft" }, "A story is what was done here, and when: it can be played again, and the tests play every saved one."),
    now.recording ? saving(now) : h("button", { type: "button", onclick: () => does({ do: "begin" }, "Writing down") }, "Write a story down"),
    h("p", { class: "wrong", role: "alert" }, wrong ?? played?.error ?? ""),
    h("h3", {}, "Saved"),
    h(
      "ul",
      { class: "saved" },
      now.saved.map((story) =>
        h(
          "li",
          {},
          h("div", {}, h("b", {}, story.name), h("p", { class: "soft" }, story.about)),
          h("button", { type: "button", disabled: now.playing, "aria-label": `Play ${story.name}`, onclick: () => does({ do: "play", name: story.name }, `Playing ${story.name}`) }, now.playing ? "…" : "Play"),
        ),
      ),
      now.saved.length === 0 && h("li", { class: "soft" }, "None yet. Write one down, and it is kept in tests/stories."),
    ),
  );
  for (const [name, value] of kept) {
    const field = place.querySelector(`input[name=${name}]`);
    if (field) field.value = value;
  }
}

function saving(now) {
  return h(
    "form",
    {
      class: "writing",
      onsubmit: (event) => {
        event.preventDefault();
        const { name, about } = event.target.elements;
        does({ do: "save", name: name.value.trim(), about: about.value.trim() }, "Saved");
      },
    },
    h("p", { class: "recording" }, h("i", { class: "dot bad", "aria-hidden": "true" }), `Writing down: ${now.steps} ${now.steps === 1 ? "step" : "steps"} so far`),
    h("label", {}, "Name", h("input", { name: "name", required: true, placeholder: "billie-is-busy", autocomplete: "off" })),
    h("label", {}, "What it is about", h("input", { name: "about", required: true, autocomplete: "off" })),
    h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Save"), h("button", { type: "button", onclick: () => does({ do: "drop" }, "Dropped") }, "Drop")),
  );
}
