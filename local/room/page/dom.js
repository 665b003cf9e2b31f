// Making elements. Text goes in as text only: nothing here, or anywhere on the page, parses markup.

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

/** An HTML element: its attributes (`onclick` and the like are listeners), then what is in it. */
export function h(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** An SVG element. */
export function s(tag, properties, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

export const byId = (id) => document.getElementById(id);

/** Put `children` into `element`; those that are there stay as they are, with their focus. */
export function show(element, ...children) {
  const wanted = children.flat().filter(Boolean);
  const kept = new Set(wanted);
  for (const each of [...element.childNodes]) if (!kept.has(each)) each.remove();
  for (const [nth, each] of wanted.entries()) {
    if (element.childNodes[nth] !== each) element.insertBefore(each, element.childNodes[nth] ?? null);
  }
}

/** Say something to those who listen to the page. */
export function announce(text) {
  byId("said").textContent = text;
}

/** A list of elements that are kept while their key is there, and made anew when they change. */
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
 * Draw, and leave the keyboard where it was in `place`: what is made anew is found by its
 * `data-part`; where it is gone for good, `otherwise` is to have the focus.
 */
export function keepFocus(place, draw, otherwise) {
  const before = place.contains(document.activeElement) ? document.activeElement : null;
  draw();
  if (!before || place.contains(document.activeElement)) return;
  const anew = before.dataset.part && place.querySelector(`[data-part="${CSS.escape(before.dataset.part)}"]`);
  (anew || otherwise())?.focus();
}

/** Show a dialog, at its first field; afterwards the keyboard is where it was before. */
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
