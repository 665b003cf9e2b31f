// A dialog with a form that shows its request, and shows the API's errors at the fields.

import { sendToApi, curl, Refused } from "./api.js";
import { announce, h, modal } from "./dom.js";
import { model } from "./model.js";

/** A labelled field; `name` is the API's name of the field in errors. */
export function field(name, label, control, hint) {
  control.name = name;
  control.id = `field-${name}`;
  control.setAttribute("aria-describedby", `wrong-${name}`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: control.id }, label),
    control,
    hint && h("p", { class: "hint" }, hint),
    h("p", { class: "wrong", id: `wrong-${name}` }),
  );
}

export const input = (properties) => h("input", { autocomplete: "off", ...properties });

export const choice = (options) => h("select", {}, options.map(([value, text]) => h("option", { value }, text)));

/** A choice of several, with its effect. */
export const option = (name, value, label, hint, checked) =>
  h("label", { class: "tick" }, h("input", { type: "radio", name, value, checked }), h("span", {}, label, h("small", { class: "hint" }, hint)));

/**
 * A dialog with a form: `request(form)` returns the API request, `sent(answer)` runs after success.
 * With `run(form)` in place of `request` the form runs `run` and sends no API request.
 */
export function dialog({ title, send, fields, request, run, sent, danger }) {
  const code = h("code", {});
  const wrong = h("p", { class: "wrong general", role: "alert", tabindex: "-1" });
  const submit = h("button", { type: "submit", class: danger ? "bad" : "primary" }, send);
  const form = h("form", { novalidate: true }, ...fields, wrong);
  const copy = h("button", { type: "button", class: "quiet small" }, "Copy");
  const box = h(
    "dialog",
    { "aria-labelledby": "dialog-title" },
    h("header", {}, h("h2", { id: "dialog-title" }, title), h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => box.close() }, "×")),
    form,
    request && h("figure", { class: "curl" }, h("figcaption", {}, "What is sent ", copy), h("pre", { tabindex: "0", "aria-label": "The request as curl" }, code)),
    h("footer", {}, h("button", { type: "button", onclick: () => box.close() }, "Cancel"), submit),
  );
  submit.setAttribute("form", "the-form");
  form.id = "the-form";

  // A request that is sent again after a lost answer keeps its key, so that nobody is called twice.
  const keys = new Map();
  const requested = (elements) => {
    const { method, path, body } = request(elements);
    const same = JSON.stringify([method, path, body]);
    if (!keys.has(same)) keys.set(same, crypto.randomUUID());
    return sendToApi(method, path, body, method === "POST" ? keys.get(same) : undefined);
  };
  const preview = () => {
    if (!request) return;
    const { method, path, body } = request(form.elements);
    code.textContent = curl(model, method, path, body);
  };
  form.addEventListener("input", preview);
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent);
    copy.textContent = "Copied";
    announce("Copied");
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clear(form, wrong);
    submit.disabled = true;
    try {
      checkFilled(form);
      const answer = await (run ?? requested)(form.elements);
      box.close();
      sent?.(answer);
    } catch (error) {
      showErrors(form, wrong, error);
    } finally {
      submit.disabled = false;
    }
  });
  preview();
  modal(box);
}

/** Refuse an empty field that has to be filled: the API's words are for a program. */
function checkFilled(form) {
  const empty = [...form.elements].filter((control) => control.required && !control.value.trim());
  if (!empty.length) return;
  const details = empty.map(({ name, list }) => ({ field: name, message: list ? "Type a number." : "Type a text." }));
  throw new Refused(0, { message: "A field is empty.", details });
}

function clear(form, wrong) {
  wrong.textContent = "";
  for (const each of form.querySelectorAll(".field .wrong")) each.textContent = "";
  for (const each of form.elements) each.removeAttribute("aria-invalid");
}

/** Show the API's errors at their fields, and the other errors at the form's end. */
function showErrors(form, wrong, error) {
  const names = [...form.elements].map((each) => each.name).filter(Boolean);
  let first = null;
  const rest = [];
  for (const { field: fieldName, message } of error.details) {
    const name = names.find((each) => fieldName === each || fieldName.startsWith(`${each}.`));
    const place = name && form.querySelector(`#${CSS.escape(`wrong-${name}`)}`);
    if (!place) {
      rest.push(`${fieldName}: ${message}`);
      continue;
    }
    place.textContent = message;
    form.elements[name].setAttribute("aria-invalid", "true");
    const fold = place.closest("details");
    if (fold) fold.open = true;
    first ??= form.elements[name];
  }
  wrong.textContent = first && !rest.length ? "" : [error.message, ...rest].join(" ");
  (first ?? wrong).focus?.();
}
