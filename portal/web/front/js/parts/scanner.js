/* A camera that reads QR codes, for macros/scanner.html: `mountScanners()` brings each [data-scanner] of the
   page to life.

   For each code read it fires "linli:code" on the element, with detail {text, source: "camera" | "photo"}.
   element.scanner has start(), stop(), pause() and resume(). A code is told once until it was out of sight.

     idle ─start─► starting ─► running ◄─pause/resume─► paused
                      └─► refused | missing | busy | insecure | failed ─start─► …

   Browsers that have BarcodeDetector use it; others load the decoder when the camera starts, not before. */

const EVERY_MS = 120; // between two looks: 25 ms of work each leave the phone cool
const FORGET_MS = 2500; // a code out of sight for that long counts as a new one
const LARGEST = 1280; // pixels of the longer side that are looked at
const OFF = ["refused", "missing", "busy", "insecure", "failed", "idle"];

const native = async () => {
  if (!("BarcodeDetector" in window)) return null;
  const formats = await window.BarcodeDetector.getSupportedFormats().catch(() => []);
  if (!formats.includes("qr_code")) return null;
  const detector = new window.BarcodeDetector({ formats: ["qr_code"] });
  return async (canvas) => (await detector.detect(canvas))[0]?.rawValue ?? null;
};

const script = (address) =>
  new Promise((done, failed) => {
    const element = document.createElement("script");
    element.src = address;
    element.addEventListener("load", done);
    element.addEventListener("error", () => failed(new Error("the decoder did not load")));
    document.head.append(element);
  });

const own = async (decoder, wasm) => {
  if (!window.ZXingWASM) await script(decoder);
  const zxing = window.ZXingWASM;
  await zxing.prepareZXingModule({ overrides: { locateFile: () => wasm }, fireImmediately: true });
  return async (canvas, context) => {
    const picture = context.getImageData(0, 0, canvas.width, canvas.height);
    const found = await zxing.readBarcodes(picture, { formats: ["QRCode"], maxNumberOfSymbols: 1 });
    return found.find((code) => code.isValid)?.text ?? null;
  };
};

class Scanner {
  constructor(element) {
    this.element = element;
    this.video = element.querySelector("[data-video]");
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.stream = null;
    this.camera = null; // device id, once one was chosen
    this.last = { text: "", at: 0 };
    this.looks = 0; // frames that were looked at
    this.turn = 0; // rises with each start: an older loop ends by itself
    element.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button && typeof this[button.dataset.do] === "function") this[button.dataset.do](button);
    });
    element.querySelector("[data-file]").addEventListener("change", (event) => this.photo(event));
    document.addEventListener("visibilitychange", () => this.seen());
    this.show("idle");
    this.startIfAllowed();
  }

  get state() {
    return this.element.dataset.state;
  }

  show(state) {
    this.element.dataset.state = state;
    for (const part of this.element.querySelectorAll("[data-when]")) {
      part.hidden = part.dataset.when !== state;
    }
    if (OFF.includes(state)) {
      this.tool("torch").hidden = true;
      this.tool("switch").hidden = true;
    }
    this.element.dispatchEvent(new CustomEvent("linli:scanner", { detail: { state }, bubbles: true }));
  }

  tool(name) {
    return this.element.querySelector(`.scanner-tools [data-do="${name}"]`);
  }

  // Whoever allowed the camera before need not press anything.
  async startIfAllowed() {
    const permission = await navigator.permissions?.query({ name: "camera" }).catch(() => null);
    if (permission?.state === "granted" && this.state === "idle") this.start();
  }

  async reader() {
    if (!this.read) {
      const { decoder, wasm } = this.element.dataset;
      this.read = (await native()) ?? (await own(decoder, wasm));
    }
    return this.read;
  }

  async start() {
    this.release();
    if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
      this.show("insecure");
      return;
    }
    const turn = ++this.turn;
    this.show("starting");
    const wanted = this.camera ? { deviceId: { exact: this.camera } } : { facingMode: "environment" };
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { ...wanted, width: { ideal: 1280 }, height: { ideal: 720 } },
      });
    } catch (error) {
      if (turn === this.turn) this.show(this.trouble(error));
      return;
    }
    if (turn !== this.turn) {
      stream.getTracks().forEach((track) => track.stop());
      return;
    }
    this.stream = stream;
    try {
      await this.reader();
    } catch {
      this.release();
      this.show("failed");
      return;
    }
    this.video.srcObject = stream;
    await this.video.play().catch(() => {});
    if (turn !== this.turn) return;
    stream.getVideoTracks()[0].addEventListener("ended", () => turn === this.turn && this.lost());
    this.show("running");
    await this.offerTools();
    this.loop(turn);
  }

  trouble(error) {
    this.camera = null; // a camera that was unplugged must not be asked for again
    if (error.name === "NotAllowedError" || error.name === "SecurityError") return "refused";
    if (error.name === "NotFoundError" || error.name === "OverconstrainedError") return "missing";
    return "busy";
  }

  lost() {
    this.release();
    this.show("busy");
  }

  stop() {
    this.release();
    this.show("idle");
  }

  release() {
    this.turn += 1;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
  }

  pause() {
    if (this.state === "running") this.show("paused");
  }

  resume() {
    if (this.state !== "paused") return;
    this.last.at = Date.now(); // the code that is still held up is not a new one
    this.show("running");
  }

  // A camera that nobody looks at is switched off.
  seen() {
    if (document.hidden && this.stream) {
      this.asleep = this.state;
      this.release();
      this.show("idle");
    } else if (!document.hidden && this.asleep) {
      const before = this.asleep;
      this.asleep = null;
      this.start().then(() => before === "paused" && this.pause());
    }
  }

  async offerTools() {
    const track = this.stream?.getVideoTracks()[0];
    const torch = this.tool("torch");
    torch.hidden = !track?.getCapabilities?.().torch;
    torch.setAttribute("aria-pressed", "false");
    const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);
    this.cameras = devices.filter((device) => device.kind === "videoinput");
    this.tool("switch").hidden = this.cameras.length < 2;
  }

  async torch(button) {
    const lit = button.getAttribute("aria-pressed") !== "true";
    const track = this.stream?.getVideoTracks()[0];
    try {
      await track?.applyConstraints({ advanced: [{ torch: lit }] });
      button.setAttribute("aria-pressed", String(lit));
    } catch {
      button.hidden = true;
    }
  }

  switch() {
    const used = this.stream?.getVideoTracks()[0]?.getSettings().deviceId;
    const at = this.cameras.findIndex((camera) => camera.deviceId === used);
    this.camera = this.cameras[(at + 1) % this.cameras.length].deviceId;
    this.start();
  }

  async loop(turn) {
    while (turn === this.turn) {
      if (this.state === "running" && this.video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) {
        const text = await this.look(this.video, this.video.videoWidth, this.video.videoHeight);
        if (turn !== this.turn) return;
        if (text && this.state === "running") this.tell(text, "camera");
      }
      await new Promise((next) => setTimeout(next, EVERY_MS));
    }
  }

  async look(picture, width, height) {
    if (!width || !height) return null;
    this.looks += 1;
    const scale = Math.min(1, LARGEST / Math.max(width, height));
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.context.drawImage(picture, 0, 0, this.canvas.width, this.canvas.height);
    try {
      const read = await this.reader();
      return await read(this.canvas, this.context);
    } catch {
      return null;
    }
  }

  tell(text, source) {
    const now = Date.now();
    const known = text === this.last.text && now - this.last.at < FORGET_MS;
    this.last = { text, at: now };
    if (known && source === "camera") return;
    this.element.dispatchEvent(
      new CustomEvent("linli:code", { detail: { text, source }, bubbles: true }),
    );
  }

  async photo(event) {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    const note = this.element.querySelector('[data-note="no-code"]');
    note.hidden = true;
    const picture = await createImageBitmap(file).catch(() => null);
    const text = picture && (await this.look(picture, picture.width, picture.height));
    picture?.close();
    if (text) this.tell(text, "photo");
    else note.hidden = false;
  }
}

export const mountScanners = () => {
  for (const element of document.querySelectorAll("[data-scanner]")) {
    element.scanner = new Scanner(element);
  }
};
