// One question put by an official SDK of Node, told on standard output as JSON: the twin of tests/e2e/model/asking.py.
import { readFileSync } from "node:fs";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const asked = JSON.parse(readFileSync(process.argv[3], "utf8"));
const openai = () => new OpenAI({ maxRetries: 0 });
const anthropic = () => new Anthropic({ maxRetries: 0 });
const told = (text, finish, usage) => ({ text, finish, usage });
const long = [{ role: "user", content: "word ".repeat(3000) }];

async function all(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

const questions = {
  async chat() {
    const answer = await openai().chat.completions.create(asked.chat);
    return told(answer.choices[0].message.content, answer.choices[0].finish_reason, answer.usage);
  },
  async stream() {
    const chunks = await all(await openai().chat.completions.create({ ...asked.stream, stream: true }));
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
    const finish = chunks.findLast((chunk) => chunk.choices.length).choices[0].finish_reason;
    return { ...told(text, finish, chunks.at(-1).usage), with_usage: chunks.filter((chunk) => chunk.usage).length };
  },
  async quiet() {
    const chunks = await all(await openai().chat.completions.create({ ...asked.quiet, stream: true }));
    return {
      with_usage: chunks.filter((chunk) => chunk.usage).length,
      empty: chunks.filter((chunk) => !chunk.choices.length).length,
    };
  },
  async tools() {
    const answer = await openai().chat.completions.create(asked.tools);
    const call = answer.choices[0].message.tool_calls[0].function;
    return { ...told(null, answer.choices[0].finish_reason, answer.usage), name: call.name, input: call.arguments };
  },
  async tools_streamed() {
    let [name, input] = ["", ""];
    for await (const chunk of await openai().chat.completions.create({ ...asked.tools, stream: true })) {
      for (const call of chunk.choices[0]?.delta.tool_calls ?? []) {
        if (call.index === 0) {
          name += call.function.name ?? "";
          input += call.function.arguments ?? "";
        }
      }
    }
    return { name, input };
  },
  async embeddings() {
    const answer = await openai().embeddings.create(asked.embeddings);
    return { ...told(null, null, answer.usage), dimensions: answer.data.map((one) => one.embedding.length) };
  },
  async responses() {
    const answer = await openai().responses.create(asked.responses);
    return told(answer.output_text, answer.status, answer.usage);
  },
  async responses_streamed() {
    const events = await all(await openai().responses.create({ ...asked.responses, stream: true }));
    const text = events.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta);
    const last = events.at(-1).response;
    return told(text.join(""), last.status, last.usage);
  },
  async cancel() {
    let seen = 0;
    for await (const _ of await openai().chat.completions.create({ ...asked.long, stream: true })) {
      seen += 1;
      if (seen === 5) break; // leaving the loop is how one cancels with this SDK
    }
    return { seen };
  },
  async too_long() {
    try {
      await openai().chat.completions.create({ ...asked.chat, messages: long });
    } catch (error) {
      if (error instanceof OpenAI.BadRequestError) {
        return { status: error.status, code: error.code, message: error.message };
      }
      throw error;
    }
  },
  async messages() {
    const answer = await anthropic().messages.create(asked.messages);
    return told(answer.content[0].text, answer.stop_reason, answer.usage);
  },
  async messages_streamed() {
    const stream = anthropic().messages.stream(asked.messages);
    let text = "";
    stream.on("text", (piece) => (text += piece));
    const last = await stream.finalMessage();
    return told(text, last.stop_reason, last.usage);
  },
  async messages_tools() {
    const answer = await anthropic().messages.create(asked.messages_tools);
    const call = answer.content.find((block) => block.type === "tool_use");
    return { ...told(null, answer.stop_reason, answer.usage), name: call.name, input: JSON.stringify(call.input) };
  },
  async messages_too_long() {
    try {
      await anthropic().messages.create({ ...asked.messages, messages: long });
    } catch (error) {
      if (error instanceof Anthropic.BadRequestError) {
        return { status: error.status, type: error.error.error.type, message: error.message };
      }
      throw error;
    }
  },
};

console.log(JSON.stringify(await questions[process.argv[2]]()));
