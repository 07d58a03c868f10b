// The code that this phone keeps for when there is no network: one record in IndexedDB, nothing personal in it.
//
//   {holder, svg, seconds, from, until}    times in ms of this phone's clock; svg goes once the code is over
//
// read() says {state: "none" | "valid" | "over", …record}. A clock that was put back counts as over: how long the
// code still lasts is then not known.
const STORE = "codes";
const KEY = "own";
const BACK_MS = 60_000; // clocks are set right by a little all the time

const opened = () =>
  new Promise((done, failed) => {
    const asked = indexedDB.open("linli", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });

const inStore = async (mode, act) => {
  const base = await opened();
  try {
    return await new Promise((done, failed) => {
      const change = base.transaction(STORE, mode);
      const asked = act(change.objectStore(STORE));
      change.oncomplete = () => done(asked.result);
      change.onerror = () => failed(change.error);
      change.onabort = () => failed(change.error);
    });
  } finally {
    base.close();
  }
};

export const write = (record) => inStore("readwrite", (store) => store.put(record, KEY));

export const wipe = () => inStore("readwrite", (store) => store.clear()).catch(() => {});

export const read = async () => {
  const record = await inStore("readonly", (store) => store.get(KEY)).catch(() => null);
  if (!record) return { state: "none" };
  const now = Date.now();
  if (record.svg && now < record.until && now >= record.from - BACK_MS) return { ...record, state: "valid" };
  if (record.svg) await write({ ...record, svg: "" }).catch(() => {});
  return { ...record, svg: "", state: "over" };
};
