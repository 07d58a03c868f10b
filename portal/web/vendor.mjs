// Copy the front-end files that pages load from node_modules into static/vendor (checked in).
// Node modules lie in LINLI_NODE_MODULES, or beside this file. `make assets` calls it; see there.
// `node vendor.mjs` copies; `node vendor.mjs --check` fails when a checked-in file differs.
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const files = [
  ["htmx.org/dist/htmx.min.js", "htmx.min.js"],
  ["htmx.org/LICENSE", "htmx.LICENSE.txt"],
  ["echarts/dist/echarts.common.min.js", "echarts.min.js"],
  ["echarts/LICENSE", "echarts.LICENSE.txt"],
  ["zxing-wasm/dist/iife/reader/index.js", "zxing-reader.js"],
  ["zxing-wasm/dist/reader/zxing_reader.wasm", "zxing-reader.wasm"],
  ["zxing-wasm/LICENSE", "zxing-wasm.LICENSE.txt"],
];
const modules = process.env.LINLI_NODE_MODULES ?? join(here, "node_modules");
const check = process.argv.includes("--check");
const target = join(here, "static", "vendor");
await mkdir(target, { recursive: true });
let different = 0;
for (const [source, name] of files) {
  const from = join(modules, source);
  const to = join(target, name);
  if (!check) {
    await copyFile(from, to);
    continue;
  }
  const [fresh, kept] = await Promise.all([readFile(from), readFile(to).catch(() => null)]);
  if (kept === null || !fresh.equals(kept)) {
    console.error(`static/vendor/${name} differs from ${source}`);
    different += 1;
  }
}
process.exit(different ? 1 : 0);
