// Makes the calls of calls.json with SuprSend's Node SDK.
//
// Before each, the hub is told which one follows, by a request that is in no document. Where to, and as whom, is in
// CONFORMANCE_URL, CONFORMANCE_KEY and CONFORMANCE_SECRET. Prints the values that later calls need, as JSON.

import { readFile } from "node:fs/promises";
import {
  Event,
  SubscriberListBroadcast,
  Suprsend,
  Workflow,
  WorkflowTriggerRequest,
} from "@suprsend/node-sdk";

const { CONFORMANCE_URL, CONFORMANCE_KEY, CONFORMANCE_SECRET } = process.env;
const client = new Suprsend(CONFORMANCE_KEY, CONFORMANCE_SECRET, { base_url: CONFORMANCE_URL });
const classes = {
  workflow: WorkflowTriggerRequest,
  old_workflow: Workflow,
  event: Event,
  broadcast: SubscriberListBroadcast,
};

// The values that earlier responses gave, in their places.
function filled(value, kept) {
  if (Array.isArray(value)) return value.map((item) => filled(item, kept));
  if (value === null || typeof value !== "object") return value;
  const members = Object.entries(value);
  if (members.length === 1 && members[0][0] === "kept") return kept[value.kept];
  return Object.fromEntries(members.map(([name, member]) => [name, filled(member, kept)]));
}

// The object that has a method, and the method's name.
function method(path) {
  const names = path.split(".");
  const last = names.pop();
  return [names.reduce((object, name) => object[name], client), last];
}

function call(path, ...args) {
  const [object, name] = method(path);
  return object[name](...args);
}

function edited(instance, operations) {
  for (const [name, ...args] of operations) instance[name](...args);
  return instance;
}

async function make(step) {
  const args = step.arguments ?? [];
  if (step.bulk) {
    const bulk = call(step.bulk);
    for (const record of step.records ?? []) bulk.append(new classes[step.new](...record));
    for (const [user, operations] of step.users ?? []) bulk.append(edited(call(step.edit, user), operations));
    const response = await bulk[step.call]();
    if (response.status !== "success") throw new Error(JSON.stringify(response));
    return response;
  }
  if (step.edit) {
    const instance = edited(call(step.edit, ...args), step.operations);
    return step.save ? await instance.save() : await call(step.call, instance);
  }
  if (step.new) return await call(step.call, new classes[step.new](...args, step.options));
  if (step.limit) return await call(step.call, { limit: step.limit, offset: 0 });
  return await call(step.call, ...args);
}

const kept = {};
for (const step of JSON.parse(await readFile("calls.json", "utf8"))) {
  if ((step.only ?? "node") !== "node") continue;
  await fetch(`${CONFORMANCE_URL}/conformance/${step.step}`);
  let response;
  try {
    response = await make(filled(step, kept));
  } catch (error) {
    if (step.differs?.node) continue;
    throw new Error(`${step.step}: ${error.message}`);
  }
  if (response?.success === false && !step.differs?.node) throw new Error(`${step.step}: ${JSON.stringify(response)}`);
  for (const [name, path] of Object.entries(step.keep ?? {})) {
    kept[name] = path.reduce((value, part) => value[part], response);
  }
}
console.log(JSON.stringify(kept));
