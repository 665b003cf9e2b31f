// The links from a conversation to its logs and traces: to AWS from a console, to the rows' log in the room.

import { h } from "./dom.js";
import { factsOf, model } from "./model.js";
import { moment } from "./words.js";

/** The functions work for some minutes before and after a conversation. */
const MARGIN_MS = 10 * 60_000;

const FIELDS = "@timestamp, level, message, action, result, function_name, xray_trace_id";

/** A text in the console's own encoding, in which a star stands for a percent sign. */
const encoded = (text) => `'${encodeURIComponent(text).replaceAll(/[!'()~*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`).replaceAll("%", "*")}`;

/** The times around a conversation; a live conversation is followed until now. */
function span({ created_at: from, ended_at: to }, now) {
  const time = (ms) => new Date(ms).toISOString();
  return { start: time(moment(from) - MARGIN_MS), end: time((moment(to) ?? now) + MARGIN_MS) };
}

/** A page of the AWS console; regions of China have an address of their own. */
const awsPage = (region, place) =>
  `https://${region}.console.${region.startsWith("cn-") ? "amazonaws.cn" : "aws.amazon.com"}/cloudwatch/home?region=${region}#${place}`;

/** The query of Logs Insights for the lines of a conversation. */
export const logQuery = (id) => `fields ${FIELDS}\n| filter conversation_id = "${id}"\n| sort @timestamp asc\n| limit 1000`;

/** The address of the query in Logs Insights. */
export function logsLink({ region, groups }, conversation, now) {
  const { start, end } = span(conversation, now);
  const sources = groups.map((group) => `~${encoded(group)}`).join("");
  const detail = `~(end~${encoded(end)}~start~${encoded(start)}~timeType~'ABSOLUTE~tz~'UTC~editorString~${encoded(logQuery(conversation.id))}~source~(${sources}))`;
  // The place is encoded twice, the second time with a dollar sign in place of the percent sign.
  const escaped = encodeURIComponent(detail).replaceAll(/[~'()*]/g, (char) => (char === "*" ? char : `%${char.charCodeAt(0).toString(16).toUpperCase()}`));
  return awsPage(region, `logsV2:logs-insights${encodeURIComponent(`?queryDetail=${escaped}`).replaceAll("%", "$")}`);
}

/** The address of X-Ray's traces at the time of a conversation. */
export function tracesLink({ region }, conversation, now) {
  const { start, end } = span(conversation, now);
  return awsPage(region, `xray:traces/query?~(context~(timeRange~(end~${encoded(end)}~start~${encoded(start)})))`);
}

const link = (href, words) => h("a", { href, target: "_blank", rel: "noopener noreferrer" }, words);

/** The part of the tab *Report* about logs and traces. */
export function logParts(conversation) {
  if (model.mode === "room") {
    const lines = factsOf("log").filter(([, line]) => line.conversation_id === conversation.id).length;
    return [h("p", { class: "soft" }, `${lines} log ${lines === 1 ? "line" : "lines"} of this call. Pick a message in the story or the diagram: its log lines are in the tab Details.`)];
  }
  if (!model.aws) return [h("p", { class: "soft" }, "Start the console with --stack, the name of the stack, and each conversation has links to its logs and traces in AWS.")];
  const now = Date.now();
  return [
    h("p", { class: "links" }, link(logsLink(model.aws, conversation, now), "Logs in CloudWatch ↗"), link(tracesLink(model.aws, conversation, now), "Traces in X-Ray ↗")),
    h("p", { class: "soft" }, `${model.aws.groups.length ? "" : "Choose the stack's log groups, because the console was started without --stack. "}A log line names its trace in xray_trace_id. X-Ray shows all traces of the account at that time.`),
  ];
}
