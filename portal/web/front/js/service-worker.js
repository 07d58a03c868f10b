/* The worker of the portal as an app. It keeps style sheets and scripts by their version, and two pages that are
   about nobody: one for any page that cannot be fetched, one to show the kept code on. No page of anybody's is
   ever kept, and what is sent (POST) goes past it.

   The page that registers it tells it how those two have to look (language, theme, text size, version of the
   files); when that changes, they are fetched anew.

     page cannot be fetched ──► /pass: the page for the kept code      all others: the page that says so */
(() => {
  "use strict";

  const PAGES = "linli-pages-1";
  const FILES = "linli-files-1";
  const ELSE = "/offline";
  const INSTEAD = { "/pass": "/pass/offline" };
  const LOOK = "/offline/look"; // under this name lies how the kept pages look, not a page
  const PATIENCE_MS = 6000; // for /pass: somebody stands before a gate

  const versioned = (url) =>
    url.origin === self.location.origin && url.pathname.startsWith("/static/") && url.searchParams.has("v");

  const keepFile = async (address) => {
    const files = await caches.open(FILES);
    const held = await files.match(address, { ignoreVary: true });
    if (held) return held;
    const answer = await fetch(address);
    if (answer.status === 200) {
      const { pathname, href } = new URL(address, self.location.href);
      await files.put(address, answer.clone());
      for (const other of await files.keys()) {
        if (new URL(other.url).pathname === pathname && other.url !== href) await files.delete(other);
      }
    }
    return answer;
  };

  const keepPages = async (look) => {
    const pages = await caches.open(PAGES);
    for (const address of [ELSE, ...Object.values(INSTEAD)]) {
      const answer = await fetch(address, { cache: "no-store", redirect: "error" });
      if (answer.status !== 200) continue;
      const text = await answer.clone().text();
      for (const [, file] of text.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)) {
        await keepFile(new URL(file.replaceAll("&amp;", "&"), self.location.href).href);
      }
      await pages.put(address, answer);
    }
    await pages.put(LOOK, new Response(look));
  };

  const lookAgain = async (look) => {
    const kept = await (await caches.open(PAGES)).match(LOOK);
    if (!kept || (await kept.text()) !== look) await keepPages(look);
  };

  const keptPage = async (path) => {
    const pages = await caches.open(PAGES);
    return (await pages.match(INSTEAD[path] ?? ELSE)) ?? (await pages.match(ELSE)) ?? Response.error();
  };

  const page = async (request, path) => {
    const answer = fetch(request);
    if (!(path in INSTEAD)) return answer.catch(() => keptPage(path));
    let timer;
    const late = new Promise((done) => {
      timer = setTimeout(() => done(keptPage(path)), PATIENCE_MS);
    });
    return Promise.race([answer.catch(() => keptPage(path)), late]).finally(() => clearTimeout(timer));
  };

  self.addEventListener("install", (event) => {
    event.waitUntil(self.skipWaiting());
  });

  self.addEventListener("activate", (event) => {
    const tidy = async () => {
      for (const name of await caches.keys()) if (![PAGES, FILES].includes(name)) await caches.delete(name);
      await self.clients.claim();
    };
    event.waitUntil(tidy());
  });

  self.addEventListener("message", (event) => {
    if (typeof event.data?.look === "string") event.waitUntil(lookAgain(event.data.look).catch(() => {}));
  });

  self.addEventListener("fetch", (event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== "GET" || url.origin !== self.location.origin) return;
    if (request.mode === "navigate") event.respondWith(page(request, url.pathname));
    else if (versioned(url)) event.respondWith(keepFile(request.url));
  });
})();
