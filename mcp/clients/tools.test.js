// What every client gets from the tools, whichever way it comes in.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { doors } from "./doors.js";
import { startServer } from "./servers.js";

let server;
before(async () => { server = await startServer(); });
after(() => server?.close());

const names = ["request_human_approval", "wait_for_approval", "get_approval", "cancel_approval", "verify_receipt"];
let count = 0;

/** The arguments of a request that nobody else makes. */
const asking = (action, more = {}) => ({
  action, approver_username: "alex", payload: { amount: "12.50", run: `${process.pid}-${count += 1}` }, ...more,
});

/** Calls a tool; the structured content and the text must say the same. */
async function call(client, name, args, options) {
  const result = await client.callTool({ name, arguments: args }, options);
  assert.ok(!result.isError, result.content[0]?.text);
  assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
  return result.structuredContent;
}

async function trouble(client, name, args) {
  const result = await client.callTool({ name, arguments: args });
  assert.equal(result.isError, true, JSON.stringify(result));
  assert.match(result.content[0].text, /Nothing is approved: do not act\.$/);
  return result.content[0].text;
}

for (const [door, connect] of Object.entries(doors)) {
  test(door, async (t) => {
    const client = await connect(server);
    t.after(() => client.close());

    await t.test("lists the tools in one order, with schemas and hints", async () => {
      const { tools } = await client.listTools();
      assert.deepEqual(tools.map(({ name }) => name), names);
      for (const { name, title, inputSchema, outputSchema, annotations } of tools) {
        assert.ok(title && inputSchema.type === "object" && outputSchema.type === "object", name);
        assert.equal(inputSchema.additionalProperties, false, name);
        assert.equal(annotations.readOnlyHint, !["request_human_approval", "cancel_approval"].includes(name), name);
      }
    });

    await t.test("waits for an approval, which verifies", async () => {
      const args = asking("Pay the invoice");
      const answer = await call(client, "request_human_approval", args);
      assert.deepEqual([answer.approved, answer.status], [true, "approved"]);
      assert.deepEqual(answer.payload, args.payload);
      assert.match(answer.compareCode, /^([a-z2-7]{4}-){3}[a-z2-7]{4}$/);
      const stated = { receipt: answer.receipt, action: args.action, payload: args.payload, approver_username: "alex" };
      const verified = await call(client, "verify_receipt", { ...stated, id: answer.id });
      assert.deepEqual([verified.verdict, verified.asExpected, verified.id], ["approved", true, answer.id]);
      const other = await call(client, "verify_receipt", { ...stated, payload: { amount: "99" } });
      assert.deepEqual([other.verdict, other.asExpected, other.failedStep], ["not verified", false, "expectation"]);
      const broken = await call(client, "verify_receipt", { receipt: answer.receipt.replace("checkpoint", "Checkpoint") });
      assert.equal(broken.failedStep, "receipt");
      const again = await call(client, "request_human_approval", { ...args, wait_seconds: 0 });
      assert.notEqual(again.id, answer.id, "an approval is for one run");
      assert.equal(again.approved, false);
    });

    await t.test("gives a rejection as an answer, not as an error", async () => {
      const answer = await call(client, "request_human_approval", asking("reject: delete everything"));
      assert.deepEqual([answer.approved, answer.status, answer.reason], [false, "rejected", "rejected"]);
      assert.match(answer.next, /Do not act/);
      assert.equal(answer.note, "not on a [U+202E]Friday");
    });

    await t.test("finds the same request again while it is pending, and a new one once it ended", async () => {
      const args = asking("never decide this", { wait_seconds: 0 });
      const first = await call(client, "request_human_approval", args);
      assert.deepEqual([first.approved, first.status], [false, "pending"]);
      assert.match(first.next, /do not act\. Call wait_for_approval/);
      const both = await Promise.all([1, 2].map(() => call(client, "request_human_approval", args)));
      assert.deepEqual(both.map(({ id }) => id), [first.id, first.id]);
      const waited = await call(client, "wait_for_approval", { id: first.id, wait_seconds: 1 });
      assert.deepEqual([waited.id, waited.status], [first.id, "pending"]);
      const cancelled = await call(client, "cancel_approval", { id: first.id });
      assert.deepEqual([cancelled.approved, cancelled.status], [false, "cancelled"]);
      const next = await call(client, "request_human_approval", args);
      assert.notEqual(next.id, first.id);
      assert.equal((await call(client, "get_approval", { id: next.id })).status, "pending");
    });

    await t.test("finds the request of another client with the same key", async () => {
      const args = asking("never decide this either", { wait_seconds: 0 });
      const first = await call(client, "request_human_approval", args);
      for (const [name, connectOther] of Object.entries(doors)) {
        const other = await connectOther(server);
        assert.equal((await call(other, "request_human_approval", args)).id, first.id, name);
        await other.close();
      }
    });

    await t.test("tells of progress while it waits", async () => {
      const heard = [];
      const onprogress = (progress) => heard.push(progress);
      const args = asking("never decide, and say so", { wait_seconds: 1 });
      const answer = await call(client, "request_human_approval", args, { onprogress });
      assert.equal(answer.status, "pending");
      assert.ok(heard.length >= 1, "no progress");
      assert.match(heard[0].message, /waiting for alex at http.*compare code/);
    });

    await t.test("says what is wrong with a call", async () => {
      const name = "request_human_approval";
      assert.match(await trouble(client, name, { ...asking("x"), approver_username: "Alex" }), /approver_username/);
      assert.match(await trouble(client, name, { ...asking("x"), approver_username: "eve" }), /not enrolled/);
      assert.match(await trouble(client, name, { ...asking("x"), payload: "text" }), /payload must be an object/);
      assert.match(await trouble(client, name, { ...asking("x"), urgent: true }), /urgent is not known/);
      assert.match(await trouble(client, name, asking("a\u202eb")), /U\+202E/);
      assert.match(await trouble(client, "get_approval", { id: "cnf_aaaaaaaaaaaaaaaaaaaaaaaaaa" }), /not-found/);
      assert.match(await trouble(client, "get_approval", { id: "../keys" }), /\((not-found|mismatch)\)/);
      await assert.rejects(client.callTool({ name: "approve_everything", arguments: {} }));
    });
  });
}
