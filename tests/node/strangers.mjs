// One client of xAI's API, asked for one case a line of standard input; each answer is a line.
//
//   node strangers.mjs openai http://127.0.0.1:PORT/v1
//
// Only host and key differ from what the client's own users write.
import fs from "node:fs";
import readline from "node:readline";

const [client, baseURL] = process.argv.slice(2);
const apiKey = "xai-test-key";
const PHOTO = fs.readFileSync("photo.png").toString("base64");
const INLINE = `data:image/png;base64,${PHOTO}`;
const DOT = `data:image/png;base64,${fs.readFileSync("dot.png").toString("base64")}`;
const LINK = "https://example.com/cat.png";
const TIDE = { type: "object", properties: { place: { type: "string" } }, required: ["place"] };
const BOAT = {
  type: "object",
  properties: { name: { type: "string" }, masts: { type: "integer" } },
  required: ["name", "masts"],
  additionalProperties: false,
};

const text = (words) => ({ type: "text", text: words });

function openaiCases(OpenAI) {
  const openai = new OpenAI({ apiKey, baseURL, maxRetries: 0 });
  const image = (url, detail = "auto") => ({ type: "image_url", image_url: { url, detail } });
  const asked = (content, more = {}) => ({
    model: "grok-4",
    messages: [{ role: "user", content }],
    ...more,
  });
  const answered = ({ choices, usage }) => ({
    text: choices[0].message.content,
    finish: choices[0].finish_reason,
    image_tokens: usage.prompt_tokens_details.image_tokens,
    calls: (choices[0].message.tool_calls ?? []).map(({ function: { name, arguments: given } }) => [
      name,
      JSON.parse(given),
    ]),
  });
  const ask = async (content, more) => answered(await openai.chat.completions.create(asked(content, more)));
  const tools = [{ type: "function", function: { name: "tide", parameters: TIDE } }];
  return {
    text: () => ask("Hello"),
    address: () => ask([image(LINK, "high"), text("What's in this image?")]),
    inline: () => ask([image(INLINE, "high"), text("What's in this image?")]),
    interleaved: () => ask([image(INLINE, "low"), text("A"), image(LINK, "high"), text("B")]),
    stream: async () => {
      const stream = await openai.chat.completions.create(asked([image(INLINE)], { stream: true }));
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      return {
        text: chunks.map((chunk) => chunk.choices[0].delta.content ?? "").join(""),
        finish: chunks.at(-1).choices[0].finish_reason,
        image_tokens: chunks[0].usage.prompt_tokens_details.image_tokens,
        calls: [],
      };
    },
    tool: () => ask("The tide?", { tools, tool_choice: "required" }),
    schema: () =>
      ask("A boat", {
        response_format: { type: "json_schema", json_schema: { name: "boat", schema: BOAT, strict: true } },
      }),
    "bad-key": () =>
      new OpenAI({ apiKey: "xai-another", baseURL, maxRetries: 0 }).chat.completions.create(asked("Hello")),
    "unknown-model": () => openai.chat.completions.create({ ...asked("Hello"), model: "grok-5" }),
    "bad-image": () => ask([image(DOT)]),
    failing: () => ask("Hello"),
  };
}

async function aiCases(aiPackage, providerPackage) {
  const ai = await import(aiPackage);
  const { createXai } = await import(providerPackage);
  const xai = createXai({ apiKey, baseURL });
  const image = (given, detail) => ({
    type: "image",
    image: given,
    ...(detail && { providerOptions: { xai: { imageDetail: detail } } }),
  });
  const asked = (content, more = {}) => ({
    model: xai("grok-4"),
    maxRetries: 0,
    messages: [{ role: "user", content }],
    ...more,
  });
  const tokens = (usage) => {
    const raw = usage?.raw ?? {};
    const details = raw.prompt_tokens_details ?? raw.input_tokens_details ?? {};
    return details.image_tokens ?? null;
  };
  const answered = (result) => ({
    text: result.text,
    finish: result.finishReason,
    image_tokens: tokens(result.usage),
    calls: result.toolCalls.map(({ toolName, input }) => [toolName, input]),
  });
  const ask = async (content, more) => answered(await ai.generateText(asked(content, more)));
  return {
    text: () => ask("Hello"),
    address: () => ask([image(new URL(LINK), "high"), text("What's in this image?")]),
    inline: () => ask([image(Buffer.from(PHOTO, "base64"), "high"), text("What's in this image?")]),
    interleaved: () => ask([image(INLINE, "low"), text("A"), image(new URL(LINK), "high"), text("B")]),
    stream: async () => {
      const result = ai.streamText(asked([image(INLINE)], { onError: () => {} }));
      return {
        text: await result.text,
        finish: await result.finishReason,
        image_tokens: tokens(await result.usage),
        calls: [],
      };
    },
    tool: () =>
      ask("The tide?", {
        tools: { tide: ai.tool({ description: "Tell the tide.", inputSchema: ai.jsonSchema(TIDE) }) },
        toolChoice: "required",
      }),
    schema: async () => {
      const output = ai.Output.object({ schema: ai.jsonSchema(BOAT) });
      const result = await ai.generateText(asked("A boat", { output }));
      return { ...answered(result), text: JSON.stringify(result.output) };
    },
    file: async () => {
      const api = xai.files();
      const expiresAfter = 3600;
      const uploaded = await ai.uploadFile({
        api,
        data: Buffer.from(PHOTO, "base64"),
        mediaType: "image/png",
        providerOptions: { xai: { expiresAfter } },
      });
      const file = uploaded.providerReference;
      const shown = await api.getFileMetadata({ file });
      const answer = await ask([{ type: "file", mediaType: "image/png", data: file }]);
      const { deleted } = await api.deleteFile({ file });
      return { text: answer.text, stays: (uploaded.expiresAt - shown.createdAt) / 1000, deleted };
    },
    batch: async () => {
      const requests = ["b", "a"].map((id) => ({
        id,
        type: "text",
        model: "grok-4.3",
        messages: [{ role: "user", content: [image(INLINE)] }],
      }));
      const batch = await ai.experimental_startBatch({ provider: xai, requests });
      const { status, requestCounts } = await ai.experimental_getBatchStatus({ provider: xai, batch });
      const results = ai.experimental_getBatchResults({ provider: xai, batch });
      const texts = {};
      for await (const { id, text } of results) texts[id] = text;
      return { begun: batch.status, status, counts: requestCounts, texts };
    },
    "refused-batch": async () => {
      const messages = [{ role: "user", content: "Hello" }];
      const requests = [{ id: "1", type: "text", model: "grok-4.5", messages }];
      const batch = await ai.experimental_startBatch({ provider: xai, requests });
      const { status, error } = await ai.experimental_getBatchStatus({ provider: xai, batch });
      return { begun: batch.status, status, error: error.message };
    },
    "bad-key": () =>
      ai.generateText({ ...asked("Hello"), model: createXai({ apiKey: "xai-another", baseURL })("grok-4") }),
    "unknown-model": () => ai.generateText({ ...asked("Hello"), model: xai("grok-5") }),
    "bad-image": () => ask([image(DOT)]),
    failing: () => ask("Hello"),
  };
}

const CLIENTS = {
  openai: async () => openaiCases((await import("openai")).default),
  "openai-4": async () => openaiCases((await import("openai-4")).default),
  ai: () => aiCases("ai", "@ai-sdk/xai"),
  "ai-6": () => aiCases("ai-6", "ai-sdk-xai-3"),
};

const cases = await CLIENTS[client]();
for await (const line of readline.createInterface({ input: process.stdin })) {
  let told;
  try {
    told = await cases[line]();
  } catch (error) {
    told = { error: error.name, kind: error.constructor.name, status: error.status ?? error.statusCode, message: error.message };
  }
  console.log(JSON.stringify(told));
}
