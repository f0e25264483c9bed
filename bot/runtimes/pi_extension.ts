// What Pi itself has not: a person is asked before a tool is used, and the agent may ask one. pi_questions.py is the other end.
// Frontdesk's own tools, where the turn is lent them, are another server's (MCP): here they are only handed on.
import type { ExtensionAPI, ExtensionContext } from "@earendil-works/pi-coding-agent";

const ASKED = new Set((process.env.FRONTDESK_ASK ?? "").split(",").filter(Boolean));
const OWN = "ask_user";
const HANDED = new Set<string>();

// The editor is the one dialog that takes any text, and gives any back.
const put = (ctx: ExtensionContext, kind: string, asked: object) => ctx.ui.editor(JSON.stringify({ ...asked, frontdesk: kind }), "");

const { FRONTDESK_URL: url, FRONTDESK_TOKEN: token } = process.env;
delete process.env.FRONTDESK_TOKEN; // commands that Pi runs have no use for it

// Streamable HTTP: the answer is the one message that holds a result, as JSON or as an event.
async function lent(method: string, params: object, signal?: AbortSignal) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json", Accept: "application/json, text/event-stream" };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const said = await (await fetch(url!, { method: "POST", headers, body, signal })).text();
  const line = said.split("\n").find((line) => line.startsWith("data: ") && line.includes('"jsonrpc"'));
  const { result, error } = JSON.parse(line ? line.slice("data: ".length) : said);
  if (!result) throw new Error(error?.message ?? "Frontdesk gave no answer.");
  return result;
}

async function handOn(pi: ExtensionAPI) {
  const { tools } = await lent("tools/list", {});
  for (const tool of tools.filter(({ name }: { name: string }) => name !== OWN)) {
    HANDED.add(tool.name);
    pi.registerTool({
      name: tool.name,
      label: tool.name,
      description: tool.description,
      parameters: tool.inputSchema,
      async execute(_id, given, signal) {
        const { content, isError } = await lent("tools/call", { name: tool.name, arguments: given }, signal);
        if (isError) throw new Error(content.map(({ text }: { text: string }) => text).join("\n"));
        return { content, details: undefined };
      },
    });
  }
}

export default async function (pi: ExtensionAPI) {
  let trouble = "";
  if (url) await handOn(pi).catch((error) => (trouble = `Pi does not reach Frontdesk's tools: ${error.cause?.message ?? error.message}`));

  pi.on("session_start", (_event, ctx) => ctx.ui.setStatus("frontdesk", "ready"));

  pi.on("agent_start", (_event, ctx) => {
    if (trouble) ctx.ui.notify(trouble, "warning");
    trouble = "";
  });

  pi.on("tool_call", async (event, ctx) => {
    if (event.toolName === OWN || HANDED.has(event.toolName) || !(ASKED.has(event.toolName) || ASKED.has("*"))) return;
    const said = await put(ctx, "permission", { call: event.toolCallId, tool: event.toolName, input: event.input });
    if (said !== "allow") return { block: true, reason: said ?? "Nobody answered." };
  });

  pi.registerTool({
    name: OWN,
    label: "Ask the person",
    description:
      "Ask the person whom you work for, and wait for the answer. Use it where only a person can decide or know; offer options where " +
      "you can. The person may also answer in words of their own.",
    parameters: {
      type: "object",
      properties: {
        question: { type: "string", description: "One question, complete in itself" },
        options: { type: "array", items: { type: "string" }, description: "Answers to choose from, a few words each" },
        multiple: { type: "boolean", description: "Whether several may be chosen" },
      },
      required: ["question"],
    },
    async execute(_id, asked, _signal, _onUpdate, ctx) {
      const said = await put(ctx, "question", asked);
      return { content: [{ type: "text", text: said ?? "Nobody answered." }], details: undefined };
    },
  });
}
