// A reload keeps the places to which the story, the diagram and the tabs are scrolled.

import { model } from "./model.js";
import { remember, remembered } from "./prefs.js";

const PLACES = ".story, .diagram > .scroll, .tab, .handsets, .list-scroll";

/** How long after a load the content may still come. */
const LATE_MS = 4000;

const nameOf = (place) => place.id || place.classList[0];

let wanted = remembered("scroll");
const until = performance.now() + LATE_MS;

/** Keep each scroll of the user from now on. */
export function keepScroll() {
  addEventListener("scroll", ({ target }) => {
    if (wanted || !target.matches?.(PLACES)) return;
    const kept = remembered("scroll");
    const tops = kept?.conversation === model.chosen ? kept.tops : {};
    remember("scroll", { conversation: model.chosen, tops: { ...tops, [nameOf(target)]: target.scrollTop } });
  }, true);
  for (const act of ["wheel", "pointerdown", "keydown"]) addEventListener(act, () => (wanted = null), { capture: true, passive: true });
}

/** Scroll to the kept places. A place whose content has not come yet is scrolled at the next drawing. */
export function restoreScroll() {
  if (!wanted || !model.ready) return;
  if (wanted.conversation !== model.chosen || performance.now() > until) {
    wanted = null;
    return;
  }
  for (const place of document.querySelectorAll(PLACES)) {
    const top = wanted.tops[nameOf(place)];
    if (top === undefined || !place.offsetParent) continue;
    place.scrollTop = top;
    if (Math.abs(place.scrollTop - top) < 2) delete wanted.tops[nameOf(place)];
  }
  if (!Object.keys(wanted.tops).length) wanted = null;
}
