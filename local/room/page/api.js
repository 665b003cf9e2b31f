// Requests to the page's own server. The bearer key stays on the server.

const HEADERS = { "x-partyline-page": "1", "content-type": "application/json" };

/** A refusal: `message` is a sentence for the user, `details` name fields. */
export class Refused extends Error {
  constructor(status, error) {
    super(error?.message ?? `The server answered ${status}.`);
    this.status = status;
    this.code = error?.code ?? "";
    this.details = error?.details ?? [];
  }
}

async function send(method, path, body, key) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: key ? { ...HEADERS, "idempotency-key": key } : HEADERS,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refused(0, { message: "The server is away. Try again when it is back." });
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, answer.error ?? answer);
  return answer;
}

/** Send a request to the deployment's API. A request with the same `key` takes effect once. */
export const sendToApi = (method, path, body, key) => send(method, `/room/api${path}`, body, key);

/** Look now: run the sweep and the census, and ask Telnyx about a conversation's calls. */
export const lookNow = (conversation) => send("POST", "/room/look", { conversation });

/** Let the simulated assistant of a call use one of its tools; the answer is the sentence for the model. */
export const useTool = (call, tool, fields) => send("POST", "/room/tool", { call, tool, arguments: fields });

/** Deliver a webhook of the simulated Telnyx once more; `status` is the answer's. */
export const resend = (event) => send("POST", "/room/resend", { event });

/** Let the console's server read a conversation and its timeline until another one is opened. */
export const openConversation = (conversation) => send("POST", "/room/open", { conversation });

/** Run an action on a phone or on the faults. */
export const runAction = (action) => send("POST", "/room/act", action);

/** The faults that are in force. */
export const faultsInForce = () => send("GET", "/room/trouble");

/** Run a command on a story. */
export const storyCommand = (command) => send("POST", "/room/story", command);

/** The bearer key in a curl command: the file of `make dev`, or the terminal's environment, which must have the key. */
const keyOf = (mode) => (mode === "room" ? "$(cat ~/.partyline/dev/bearer-key)" : "${PARTYLINE_API_KEY:?set it to a bearer key of the stack}");

/** A request as a curl command that runs as printed. */
export function curl({ api: base, mode }, method, path, body) {
  const quoted = (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const lines = [`curl -sX ${method} ${quoted(base + path)}`, '-H "authorization: Bearer ' + keyOf(mode) + '"'];
  if (body !== undefined) {
    lines.push("-H 'content-type: application/json'", `-d ${quoted(JSON.stringify(body, null, 2))}`);
  }
  return lines.join(" \\\n  ");
}
