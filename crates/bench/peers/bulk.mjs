// Sends many records with SuprSend's Node SDK, and prints what it took: bulk.mjs URL KEY users|triggers RECORDS

import { Suprsend, WorkflowTriggerRequest } from "@suprsend/node-sdk";

const [url, key, kind] = process.argv.slice(2, 5);
const records = Number(process.argv[5]);
// This SDK knows signatures only.
const client = new Suprsend(key, key, { base_url: url });

const padded = (number, digits) => String(number).padStart(digits, "0");

function users() {
  const bulk = client.users.get_bulk_edit_instance();
  for (let number = 0; number < records; number++) {
    const user = client.users.get_edit_instance(`user-${padded(number, 8)}`);
    user.add_email(`user-${padded(number, 8)}@example.com`);
    user.add_sms(`+1555${padded(number % 10_000_000, 7)}`);
    user.set_timezone("America/New_York");
    // It has no method for a locale.
    user.set({ locale: "en_GB", plan: "pro", seats: number % 100 });
    bulk.append(user);
  }
  return bulk.save();
}

function triggers() {
  const bulk = client.workflows.bulk_trigger_instance();
  for (let number = 0; number < records; number++) {
    const body = {
      workflow: "benchmark",
      recipients: [`user-${padded(number, 8)}`],
      data: {
        email: `user-${padded(number, 8)}@example.com`,
        phone: `+1555${padded(number % 10_000_000, 7)}`,
        plan: "pro",
        seats: number % 100,
      },
    };
    bulk.append(new WorkflowTriggerRequest(body, { idempotency_key: `benchmark-${number}` }));
  }
  return bulk.trigger();
}

const start = process.hrtime.bigint();
const cpu = process.cpuUsage();
const response = await { users, triggers }[kind]();
const used = process.cpuUsage(cpu);
const seconds = Number(process.hrtime.bigint() - start) / 1e9;
if (response.status !== "success" || response.success !== records) throw new Error(JSON.stringify({ ...response, failed_records: undefined }));
console.log(
  JSON.stringify({
    requests: records,
    seconds,
    cpu_seconds: (used.user + used.system) / 1e6,
    // All outcomes come at the end.
    p50_us: seconds * 1e6,
    p99_us: seconds * 1e6,
    peak_kib: process.resourceUsage().maxRSS,
  }),
);
