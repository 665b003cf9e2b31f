// What the page asks of its own server. The bearer key stays there.

const HEADERS = { "x-partyline-page": "1", "content-type": "application/json" };

/** A refusal: `message` is for a person, `details` name fields. */
export class Refused extends Error {
  constructor(status, error) {
    super(error?.message ?? `The server answered ${status}.`);
    this.status = status;
    this.code = error?.code ?? "";
    this.details = error?.details ?? [];
  }
}

async function send(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: HEADERS,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refused(0, { message: "The server is away. Try again when it is back." });
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, answer.error ?? answer);
  return answer;
}

/** Ask the API of the deployment. */
export const ask = (method, path, body) => send(method, `/room/api${path}`, body);

/** Do something with a phone or a switch. */
export const act = (given) => send("POST", "/room/act", given);

/** The trouble that is in force. */
export const inForce = () => send("GET", "/room/trouble");

/** Do something with a story. */
export const tell = (given) => send("POST", "/room/story", given);

/** The same request for a terminal; the key comes from its environment. */
export function curl(base, method, path, body) {
  const quoted = (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const lines = [`curl -sX ${method} ${quoted(base + path)}`, '-H "authorization: Bearer $PARTYLINE_API_KEY"'];
  if (body !== undefined) {
    lines.push("-H 'content-type: application/json'", `-d ${quoted(JSON.stringify(body, null, 2))}`);
  }
  return lines.join(" \\\n  ");
}
