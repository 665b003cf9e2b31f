// The contacts of a route: whom the assistant may call in. A new or changed contact takes effect at once.

import { sendToApi } from "./api.js";
import { announce, h, show } from "./dom.js";
import { model } from "./model.js";
import { number } from "./words.js";

const path = (route) => `/routes/${encodeURIComponent(route)}`;

/** Change the contacts of a route as it is now at the stack; `make` makes a missing default route. */
export async function changeContacts(route, change, make) {
  const found = await sendToApi("GET", path(route)).catch((error) => {
    if (error.status === 404 && make) return make;
    throw error;
  });
  const { number: _number, warnings: _warnings, changed_at: _at, changed_by: _by, ...settings } = found;
  return sendToApi("PUT", path(route), { ...settings, contacts: change({ ...settings.contacts }) });
}

/** The contacts of a route as a table, with a form to add a contact. */
export function contactsOf(route) {
  const place = h("div", { class: "contacts" });
  draw(place, route.number, route.contacts ?? {});
  return place;
}

const numbersOf = ({ to }) => (Array.isArray(to) ? to : [to]).map(number).join(", ");

function draw(place, route, contacts) {
  const names = Object.keys(contacts).sort((first, second) => first.localeCompare(second));
  const wrong = h("p", { class: "wrong", role: "alert" });
  const edit = async (change, said) => {
    try {
      const stored = await changeContacts(route, change);
      draw(place, route, stored.contacts ?? {});
      announce(said);
    } catch (error) {
      wrong.textContent = [error.message, ...error.details.map(({ message }) => message)].join(" ");
    }
  };
  show(
    place,
    names.length ? table(names, contacts, edit) : h("p", { class: "soft" }, "The route has no contact: the assistant can call nobody in by name."),
    !model.readOnly && form(edit),
    wrong,
  );
}

function table(names, contacts, edit) {
  const remove = (name) => edit((known) => {
    delete known[name];
    return known;
  }, `${name} is removed`);
  const line = (name) => h("tr", {},
    h("th", { scope: "row" }, h("bdi", {}, name)),
    h("td", {}, numbersOf(contacts[name])),
    !model.readOnly && h("td", {}, h("button", { type: "button", class: "quiet small", "aria-label": `Remove ${name}`, onclick: () => remove(name) }, "×")));
  return h("table", { class: "legs" }, h("thead", {}, h("tr", {}, ["Contact", "Number", !model.readOnly && ""].filter((text) => text !== false).map((text) => h(text ? "th" : "td", text ? { scope: "col" } : {}, text)))), h("tbody", {}, names.map(line)));
}

/** The form to add a contact. A name that exists gets the new number and keeps its other settings. */
function form(edit) {
  const name = h("input", { name: "name", "aria-label": "Contact's name", placeholder: "billing", autocomplete: "off", required: true });
  const to = h("input", { name: "to", type: "tel", "aria-label": "Contact's number", placeholder: "+13125550142", autocomplete: "off", required: true });
  const save = (event) => {
    event.preventDefault();
    const numbers = to.value.split(",").map((text) => text.replaceAll(/[\s()-]/g, "")).filter(Boolean);
    const wanted = name.value.trim();
    edit((known) => ({ ...known, [wanted]: { ...known[wanted], to: numbers.length > 1 ? numbers : (numbers[0] ?? "") } }), `${wanted} is saved`);
  };
  return h("form", { class: "new-contact", onsubmit: save }, name, to, h("button", { type: "submit" }, "Save"));
}
