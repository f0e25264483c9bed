// What Pi itself has not: a person is asked before a tool is used, and the agent may ask one. pi_questions.py is the other end.
import type { ExtensionAPI, ExtensionContext } from "@earendil-works/pi-coding-agent";

const ASKED = new Set((process.env.FRONTDESK_ASK ?? "").split(",").filter(Boolean));
const OWN = "ask_user";

// The editor is the one dialog that takes any text, and gives any back.
const put = (ctx: ExtensionContext, kind: string, asked: object) => ctx.ui.editor(JSON.stringify({ frontdesk: kind, ...asked }), "");

export default function (pi: ExtensionAPI) {
  pi.on("session_start", (_event, ctx) => ctx.ui.setStatus("frontdesk", "ready"));

  pi.on("tool_call", async (event, ctx) => {
    if (event.toolName === OWN || !(ASKED.has(event.toolName) || ASKED.has("*"))) return;
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
