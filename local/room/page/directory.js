// The numbers of a stack: the routes of inbound calls with their contacts, hooks, and the do-not-call list.

import { sendToApi } from "./api.js";
import { contactsOf } from "./contacts.js";
import { byId, h, show } from "./dom.js";
import { pretty } from "./json.js";
import { model } from "./model.js";
import { number, plain } from "./words.js";

let built = false;

export function drawDirectory() {
  if (built || !model.ready) return;
  built = true;
  const routes = h("div", { class: "routes" }, h("p", { class: "soft" }, "Not read yet."));
  const hooks = h("div", { class: "routes" });
  const result = h("p", { class: "soft", role: "status" });
  const field = h("input", { name: "number", type: "tel", "aria-label": "Number", placeholder: "+13125550142", autocomplete: "off" });
  const ask = (method, words) => h("button", { type: "button", onclick: () => doNotCall(method, field.value, result) }, words);
  show(
    byId("tab-directory"),
    h("h3", {}, "Routes and contacts"),
    h("p", {}, h("button", { type: "button", onclick: () => readRoutes(routes) }, "Read the routes")),
    routes,
    h("h3", {}, "Hooks"),
    h("p", {}, h("button", { type: "button", onclick: () => readHooks(hooks) }, "Read the hooks")),
    hooks,
    h("h3", {}, "Do not call"),
    h("form", { class: "numbers", onsubmit: (event) => { event.preventDefault(); doNotCall("GET", field.value, result); } }, field,
      h("div", { class: "actions" }, h("button", { type: "submit" }, "Look up"), !model.readOnly && ask("PUT", "Add"), !model.readOnly && ask("DELETE", "Remove"))),
    result,
  );
}

async function readRoutes(place) {
  const found = [];
  let cursor = "";
  try {
    do {
      const page = await sendToApi("GET", `/routes?limit=50${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      found.push(...page.routes);
      cursor = page.next_cursor;
    } while (cursor);
  } catch (error) {
    show(place, h("p", { class: "wrong" }, error.message));
    return;
  }
  show(place, found.length ? found.map(routeLine) : h("p", { class: "soft" }, "No route is set."));
}

function routeLine(route) {
  const many = Object.keys(route.contacts ?? {}).length;
  const name = route.number === "default" ? "All other numbers" : number(route.number);
  return h("details", { open: true }, h("summary", {}, `${name}, ${many} ${many === 1 ? "contact" : "contacts"}`), contactsOf(route), h("details", {}, h("summary", {}, "Whole route"), pretty(route)));
}

async function readHooks(place) {
  try {
    const { hooks } = await sendToApi("GET", "/hooks");
    show(place, hooks.length ? hooks.map(hookLine) : h("p", { class: "soft" }, "No hook is set."));
  } catch (error) {
    show(place, h("p", { class: "wrong" }, error.message));
  }
}

function hookLine(hook) {
  const state = hook.enabled ? (hook.failing_since ? "fails" : "works") : `is off${hook.disabled_reason ? `: ${plain(hook.disabled_reason)}` : ""}`;
  const body = h("div", {}, pretty(hook));
  const read = async () => {
    const { deliveries } = await sendToApi("GET", `/hooks/${encodeURIComponent(hook.id)}/deliveries`).catch((error) => ({ deliveries: error.message }));
    show(body, pretty(hook), h("h4", {}, "Deliveries"), pretty(deliveries));
  };
  return h("details", { ontoggle: (event) => event.target.open && read() }, h("summary", {}, `${hook.url} ${state}`), body);
}

async function doNotCall(method, text, place) {
  const wanted = text.replaceAll(/[\s()-]/g, "");
  if (!wanted) {
    place.textContent = "Type a number.";
    return;
  }
  const path = `/do-not-call/${encodeURIComponent(wanted)}`;
  try {
    const answer = await sendToApi(method, path, method === "PUT" ? {} : undefined);
    place.textContent = method === "DELETE" ? `${number(wanted)} may be called again.` : `${number(wanted)} is not called${answer.reason ? `: ${answer.reason}` : "."}`;
  } catch (error) {
    place.textContent = error.status === 404 ? `${number(wanted)} is not on the list.` : error.message;
  }
}
