// SPDX-License-Identifier: MIT
// The page of examples/web in headless Chromium, as a person uses it: node page_test.mjs PAGE MODEL REFERENCE. MODEL: a model file; REFERENCE: for 1,000 of its users
// a line of JSON {"history": [keys], "list": [keys]}, made by the library in C++.
import fs from "node:fs";
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";

const {chromium} = createRequire(process.cwd() + "/")("playwright-core");
const [page_path, model, reference] = process.argv.slice(2);
const browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"]});
const page = await browser.newPage();
const problems = [];
page.on("pageerror", error => problems.push(String(error)));
page.on("console", message => { if (message.type() === "error") problems.push(message.text()); });
page.on("request", request => { if (!/^(file|blob|data):/.test(request.url())) problems.push("asked for " + request.url()); });
const check = (holds, what) => { if (!holds) problems.push(what); };
const texts = selector => page.locator(selector).allTextContents();
const listed = async was => { await page.waitForFunction(before => document.querySelector("#list").innerHTML !== before, was); };

await page.goto(pathToFileURL(page_path).href);
await page.waitForFunction(() => document.querySelector("#status").textContent === "Ready.", null, {timeout: 60000});
let moved = 0;
await page.exposeFunction("progressed", () => { ++moved; });
await page.evaluate(() => new MutationObserver(() => window.progressed()).observe(document.querySelector("#progress"), {attributes: true}));
await page.click("#fit");
await page.waitForSelector("#main:not([hidden])", {timeout: 120000});
console.log("fit in the page:", await page.textContent("#status"));
check(moved >= 3, `the progress moved ${moved} times`);
check((await texts("#list li")).length === 10, "ten artists for somebody unknown");
check(await page.getAttribute("#list", "data-source") === "popularity", "the popular ones first");

let before = await page.innerHTML("#list");
const popular = (await texts("#list li button"))[4];
await page.fill("#text", popular.slice(0, 6).toUpperCase());
await page.waitForSelector("#found button");
const chosen = (await texts("#found button"))[0];
await listed(before);
check(await page.textContent("#list_title") === "For you and " + chosen, "a list while a name is typed");
await page.click("#found button >> nth=0");
await page.waitForFunction(() => document.querySelector("#list_title").textContent === "For you" && document.querySelector("#liked").childElementCount === 1);
check(await page.getAttribute("#list", "data-source") === "model", "a list of the model");
check((await texts("#list li small"))[0].includes(chosen), "reasons name the artist");
check((await texts("#similar li")).length === 8, "eight similar artists");
check(!(await texts("#list li button")).includes(chosen), "the artist is not in its own list");
before = await page.innerHTML("#list");
await page.click("#list li button >> nth=0");
await listed(before);
check((await texts("#liked button")).length === 2, "two artists liked");
before = await page.innerHTML("#list");
await page.click("#liked button >> nth=0");
await listed(before);
check((await texts("#liked button")).length === 1, "one taken away");

// A model file, and the lists of C++.
await page.setInputFiles("#file", model);
await page.waitForFunction(() => document.querySelector("#status").textContent.includes("listeners") && document.querySelector("#liked").childElementCount === 0);
await page.waitForFunction(() => document.querySelector("#status").textContent.includes("1000 listeners"));
const lines = fs.readFileSync(reference, "utf8").trim().split("\n").map(line => JSON.parse(line));
const begun = performance.now();
const lists = await page.evaluate(async histories => {
  const all = [];
  for (const history of histories) all.push((await call({call: "recommend", history})).items.map(item => item.key));
  return all;
}, lines.map(line => line.history));
console.log(`${lines.length} lists with reasons: ${((performance.now() - begun) / lines.length).toFixed(2)} ms each`);
const differing = lines.filter((line, n) => JSON.stringify(line.list) !== JSON.stringify(lists[n])).length;
check(lines.length === 1000 && differing === 0, `${differing} of ${lines.length} lists differ from those of C++`);

// A file that is none: an error in words, and the page goes on.
await page.setInputFiles("#file", {name: "none.kindred", mimeType: "application/octet-stream", buffer: Buffer.from("not a model")});
await page.waitForFunction(() => /model/.test(document.querySelector("#status").textContent) && !/listeners/.test(document.querySelector("#status").textContent));
console.log("a file that is none:", await page.textContent("#status"));
await browser.close();
for (const problem of problems) console.error("FAILED:", problem);
process.exit(problems.length > 0 ? 1 : 0);
