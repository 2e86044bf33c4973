// Drives the browser. What a program does is asked for by a line on stdout, and answered by a line on stdin.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const { HUB, KEY, CHROMIUM, PICTURES } = process.env;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function ask(what) {
  process.stdout.write(JSON.stringify(what) + "\n");
  return JSON.parse((await answers.next()).value);
}
const trigger = (workflow, key) => ask({ trigger: { workflow, recipient: "jane", key } });

const profile = mkdtempSync(join(tmpdir(), "page-profile-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: CHROMIUM,
  viewport: { width: 1280, height: 800 },
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const page = browser.pages()[0] ?? (await browser.newPage());
await browser.grantPermissions(["clipboard-read", "clipboard-write"], { origin: HUB });
// What went wrong in the page: a policy that is broken, a script that fails.
const faults = [];
page.on("console", (message) => { if (message.type() === "error" && !message.text().includes("400 (Bad Request)")) faults.push(message.text()); });
page.on("pageerror", (error) => faults.push(error.message));
const elsewhere = [];
page.on("request", (request) => { if (!request.url().startsWith(HUB)) elsewhere.push(request.url()); });

const checks = {
  async "a trigger that the SDK sends appears without a reload"() {
    await page.goto(HUB + "/_hub/");
    await page.getByText("No requests yet").waitFor();
    await page.evaluate(() => { window.stays = true; });
    assert.equal((await trigger("order-shipped", "k-1")).ok, true);
    await page.getByRole("link", { name: "trigger-workflow-api" }).waitFor();
    assert.equal((await trigger("order-delivered", "k-2")).ok, true);
    await page.getByText("order-delivered → jane").waitFor();
    assert.equal(await page.evaluate(() => window.stays), true, "the page was not loaded again");
  },
  async "a filter works"() {
    await ask({ upsert: { id: "amir", email: "amir@example.com", property: "plain" } });
    await page.getByRole("link", { name: "create-update-users" }).waitFor();
    await page.getByLabel("Operation").selectOption("create-update-users");
    await page.getByText("order-delivered → jane").waitFor({ state: "detached" });
    assert.equal(await page.locator("tbody tr").count(), 1);
    await page.getByLabel("Operation").selectOption("");
    await page.getByLabel("Recipient").fill("jane");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "create-update-users" }).waitFor({ state: "detached" });
    assert.equal(await page.locator("tbody tr").count(), 2);
    await page.getByLabel("Recipient").fill("");
    await page.getByLabel("Outcome").selectOption("refused");
    await page.getByText("Nothing matches").waitFor();
  },
  async "keys and sensitive values are hidden until asked for"() {
    await page.goto(HUB + "/_hub/");
    await page.getByText("order-shipped → jane").locator("xpath=ancestor::tr").getByRole("link").click();
    await page.getByRole("heading", { name: "trigger-workflow-api" }).waitFor();
    assert.ok(!(await page.content()).includes("order-5678") && !(await page.content()).includes(KEY));
    await page.getByRole("link", { name: "Show sensitive values" }).click();
    await page.getByText("order-5678").waitFor();
    assert.ok((await page.content()).includes(KEY), "the header, which was asked for");
    await page.getByRole("link", { name: "Hide sensitive values" }).click();
    await page.getByText("order-5678").waitFor({ state: "detached" });
  },
  async "a request is copied as curl and as Rust"() {
    const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
    await page.getByRole("link", { name: "Copy as curl" }).click();
    await page.getByRole("link", { name: "Copied" }).waitFor();
    assert.match(await clipboard(), /^curl --request 'POST' 'http:\/\/127\.0\.0\.1:\d+\/trigger\/'[^]*order-5678/);
    assert.ok(!(await clipboard()).includes(KEY), "the key is that of the environment");
    await page.getByRole("link", { name: "Copied" }).waitFor({ state: "detached" });
    await page.getByRole("link", { name: "Copy as Rust" }).click();
    await page.getByRole("link", { name: "Copied" }).waitFor();
    assert.match(await clipboard(), /workflows\(\)\.trigger[^]*suprsend::operations::TriggerWorkflowApi[^]*client\.call/);
  },
  async "a fault injected on the page fails the next call"() {
    await page.getByRole("link", { name: "Make it fail" }).click();
    await page.getByRole("heading", { name: "Controls" }).waitFor();
    assert.equal(await page.getByLabel("Operation").inputValue(), "trigger-workflow-api");
    await page.getByRole("button", { name: "Inject the fault" }).click();
    await page.locator("#active-faults").getByText("503").waitFor();
    const failed = await trigger("order-shipped", "k-3");
    assert.equal(failed.ok, false);
    assert.match(failed.error, /503/);
    assert.equal((await trigger("order-shipped", "k-4")).ok, true);
  },
  async "a preference set on the page blocks the next message"() {
    await page.getByRole("link", { name: "Users", exact: true }).click();
    await page.getByRole("link", { name: "jane", exact: true }).click();
    await page.getByRole("button", { name: "orders on email" }).click();
    await page.locator('[aria-label="orders on email"][aria-pressed="false"]').waitFor();
    await trigger("order-shipped", "k-5");
    await page.getByRole("link", { name: "Notifications", exact: true }).first().click();
    await page.getByText("partly blocked").last().waitFor();
    await page.locator("tbody tr").first().getByRole("link").click();
    await page.getByText("blocked: the recipient opted out of the category `orders`").waitFor();
  },
  async "hostile content stays text"() {
    const hostile = `</pre><script>window.stolen = 1</script><img src=x onerror="window.stolen = 1">`;
    await ask({ upsert: { id: `<img src=x onerror="window.stolen = 1">`, email: "x@example.com", property: hostile } });
    await page.goto(HUB + "/_hub/?reveal=1");
    await page.getByRole("link", { name: "create-update-users" }).first().click();
    await page.locator(".detail .json-text", { hasText: "window.stolen" }).first().waitFor();
    await page.goto(HUB + "/_hub/page/stored/users");
    await page.getByText("<img src=x").waitFor();
    assert.equal(await page.evaluate(() => window.stolen), undefined);
    assert.equal(await page.locator("main img, main script").count(), 0);
  },
  async "the keyboard is enough"() {
    await page.goto(HUB + "/_hub/");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
    await page.locator(".row-link").first().focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.locator("#detail-title:focus").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".detail").waitFor({ state: "detached" });
  },
  async "the accessibility check finds nothing serious, and nothing is wider than the window"() {
    const paths = ["/_hub/", "/_hub/?request=2", "/_hub/page/notifications", "/_hub/page/notifications?notification=0-0",
      "/_hub/page/stored/users?id=jane", "/_hub/page/stored/objects", "/_hub/page/stored/lists?id=all_users",
      "/_hub/page/stored/tenants?id=default", "/_hub/page/controls"];
    for (const colorScheme of ["light", "dark"]) {
      for (const width of [1280, 360]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        for (const path of paths) {
          await page.goto(HUB + path);
          // In the page's own script world a policy would forbid it.
          await page.evaluate(axe);
          const { violations } = await page.evaluate(() => window.axe.run());
          const serious = violations.filter((it) => ["serious", "critical"].includes(it.impact));
          assert.deepEqual(serious.map((it) => [it.id, it.nodes.map((node) => node.html)]), [], `${colorScheme} ${width} ${path}`);
          assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width} ${path}`);
        }
      }
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  },
  "it works without a script": withoutScript,
  async "nothing broke a rule, and nothing was fetched from elsewhere"() {
    assert.deepEqual(faults, []);
    assert.deepEqual(elsewhere, []);
  },
};

// A browser of its own, since one with a profile has one setting for all pages.
async function withoutScript() {
  const other = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
  const plain = await (await other.newContext({ javaScriptEnabled: false })).newPage();
  await plain.goto(HUB + "/_hub/");
  await plain.getByRole("link", { name: "trigger-workflow-api" }).first().click();
  await plain.getByRole("heading", { name: "Request body" }).waitFor();
  await plain.getByRole("link", { name: "Make it fail" }).click();
  await plain.getByLabel("Status", { exact: true }).fill("429");
  await plain.getByRole("button", { name: "Inject the fault" }).click();
  await plain.locator("#active-faults").getByText("429").waitFor();
  assert.match((await trigger("order-shipped", "k-6")).error, /429/);
  await plain.getByRole("button", { name: "Reset everything" }).click();
  await plain.getByRole("link", { name: "Reload" }).click();
  await plain.getByRole("link", { name: "Requests", exact: true }).click();
  await plain.getByText("No requests yet").waitFor();
  await other.close();
}

// Of the program's demo, which takes some seconds to play.
async function pictures() {
  const { DEMO } = process.env;
  await page.setViewportSize({ width: 1280, height: 760 });
  await page.goto(DEMO + "/_hub/?status=2xx");
  await page.getByText("order-shipped → lucia").waitFor();
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.goto(DEMO + "/_hub/");
    await page.locator("tr", { hasText: "refused" }).last().getByRole("link").click();
    await page.locator("#detail-title").waitFor();
    await page.screenshot({ path: join(PICTURES, `page-requests-${colorScheme}.png`) });
    await page.goto(DEMO + "/_hub/page/notifications");
    await page.locator("tr", { hasText: "partly blocked" }).first().getByRole("link").click();
    await page.locator("#detail-title").waitFor();
    await page.screenshot({ path: join(PICTURES, `page-notifications-${colorScheme}.png`) });
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}

page.setDefaultTimeout(30_000);
let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    await ask({ check: { name } });
  } catch (error) {
    failed += 1;
    console.error(`FAILED  ${name}\n${error.stack}`);
  }
}
if (PICTURES) await pictures();
await browser.close();
rmSync(profile, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
