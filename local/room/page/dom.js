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

/** Put `children` into `element`, unless it holds just these already. */
export function show(element, ...children) {
  const wanted = children.flat().filter(Boolean);
  const same =
    element.childNodes.length === wanted.length &&
    wanted.every((each, nth) => element.childNodes[nth] === each);
  if (!same) element.replaceChildren(...wanted);
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
