// Upserts users with SuprSend's Node SDK, and prints what it took: node.mjs URL KEY CONCURRENCY WARM-UP REQUESTS

import { Suprsend } from "@suprsend/node-sdk";

const [url, key] = process.argv.slice(2, 4);
const [concurrency, warmUp, requests] = process.argv.slice(4).map(Number);
// This SDK knows signatures only.
const client = new Suprsend(key, key, { base_url: url });

function body(number) {
  const digits = String(number);
  return {
    $email: [`user-${digits.padStart(8, "0")}@example.com`],
    $sms: [`+1555${digits.padStart(7, "0")}`],
    $timezone: "America/New_York",
    $locale: "en_GB",
    plan: "pro",
    seats: number % 100,
  };
}

// Latencies in µs.
async function work(from, to) {
  const latencies = [];
  let next = from;
  const one = async () => {
    while (next < to) {
      const number = next++;
      const sent = process.hrtime.bigint();
      const response = await client.users.upsert(`user-${String(number).padStart(8, "0")}`, body(number));
      if (!response.distinct_id) throw new Error("the response is no profile");
      latencies.push(Number(process.hrtime.bigint() - sent) / 1000);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  return latencies.sort((one, other) => one - other);
}

await work(0, warmUp);
const start = process.hrtime.bigint();
const cpu = process.cpuUsage();
const latencies = await work(warmUp, warmUp + requests);
const used = process.cpuUsage(cpu);
const seconds = Number(process.hrtime.bigint() - start) / 1e9;
const at = (quantile) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * quantile))];
console.log(
  JSON.stringify({
    requests: latencies.length,
    seconds,
    cpu_seconds: (used.user + used.system) / 1e6,
    p50_us: at(0.5),
    p99_us: at(0.99),
    peak_kib: process.resourceUsage().maxRSS,
  }),
);
