// Bundle and minify the portal's own style sheets and scripts: front/ → static/built (checked in).
// `node build.mjs` writes; `node build.mjs --check` fails when a checked-in file differs or is left over.
// Node modules lie in LINLI_NODE_MODULES, or beside this file. `make assets` calls it; see there.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = process.env.LINLI_NODE_MODULES ?? join(here, "node_modules");
const { build } = createRequire(join(modules, "found-from-here.js"))("esbuild");
const source = join(here, "front");
const target = join(here, "static", "built");
const check = process.argv.includes("--check");

// An entry is a file directly in front/css or front/js; folders below hold parts that entries import.
const entries = [];
for (const kind of ["css", "js"]) {
  for (const file of await readdir(join(source, kind), { withFileTypes: true })) {
    if (file.isFile() && file.name.endsWith(`.${kind}`)) entries.push(join(source, kind, file.name));
  }
}

const { outputFiles } = await build({
  entryPoints: entries.sort(),
  outdir: target,
  outbase: source,
  absWorkingDir: here,
  nodePaths: [modules],
  bundle: true,
  minify: true,
  write: false,
  charset: "utf8",
  format: "iife",
  // What ten-year-old phones' current browsers and the WeChat web view understand.
  target: ["es2020", "chrome90", "firefox90", "safari14.1"],
  banner: {
    css: "/*! Linli, Apache-2.0; built from portal/web/front */",
    js: "/*! Linli, Apache-2.0; built from portal/web/front */",
  },
  legalComments: "inline",
  logLevel: "warning",
});

const fresh = new Map(outputFiles.map((file) => [relative(target, file.path).split(sep).join("/"), file.contents]));
// What it was built from, so that a stale build is found without Node.js too (tests/portal/web/test_assets.py).
const sums = [];
for (const file of await readdir(source, { recursive: true, withFileTypes: true })) {
  if (!file.isFile()) continue;
  const path = join(file.parentPath ?? file.path, file.name);
  const sum = createHash("sha256").update(await readFile(path)).digest("hex");
  sums.push(`${sum}  ${relative(source, path).split(sep).join("/")}\n`);
}
fresh.set("sources.txt", Buffer.from(sums.sort().join("")));

const listed = await readdir(target, { recursive: true, withFileTypes: true }).catch(() => []);
const kept = listed
  .filter((file) => file.isFile())
  .map((file) => relative(target, join(file.parentPath ?? file.path, file.name)).split(sep).join("/"));

const faults = [];
for (const name of kept.filter((name) => !fresh.has(name))) {
  if (check) faults.push(`static/built/${name} has no source in front/`);
  else await rm(join(target, name));
}
for (const [name, contents] of fresh) {
  const path = join(target, name);
  if (check) {
    const have = await readFile(path).catch(() => null);
    if (have === null || !have.equals(Buffer.from(contents))) faults.push(`static/built/${name} is not what front/ builds`);
  } else {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, contents);
  }
}
for (const fault of faults) console.error(fault);
if (faults.length) console.error("Run `make assets` and commit what it writes.");
process.exit(faults.length ? 1 : 0);
