// Makes elements. Text is inserted as text only: the page never parses markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in DIRECT) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((each) => each !== null && each !== undefined && each !== false));
  return element;
}

const DIRECT = { value: 1, checked: 1, disabled: 1, hidden: 1, selected: 1 };

/** Make an HTML element: its attributes (`onclick` and the like are listeners), its children. */
export function h(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** Make an SVG element. */
export function s(tag, properties, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

/** Whether the window shows one panel at a time, as the styles have it. */
export const isNarrow = () => matchMedia("(max-width: 899px), (max-width: 1180px) and (max-height: 760px)").matches;

export const byId = (id) => document.getElementById(id);

/** Make `children` the children of `element`; present children stay, with their focus. */
export function show(element, ...children) {
  const wanted = children.flat().filter(Boolean);
  const kept = new Set(wanted);
  for (const each of [...element.childNodes]) if (!kept.has(each)) each.remove();
  for (const [nth, each] of wanted.entries()) {
    if (element.childNodes[nth] !== each) element.insertBefore(each, element.childNodes[nth] ?? null);
  }
}

/** Announce a text to screen readers. */
export function announce(text) {
  byId("said").textContent = text;
}

/** Draw a list: an element is kept while its key exists, and made again when it changes. */
export function keyed(element, entries, make) {
  const known = element.known ?? new Map();
  const next = new Map();
  for (const [key, signature, value] of entries) {
    const before = known.get(key);
    const node = before && before.signature === signature ? before.node : make(value, before?.node);
    next.set(key, { signature, node });
  }
  element.known = next;
  show(element, [...next.values()].map((each) => each.node));
}

/**
 * Draw and keep the focus in `place`: a replaced element is found by its `data-part`. When the
 * element no longer exists, `otherwise` gets the focus.
 */
export function keepFocus(place, draw, otherwise) {
  const before = place.contains(document.activeElement) ? document.activeElement : null;
  draw();
  if (!before || place.contains(document.activeElement)) return;
  const anew = before.dataset.part && place.querySelector(`[data-part="${CSS.escape(before.dataset.part)}"]`);
  (anew || otherwise())?.focus();
}

/** Show a dialog with the focus on its first field, and restore the focus afterwards. */
export function modal(box) {
  const from = document.activeElement;
  const first = box.querySelector("form :is(input, select, textarea)") ?? box.querySelector("footer button");
  first.autofocus = true;
  box.addEventListener("close", () => {
    box.remove();
    const anew = from?.dataset?.part && document.querySelector(`[data-part="${CSS.escape(from.dataset.part)}"]`);
    if (!from?.isConnected) (anew || document.querySelector("[data-part=invite]"))?.focus();
  });
  document.body.append(box);
  box.showModal();
  first.select?.();
}
