// Upserts the users of users.json with SuprSend's Node SDK, which knows signatures only, and takes more through the life
// cycle of a user.
//
// Where to, and as whom, is in CONFORMANCE_URL, CONFORMANCE_KEY and CONFORMANCE_SECRET.

import { readFile } from "node:fs/promises";
import { Suprsend } from "@suprsend/node-sdk";

const { CONFORMANCE_URL, CONFORMANCE_KEY, CONFORMANCE_SECRET } = process.env;
const client = new Suprsend(CONFORMANCE_KEY, CONFORMANCE_SECRET, { base_url: CONFORMANCE_URL });

for (const user of JSON.parse(await readFile("users.json", "utf8"))) {
  const response = await client.users.upsert(user.distinct_id, user.body);
  if (response.distinct_id !== user.distinct_id) {
    throw new Error(`${user.distinct_id} was answered with ${response.distinct_id}`);
  }
}

const refusal = await client.users.upsert("refused", { $email: ["not an address"] }).then(
  () => "nothing",
  (error) => error.message,
);
if (!refusal.startsWith("400: ") || !refusal.includes("$email[0]")) {
  throw new Error(`the refusal says ${refusal}`);
}

// What the row of our SDK does too: the profiles are compared.
const { users } = client;
await users.upsert("life-a", { $email: ["old@example.com"], seats: 2, tags: ["x"], source: "web" });
await users.upsert("life-b", { $sms: ["+15551234567"], plan: "free", origin: "web" });
for (const id of ["life-c", "life-d", "life-e"]) {
  await users.upsert(id, {});
}

const edit = users.get_edit_instance("life-a");
edit.set("plan", "pro");
edit.set_once("plan", "free");
edit.set_timezone("Europe/Paris");
edit.add_email("new@example.com");
edit.remove_email("old@example.com");
edit.add_slack({ user_id: "U1", access_token: "xoxb-token" });
edit.add_androidpush("android-token", "fcm");
edit.add_iospush("ios-token", "apns");
edit.append("tags", "y");
edit.remove("tags", "x");
edit.unset("source");
edit.increment("seats", 3);
const edited = await users.edit(edit);
const stored = await users.get("life-a");
if (JSON.stringify(edited) !== JSON.stringify(stored)) {
  throw new Error(`the edit gave ${JSON.stringify(edited)}, stored is ${JSON.stringify(stored)}`);
}

const listed = [];
const options = { limit: 2 };
for (;;) {
  const { meta, results } = await users.list(options);
  listed.push(...results.map((user) => user.distinct_id));
  if (!meta.has_next) {
    if (new Set(listed).size !== meta.count || !listed.includes("life-a")) {
      throw new Error(`the list has ${listed}`);
    }
    break;
  }
  options.after = meta.after;
}

await users.merge("life-a", "life-b");
await users.delete("life-c");
await users.bulk_delete({ distinct_ids: ["life-d", "life-e", "nobody"] });
const missing = await users.get("life-c").then(
  () => "nothing",
  (error) => error.message,
);
if (!missing.startsWith("404: ") || !missing.includes("life-c")) {
  throw new Error(`what is missing is told as ${missing}`);
}
